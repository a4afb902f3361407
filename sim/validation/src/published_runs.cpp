// SPDX-License-Identifier: Apache-2.0
// Reads the table of published runs and turns each line into a scenario's text.
#include <chokepoint/sim/validation.hpp>

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/scenario.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>

namespace chokepoint::sim {
namespace {

std::vector<std::string_view> split(std::string_view line, char separator) {
    std::vector<std::string_view> cells;
    for (std::size_t from = 0; from <= line.size();) {
        const std::size_t to = std::min(line.find(separator, from), line.size());
        cells.push_back(line.substr(from, to - from));
        from = to + 1;
    }
    return cells;
}

/// Columns that are no scenario keys.
constexpr std::array<std::string_view, 13> kOwnColumns{
    "id",    "source",     "stack",       "score",       "bound",   "seconds", "tflops",
    "flops", "memory_gib", "memory_rank", "memory_kind", "assumed", "note"};

class TableReader {
public:
    explicit TableReader(const std::string& file) : file_(file) {}

    void read(std::string_view text) {
        for (std::string_view line : split(text, '\n')) {
            ++line_;
            if (line.ends_with('\r')) { // of a spreadsheet on Windows
                line.remove_suffix(1);
            }
            if (line.empty() || line.front() == '#') {
                continue;
            }
            if (columns_.empty() && line.find('\t') == std::string_view::npos) {
                fault("no tab in the header; expected columns that tabs separate");
                break; // without columns no run can be read
            }
            columns_.empty() ? read_header(line) : read_run(line);
        }
        if (columns_.empty() && faults_.empty()) {
            fault("no header; expected a line of column names");
        }
        if (!faults_.empty()) {
            throw ScenarioError(std::move(faults_));
        }
    }

    std::vector<PublishedRun> take() { return std::move(runs_); }

private:
    void fault(std::string message) { faults_.push_back({file_, line_, 1, std::move(message)}); }

    void read_header(std::string_view line) {
        for (const std::string_view column : split(line, '\t')) {
            columns_.emplace_back(column);
            const bool own = std::ranges::find(kOwnColumns, column) != kOwnColumns.end();
            if (!own && column.find('.') == std::string_view::npos) {
                fault(fmt::format("unknown column '{}'; expected a scenario key or one of {}", column,
                                  fmt::join(kOwnColumns, ", ")));
            } else if (const auto wrong = own ? std::nullopt : fault_of_key(column)) {
                fault(fmt::format("unknown column '{}': {}", column, *wrong));
            }
        }
        for (const std::string_view needed : {"id", "source", "score"}) {
            if (std::ranges::find(columns_, needed) == columns_.end()) {
                fault(fmt::format("no column '{}'", needed));
            }
        }
    }

    void read_run(std::string_view line) {
        const std::vector<std::string_view> cells = split(line, '\t');
        if (cells.size() != columns_.size()) {
            fault(fmt::format("{} cells; expected {}", cells.size(), columns_.size()));
            return;
        }
        std::map<std::string_view, std::string_view> own;
        PublishedRun run;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (columns_[i].find('.') == std::string::npos) {
                own[columns_[i]] = cells[i];
            } else if (!cells[i].empty()) {
                run.keys.emplace_back(columns_[i], cells[i]);
            }
        }
        run.id = own["id"];
        run.source = own["source"];
        run.stack = own["stack"];
        run.bound = own["bound"];
        run.assumed = own["assumed"];
        run.note = own["note"];
        if (run.id.empty() || !ids_.emplace(run.id, line_).second) {
            fault(fmt::format("id '{}' is empty or given twice", run.id));
        }
        if (run.source.empty()) {
            fault(fmt::format("{}: no source; expected where the figure stands", run.id));
        }
        read_score(run, own);
        runs_.push_back(std::move(run));
    }

    void read_score(PublishedRun& run, std::map<std::string_view, std::string_view>& own) {
        constexpr double kTera = 1e12;
        constexpr double kGibi = 1024.0 * 1024.0 * 1024.0;
        const std::string_view score = own["score"];
        if (score == "time") {
            run.score = Score::time;
            run.seconds = hw::Seconds(positive(own, "seconds").value_or(1.0));
        } else if (score == "tflops") {
            run.score = Score::tflops;
            run.rate = hw::FlopsPerSecond(kTera * positive(own, "tflops").value_or(1.0));
            read_convention(run, own["flops"]);
        } else if (score == "memory") {
            run.score = Score::memory;
        } else if (score == "hold") {
            run.score = Score::hold;
        } else {
            fault(fmt::format("{}: score is '{}'; expected time, tflops, memory or hold", run.id, score));
        }
        if (run.score == Score::memory || !own["memory_gib"].empty()) {
            run.memory = hw::Bytes(kGibi * positive(own, "memory_gib").value_or(1.0));
        }
        if (own["memory_rank"] == "last") {
            run.memory_rank = MemoryRank::last;
        } else if (!own["memory_rank"].empty()) {
            fault(fmt::format("{}: memory_rank is '{}'; expected last, or nothing for the fullest", run.id,
                              own["memory_rank"]));
        }
        if (own["memory_kind"] == "reserved") {
            run.memory_kind = MemoryKind::reserved;
        } else if (!own["memory_kind"].empty()) {
            fault(fmt::format("{}: memory_kind is '{}'; expected reserved, or nothing for allocated", run.id,
                              own["memory_kind"]));
        }
    }

    void read_convention(PublishedRun& run, std::string_view word) {
        if (word == "causal") {
            run.flops = FlopConvention::causal;
        } else if (word == "full") {
            run.flops = FlopConvention::full;
        } else if (word == "full+recompute") {
            run.flops = FlopConvention::full_recompute;
        } else {
            fault(fmt::format("{}: flops is '{}'; expected causal, full or full+recompute", run.id, word));
        }
    }

    std::optional<double> positive(std::map<std::string_view, std::string_view>& own, const char* column) {
        const std::string_view cell = own[column];
        double value = 0.0;
        const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
        if (error == std::errc() && end == cell.data() + cell.size() && value > 0.0 && value < 1e9) {
            return value;
        }
        fault(fmt::format("{}: {} is '{}'; expected a positive number", own["id"], column, cell));
        return std::nullopt;
    }

    const std::string& file_;
    int line_ = 0;
    std::vector<std::string> columns_;
    std::map<std::string, int> ids_;
    std::vector<PublishedRun> runs_;
    std::vector<Diagnostic> faults_;
};

bool is_number(std::string_view text) {
    double value = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

/// A cell as TOML: numbers, truths and lists as they are, all else in quotes.
std::string toml_value(std::string_view cell) {
    if (is_number(cell) || cell == "true" || cell == "false" || cell == "[]") {
        return std::string(cell);
    }
    if (cell.starts_with('[') && cell.ends_with(']')) {
        std::vector<std::string> items;
        for (std::string_view item : split(cell.substr(1, cell.size() - 2), ',')) {
            item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
            items.push_back(toml_value(item));
        }
        return fmt::format("[{}]", fmt::join(items, ", "));
    }
    std::string quoted = "\"";
    for (const char c : cell) {
        quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    }
    return quoted + "\"";
}

} // namespace

std::string PublishedRun::key(std::string_view path) const {
    const auto found = std::ranges::find(keys, path, &std::pair<std::string, std::string>::first);
    return found == keys.end() ? std::string() : found->second;
}

std::string PublishedRun::model() const {
    const std::string arch = key("model.arch");
    return arch.empty() && !key("model.layers").empty()
               ? fmt::format("{} layers of {}", key("model.layers"), key("model.hidden"))
               : arch;
}

std::filesystem::path published_runs_file() { return hw::data_path("scenarios") / "validation" / "runs.tsv"; }

std::filesystem::path published_memory_file() {
    return hw::data_path("scenarios") / "validation" / "memory.tsv";
}

std::filesystem::path published_campaigns_file() {
    return hw::data_path("scenarios") / "validation" / "campaigns.tsv";
}

std::vector<PublishedRun> parse_published_runs(std::string_view text, const std::string& file) {
    TableReader reader(file);
    reader.read(text);
    return reader.take();
}

std::vector<PublishedRun> load_published_runs(const std::filesystem::path& file) {
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        throw ScenarioError({{file.string(), 0, 0,
                              fmt::format("cannot be read: {}", std::generic_category().message(errno))}});
    }
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::vector<PublishedRun> runs = parse_published_runs(text, file.string());
    for (PublishedRun& run : runs) {
        run.folder = file.parent_path();
    }
    return runs;
}

std::string scenario_text(const PublishedRun& run) {
    std::string text = fmt::format("# {}\n# source: {}\n", run.id, run.source);
    if (!run.assumed.empty()) {
        text += fmt::format("# assumed: {}\n", run.assumed);
    }
    text += fmt::format("title = {}\n", toml_value("published run " + run.id));
    // A table stands once in a scenario; a column may stand anywhere.
    std::vector<std::pair<std::string, std::string>> tables;
    for (const auto& [path, value] : run.keys) {
        const std::size_t dot = path.find('.');
        const std::string name = path.substr(0, dot);
        auto table = std::ranges::find(tables, name, &std::pair<std::string, std::string>::first);
        if (table == tables.end()) {
            table = tables.insert(table, {name, {}});
        }
        table->second += fmt::format("{} = {}\n", path.substr(dot + 1), toml_value(value));
    }
    for (const auto& [name, keys] : tables) {
        text += fmt::format("\n[{}]\n{}", name, keys);
        // The run was measured, so its plan did fit: what we know of its memory is not enough to refuse it.
        text += name == "plan" ? "enforce_memory = false\n" : "";
    }
    return text;
}

} // namespace chokepoint::sim
