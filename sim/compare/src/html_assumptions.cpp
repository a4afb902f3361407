// SPDX-License-Identifier: Apache-2.0
// The table of assumptions: what is alike is said once, and a value stands beside its author's own words.
#include "html_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace chokepoint::sim {
namespace {

/// A key's value of each side; nullptr where a side has none.
struct Row {
    std::string key;
    std::vector<const ResolvedValue*> values;
};

using Wanted = bool (*)(const ResolvedValue&);

bool stated(const ResolvedValue& value) {
    return value.origin == Origin::file || value.origin == Origin::override_;
}
bool of_catalog(const ResolvedValue& value) { return value.origin == Origin::catalog; }
bool of_preset(const ResolvedValue& value) {
    return value.origin == Origin::preset && value.text != "0" && value.text != "none";
}
bool by_default(const ResolvedValue& value) {
    return value.origin == Origin::default_ && value.text != "none" && value.text != "[]";
}

/// Rows of which some side's value is wanted, and none is in `before`.
std::vector<Row> rows_of(const Comparison& comparison, Wanted wanted, Wanted before) {
    std::vector<Row> rows;
    std::map<std::string, std::size_t> place;
    for (std::size_t side = 0; side < comparison.sides.size(); ++side) {
        for (const ResolvedValue& value : comparison.sides[side].scenario.resolved()) {
            if (value.key == "title" || value.key == "question") {
                continue;
            }
            const auto [at, fresh] = place.try_emplace(value.key, rows.size());
            if (fresh) {
                rows.push_back({value.key, {}});
                rows.back().values.resize(comparison.sides.size(), nullptr);
            }
            rows[at->second].values[side] = &value;
        }
    }
    const auto any = [](const Row& row, Wanted of) {
        return std::ranges::any_of(
            row.values, [&](const ResolvedValue* value) { return value != nullptr && of(*value); });
    };
    std::erase_if(
        rows, [&](const Row& row) { return !any(row, wanted) || (before != nullptr && any(row, before)); });
    return rows;
}

std::string text_of(const ResolvedValue* value) { return value == nullptr ? "" : value->text; }

/// The author's comment, or what the catalog cites.
std::string source_of(const HtmlReport& report, std::size_t side, const ResolvedValue& value) {
    if (value.origin == Origin::override_) {
        return "given on the command line";
    }
    if (value.origin != Origin::file) {
        return value.where;
    }
    constexpr std::string_view kUnsaid = "the scenario's own";
    if (side >= report.annotations.size()) {
        return std::string(kUnsaid);
    }
    const auto& beside = report.annotations[side].beside;
    const auto said = beside.find(line_of(value.where));
    return said != beside.end() ? said->second : std::string(kUnsaid);
}

/// "source", or "A, B: source; C: other source".
std::string sources(const HtmlReport& report, const Row& row) {
    std::vector<std::pair<std::string, std::string>> found; // source, letters
    for (std::size_t side = 0; side < row.values.size(); ++side) {
        if (row.values[side] == nullptr) {
            continue;
        }
        const std::string source = source_of(report, side, *row.values[side]);
        const auto known = std::ranges::find(found, source, &std::pair<std::string, std::string>::first);
        if (known == found.end()) {
            found.emplace_back(source, std::string(1, letter(side)));
        } else {
            known->second += fmt::format(", {}", letter(side));
        }
    }
    if (found.size() == 1) {
        return found.front().first;
    }
    std::string out;
    for (const auto& [source, letters] : found) {
        fmt::format_to(std::back_inserter(out), "{}{}: {}", out.empty() ? "" : "; ", letters, source);
    }
    return out;
}

std::string cells(const Row& row) {
    const bool alike = std::ranges::all_of(row.values, [&](const ResolvedValue* value) {
        return text_of(value) == text_of(row.values.front());
    });
    if (alike && row.values.size() > 1) {
        return fmt::format("<td class=\"text\" colspan=\"{}\">{}</td>", row.values.size(),
                           escaped(text_of(row.values.front())));
    }
    std::string out;
    for (const ResolvedValue* value : row.values) {
        fmt::format_to(std::back_inserter(out), "<td class=\"text\">{}</td>", escaped(text_of(value)));
    }
    return out;
}

std::string table(const HtmlReport& report, const std::vector<Row>& rows) {
    const std::size_t sides = report.comparison.sides.size();
    std::string out = "<table class=\"assumptions\">\n<thead><tr><th>key</th>";
    for (std::size_t side = 0; side < sides; ++side) {
        out += sides > 1 ? fmt::format("<th class=\"text\">{}</th>", letter(side))
                         : "<th class=\"text\">value</th>";
    }
    out += "<th class=\"text\">source</th></tr></thead>\n<tbody>\n";
    std::string last;
    for (const Row& row : rows) {
        constexpr std::size_t kLong = 40;
        const std::string source = sources(report, row);
        const bool again = source == last && source.size() > kLong;
        fmt::format_to(std::back_inserter(out), "<tr><td>{}</td>{}<td class=\"text\">{}</td></tr>\n",
                       escaped(row.key), cells(row), again ? "as above" : escaped(source));
        last = source;
    }
    return out + "</tbody>\n</table>\n";
}

/// Shapes of a model that has a name, which one source gives all of: one row of them for each scenario.
std::string shapes(const HtmlReport& report) {
    std::string out;
    std::string last;
    for (std::size_t side = 0; side < report.comparison.sides.size(); ++side) {
        std::string all;
        std::string source;
        for (const ResolvedValue& value : report.comparison.sides[side].scenario.resolved()) {
            if (of_preset(value)) {
                const std::string_view key = value.key;
                fmt::format_to(std::back_inserter(all), "{}{} {}", all.empty() ? "" : ", ",
                               key.substr(key.find('.') + 1), value.text);
                source = value.where;
            }
        }
        if (!all.empty() && all != last) {
            fmt::format_to(std::back_inserter(out), "<p class=\"note\">The model{}: {}.<br>Source: {}</p>\n",
                           report.comparison.sides.size() > 1 ? fmt::format(" of {}", letter(side)) : "",
                           escaped(all), escaped(source));
        }
        last = all;
    }
    return out;
}

/// What numbers in brackets stand for: once for all scenarios that cite the same.
std::string references(const HtmlReport& report) {
    std::vector<std::pair<std::vector<std::string>, std::string>> lists; // references, letters
    for (std::size_t side = 0; side < report.annotations.size(); ++side) {
        const std::vector<std::string>& own = report.annotations[side].references;
        if (own.empty()) {
            continue;
        }
        const auto known = std::ranges::find_if(lists, [&](const auto& list) { return list.first == own; });
        if (known == lists.end()) {
            lists.emplace_back(own, std::string(1, letter(side)));
        } else {
            known->second += fmt::format(", {}", letter(side));
        }
    }
    std::string out;
    for (const auto& [list, letters] : lists) {
        fmt::format_to(std::back_inserter(out), "<p class=\"note\">Cited{}:",
                       report.comparison.sides.size() > 1 ? " by " + letters : "");
        for (const std::string& reference : list) {
            fmt::format_to(std::back_inserter(out), "<br>{}", escaped(reference));
        }
        out += "</p>\n";
    }
    return out;
}

} // namespace

std::string assumptions(const HtmlReport& report) {
    const auto given = [](const ResolvedValue& value) { return stated(value) || of_catalog(value); };
    const Comparison& comparison = report.comparison;
    std::string out = "<h3>What the scenarios say</h3>\n" +
                      table(report, rows_of(comparison, &stated, nullptr)) + references(report) +
                      shapes(report) + "<h3>What the catalog says</h3>\n" +
                      table(report, rows_of(comparison, &of_catalog, &stated));
    const std::vector<Row> defaults = rows_of(comparison, &by_default, given);
    if (!defaults.empty()) {
        out += "<h3>What was left at its default</h3>\n" + table(report, defaults);
    }
    return section("Assumptions", out);
}

} // namespace chokepoint::sim
