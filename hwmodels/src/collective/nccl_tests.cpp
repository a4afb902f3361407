// SPDX-License-Identifier: Apache-2.0
// Reads nccl-tests' tables by the names of their columns, since releases add and drop some.
#include <chokepoint/hwmodels/nccl_tests.hpp>

#include "../data_file.hpp"
#include "tsv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace chokepoint::hw {
namespace {

/// GB/s below which two printed decimals cannot tell operations apart.
constexpr double kTellingBandwidth = 1.0;

struct Row {
    double bytes = 0.0;
    double time = 0.0; ///< us
    double algbw = 0.0;
    double busbw = 0.0;
    std::string redop;
    std::string root;
};

/// What precedes a table and what is in it.
struct Table {
    int line = 0;      ///< of the column names
    std::string named; ///< operation, where the header names it
    std::set<int> ranks;
    std::set<std::string> hosts;
    std::string device;
    std::vector<std::string> columns;
    std::vector<Row> rows;
};

class Parser {
public:
    Parser(std::string file, std::optional<Collective> op) : file_(std::move(file)), op_(op) {}

    std::vector<NcclTestsRun> parse(std::string_view text) {
        for (const std::string& line : split(text, '\n')) {
            ++line_;
            line.starts_with('#') ? read_comment(line) : read_row(line);
        }
        finish_table();
        if (runs_.empty() && faults_.empty()) {
            line_ = 1;
            fault("holds no table of nccl-tests; expected a line of column names '# size count type …' and "
                  "rows "
                  "below it");
        }
        if (!faults_.empty()) {
            throw NcclTestsError(fmt::format("{}", fmt::join(faults_, "\n")));
        }
        return std::move(runs_);
    }

private:
    void fault(std::string_view message) {
        faults_.push_back(fmt::format("{}:{}: error: {}", file_, line_, message));
    }

    void read_comment(const std::string& line) {
        const std::vector<std::string> found = words(std::string_view(line).substr(1));
        const auto after = [&](std::string_view word) { // the word behind `word`, or ""
            const auto at = std::ranges::find(found, word);
            return at == found.end() || at + 1 == found.end() ? std::string() : *(at + 1);
        };
        const auto begins = [&](std::initializer_list<std::string_view> start) {
            return found.size() >= start.size() && std::equal(start.begin(), start.end(), found.begin());
        };
        if (begins({"Collective", "test", "starting:"})) {
            finish_table(); // another program's output begins
            table_.named = found.back();
        } else if (begins({"nThread"}) || begins({"Using", "devices"})) {
            finish_table();
            table_.ranks.clear();
            table_.hosts.clear();
        } else if (begins({"Rank"})) {
            read_rank(line, found, after("on"));
        } else if (begins({"size"})) {
            const std::string named = table_.named;
            finish_table();
            table_.named = named;
            table_.columns = found;
            table_.line = line_;
            for (const std::string_view needed : {"size", "time", "algbw", "busbw"}) {
                if (std::ranges::find(found, needed) == found.end()) {
                    fault(fmt::format("no column is called '{}'; found {}", needed, fmt::join(found, " ")));
                }
            }
        }
    }

    /// "# Rank  0 Group  0 Pid  4711 on  node1 device  0 [0x1b] NVIDIA H100 80GB HBM3"
    void read_rank(const std::string& line, const std::vector<std::string>& found, const std::string& host) {
        const auto rank = found.size() > 1 ? number_from(found[1]) : std::nullopt;
        if (!rank || host.empty()) {
            fault("expected 'Rank N … on HOST device K [BUS] NAME'");
            return;
        }
        table_.ranks.insert(static_cast<int>(*rank));
        table_.hosts.insert(host);
        if (const auto bus = line.find(']'); bus != std::string::npos && bus + 2 < line.size()) {
            table_.device = line.substr(bus + 2);
            table_.device.erase(table_.device.find_last_not_of(" \r") + 1);
        }
    }

    void read_row(const std::string& line) {
        const std::vector<std::string> cells = words(line);
        // mpirun and schedulers put lines of their own between the tables.
        if (cells.empty() || !number_from(cells.front())) {
            return;
        }
        if (table_.columns.empty()) {
            fault("a row before the line of column names '# size count type …'");
            return;
        }
        Row row;
        bool sound = true;
        const auto cell = [&](std::string_view column) -> std::string {
            const auto at = std::ranges::find(table_.columns, column) - table_.columns.begin();
            return static_cast<std::size_t>(at) < cells.size() ? cells[static_cast<std::size_t>(at)] : "";
        };
        const auto number = [&](std::string_view column, bool positive) {
            const auto value = number_from(cell(column));
            if (!value || *value < 0.0 || (positive && *value == 0.0)) {
                fault(fmt::format("{}: '{}' is no {}number", column, cell(column),
                                  positive ? "positive " : ""));
                sound = false;
            }
            return value.value_or(0.0);
        };
        row.bytes = number("size", false);
        if (row.bytes == 0.0) { // nccl-tests prints a row for nothing when a size does not divide
            return;
        }
        row.time = number("time", true);
        row.algbw = number("algbw", false);
        row.busbw = number("busbw", false);
        row.redop = cell("redop");
        row.root = cell("root");
        if (sound) {
            table_.rows.push_back(row);
        }
    }

    /// nccl-tests' own names: all_reduce_perf, sendrecv_perf.
    std::optional<Collective> named_operation() const {
        std::string named = table_.named;
        if (const auto end = named.find("_perf"); end != std::string::npos) {
            named.erase(end);
        }
        return collective_from(named);
    }

    /// What redop, root and the ratio of the bandwidths leave possible.
    std::vector<Collective> possible_operations(int ranks) const {
        std::vector<Collective> possible;
        for (const Collective op : all_collectives()) {
            const bool reduces = op == Collective::all_reduce || op == Collective::reduce_scatter;
            const bool fits = std::ranges::all_of(table_.rows, [&](const Row& row) {
                const bool rooted = !row.root.empty() && row.root != "-1";
                const bool ratio_fits = row.algbw < kTellingBandwidth ||
                                        std::abs(row.busbw / row.algbw / bus_factor(op, ranks) - 1.0) < 0.03;
                return reduces == (row.redop != "none" && !row.redop.empty()) &&
                       (row.root.empty() || rooted == (op == Collective::broadcast)) && ratio_fits;
            });
            if (fits) {
                possible.push_back(op);
            }
        }
        return possible;
    }

    std::optional<Collective> operation(int ranks) {
        if (!table_.named.empty()) {
            const auto op = named_operation();
            if (!op) {
                fault(fmt::format("'{}' is no operation that the model knows", table_.named));
            }
            return op;
        }
        if (op_) {
            return op_;
        }
        const std::vector<Collective> possible = possible_operations(ranks);
        if (possible.size() != 1) {
            std::vector<std::string_view> names;
            std::ranges::transform(possible, std::back_inserter(names),
                                   [](Collective op) { return name(op); });
            fault(fmt::format("the table does not say its operation; {}: name it with --op",
                              names.empty() ? std::string("no operation has these bandwidths")
                                            : fmt::format("{} would fit", fmt::join(names, " or "))));
            return std::nullopt;
        }
        return possible.front();
    }

    /// The list of devices may stand once before several tables, so it outlives them.
    void finish_table() {
        if (!table_.columns.empty()) {
            const int here = std::exchange(line_, table_.line); // faults of the whole table
            if (table_.rows.empty()) {
                fault("a table without rows");
            } else {
                keep_table();
            }
            line_ = here;
            table_.columns.clear();
            table_.rows.clear();
            table_.named.clear();
        }
    }

    void keep_table() {
        const int ranks = static_cast<int>(table_.ranks.size());
        if (ranks < 2) {
            fault(fmt::format("{} '# Rank' lines before the table; expected one for each of at least 2 GPUs",
                              ranks));
        } else if (const auto op = operation(ranks)) {
            runs_.push_back({*op, ranks, static_cast<int>(table_.hosts.size()), table_.device, points()});
        }
    }

    std::vector<CollectiveSeries::Point> points() const {
        std::map<double, std::vector<double>> times;
        for (const Row& row : table_.rows) {
            times[row.bytes].push_back(row.time);
        }
        std::vector<CollectiveSeries::Point> result;
        for (auto& [bytes, repeats] : times) {
            std::ranges::sort(repeats);
            result.push_back({Bytes(bytes), Seconds(repeats[repeats.size() / 2] * 1e-6)});
        }
        return result;
    }

    std::string file_;
    std::optional<Collective> op_;
    int line_ = 0;
    Table table_;
    std::vector<NcclTestsRun> runs_;
    std::vector<std::string> faults_;
};

} // namespace

std::vector<NcclTestsRun> parse_nccl_tests(std::string_view text, const std::string& file,
                                           std::optional<Collective> op) {
    return Parser(file, op).parse(text);
}

std::vector<NcclTestsRun> read_nccl_tests(const std::filesystem::path& path, std::optional<Collective> op) {
    return parse_nccl_tests(read_text_file(path.string()), path.string(), op);
}

} // namespace chokepoint::hw
