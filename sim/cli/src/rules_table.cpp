// SPDX-License-Identifier: Apache-2.0
// Keeps columns narrow: units stand in the header, verdicts are single words.
#include "rules_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string_view>

namespace chokepoint::cli {

namespace {

struct Word {
    hw::Ruling ruling;
    std::string_view word;
    std::string_view meaning;
};

constexpr std::array kWords{
    Word{hw::Ruling::free, "free", "no licence needed under this rule"},
    Word{hw::Ruling::licence, "licence", "a licence is required"},
    Word{hw::Ruling::case_by_case, "review", "licence applications are reviewed case by case"},
    Word{hw::Ruling::presumption_of_denial, "denial", "licence applications are presumed to be denied"},
    Word{hw::Ruling::not_applicable, "n/a", "the rule does not speak of such a part"},
    Word{hw::Ruling::undetermined, "unknown", ""},
};

const Word& word_for(hw::Ruling ruling) { return *std::ranges::find(kWords, ruling, &Word::ruling); }

struct Column {
    hw::Figure figure;
    std::string_view above, below; ///< of its header
    int width;
    double unit;
};
constexpr std::array kColumns{
    Column{hw::Figure::tpp, "", "TPP", 6, 1.0},
    Column{hw::Figure::performance_density, "TPP/", "mm2", 5, 1.0},
    Column{hw::Figure::aggregate_io, "I/O", "GB/s", 5, 1e9},
    Column{hw::Figure::memory_bandwidth, "mem.", "TB/s", 5, 1e12},
};

std::string figure_text(const hw::GpuSpec& part, const Column& column) {
    const auto value = hw::figure_of(part, column.figure);
    if (!value) {
        return "?";
    }
    const double shown = *value / column.unit;
    return column.figure == hw::Figure::performance_density ? fmt::format("{:.2f}", shown)
           : column.figure == hw::Figure::memory_bandwidth  ? fmt::format("{:.4g}", shown)
                                                            : hw::group_digits(shown);
}

/// "us-2023-10a" in two lines: "us-" and "2023-10a".
std::pair<std::string, std::string> header_of(const hw::Rule& rule) {
    const auto dash = rule.id.find('-');
    return dash == std::string::npos || dash + 1 == rule.id.size()
               ? std::pair(std::string(), rule.id)
               : std::pair(rule.id.substr(0, dash + 1), rule.id.substr(dash + 1));
}

class Table {
public:
    Table(const std::vector<const hw::GpuSpec*>& parts, std::span<const hw::Rule> rules) : parts_(parts) {
        for (const hw::Rule& rule : rules) {
            const bool speaks = std::ranges::any_of(parts, [&](const hw::GpuSpec* part) {
                return hw::classify(rule, *part).ruling != hw::Ruling::not_applicable;
            });
            (speaks ? shown_ : silent_).push_back(&rule);
        }
        for (const hw::GpuSpec* part : parts) {
            widest_ = std::max(widest_, part->id.size());
        }
    }

    std::string take() {
        header();
        for (const hw::GpuSpec* part : parts_) {
            row(*part);
        }
        legend();
        return std::move(out_);
    }

private:
    template <class... Arguments> void add(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
        fmt::format_to(std::back_inserter(out_), text, std::forward<Arguments>(arguments)...);
    }
    void end_line() {
        out_.erase(out_.find_last_not_of(' ') + 1);
        out_ += '\n';
    }
    static std::size_t width(const hw::Rule& rule) {
        constexpr std::size_t kLongestWord = 7;
        return std::max(header_of(rule).second.size(), kLongestWord);
    }

    void header() {
        for (const bool above : {true, false}) {
            add("{:<{}}", above ? "" : "part", widest_);
            for (const Column& column : kColumns) {
                add(" {:>{}}", above ? column.above : column.below, column.width);
            }
            for (const hw::Rule* rule : shown_) {
                const auto [first, second] = header_of(*rule);
                add("  {:<{}}", above ? first : second, width(*rule));
            }
            end_line();
        }
    }

    void row(const hw::GpuSpec& part) {
        add("{:<{}}", part.id, widest_);
        for (const Column& column : kColumns) {
            add(" {:>{}}", figure_text(part, column), column.width);
        }
        for (const hw::Rule* rule : shown_) {
            const hw::Verdict verdict = hw::classify(*rule, part);
            used_.insert(verdict.ruling);
            wanting_.insert(verdict.missing.begin(), verdict.missing.end());
            add("  {:<{}}", word_for(verdict.ruling).word, width(*rule));
        }
        end_line();
    }

    void legend() {
        out_ += '\n';
        for (const Word& word : kWords) {
            if (!used_.contains(word.ruling) || word.meaning.empty()) {
                continue;
            }
            add("{:<8} {}\n", word.word, word.meaning);
        }
        for (const std::string& key : wanting_) {
            add("unknown  the part's file has no {} with a good source\n", key);
        }
        for (const hw::Rule* rule : silent_) {
            add("{} speaks of none of these parts\n", rule->id);
        }
        for (const hw::Rule* rule : shown_) {
            if (rule->until) {
                add("{} ended on {}\n", rule->id, *rule->until);
            }
        }
    }

    const std::vector<const hw::GpuSpec*>& parts_;
    std::vector<const hw::Rule*> shown_, silent_;
    std::size_t widest_ = 4; // "part"
    std::set<hw::Ruling> used_;
    std::set<std::string> wanting_; ///< keys for want of which a verdict is unknown
    std::string out_;
};

std::string margin_text(const hw::Margin& margin) {
    const hw::Threshold& threshold = margin.threshold;
    return fmt::format("{} {} {}: {}{}", hw::name(threshold.figure), hw::name(threshold.bound),
                       hw::to_text(threshold.figure, threshold.limit),
                       margin.value ? hw::to_text(threshold.figure, *margin.value) : "unknown",
                       margin.ratio ? fmt::format(", {:.2f} of the threshold", *margin.ratio) : "");
}

} // namespace

std::string rules_table(const std::vector<const hw::GpuSpec*>& parts, std::span<const hw::Rule> rules) {
    return Table(parts, rules).take();
}

/// "tpp at_least 4,800; or tpp at_least 1,600 and performance_density at_least 5.92".
std::string conditions_text(const std::vector<hw::Conjunction>& alternatives) {
    std::vector<std::string> any;
    for (const hw::Conjunction& conjunction : alternatives) {
        std::vector<std::string> all;
        for (const hw::Threshold& threshold : conjunction) {
            all.push_back(fmt::format("{} {} {}", hw::name(threshold.figure), hw::name(threshold.bound),
                                      hw::to_text(threshold.figure, threshold.limit)));
        }
        any.push_back(fmt::format("{}", fmt::join(all, " and ")));
    }
    return fmt::format("{}", fmt::join(any, "; or "));
}

std::string margins_text(const hw::GpuSpec& part, std::span<const hw::Rule> rules) {
    std::string out;
    for (const hw::Rule& rule : rules) {
        const hw::Verdict verdict = hw::classify(rule, part);
        fmt::format_to(std::back_inserter(out), "\n{}: {} ({}, from {}{})\n", rule.id,
                       hw::name(verdict.ruling), rule.instrument, rule.effective,
                       rule.until ? " until " + *rule.until : "");
        fmt::format_to(std::back_inserter(out), "  {} where {}; else {}\n", hw::name(rule.consequence),
                       conditions_text(rule.alternatives), hw::name(rule.otherwise));
        for (const hw::Margin& margin : verdict.margins) {
            fmt::format_to(std::back_inserter(out), "  {}\n", margin_text(margin));
        }
        if (!verdict.missing.empty()) {
            fmt::format_to(std::back_inserter(out), "  missing: {}\n", fmt::join(verdict.missing, ", "));
        }
        if (rule.note) {
            fmt::format_to(std::back_inserter(out), "  note: {}\n", *rule.note);
        }
    }
    return out;
}

} // namespace chokepoint::cli
