// SPDX-License-Identifier: Apache-2.0
// Sets a comparison as HTML.
#include <chokepoint/sim/html_report.hpp>

#include "table.hpp"

#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

namespace chokepoint::sim {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light; }
body { font: 16px/1.5 "DejaVu Sans", Verdana, Arial, sans-serif; color: #202020; background: #fff;
       max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.question { font-size: 1.15rem; color: #444; }
table { border-collapse: collapse; width: 100%; font-size: 0.85rem; margin: 0.6rem 0; }
th, td { border-bottom: 1px solid #ddd; padding: 0.25rem 0.5rem; text-align: right; vertical-align: top; }
th:first-child, td:first-child, td.text { text-align: left; }
td.text { overflow-wrap: anywhere; }
figure { margin: 1rem 0; break-inside: avoid; } figure svg { width: 100%; height: auto; }
figcaption, footer, .note { font-size: 0.85rem; color: #555; }
@page { margin: 15mm; }
@media print { body { font-size: 10pt; margin: 0; max-width: none; padding: 0; }
  h2 { break-after: avoid; } tr, .whole { break-inside: avoid; } thead { display: table-header-group; } }
)css";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

std::string table_row(const std::vector<std::string>& cells, std::string_view tag) {
    std::string out = "<tr>";
    for (const std::string& cell : cells) {
        fmt::format_to(std::back_inserter(out), "<{0}>{1}</{0}>", tag, escaped(cell));
    }
    return out + "</tr>\n";
}

std::string as_html(const Table& table) {
    std::string out =
        "<table class=\"whole\">\n<thead>" + table_row(table.head, "th") + "</thead>\n<tbody>\n";
    for (const std::vector<std::string>& row : table.rows) {
        out += table_row(row, "td");
    }
    return out + "</tbody>\n</table>\n";
}

/// The picture without what only a file of its own begins with.
std::string inlined(std::string_view svg) {
    const std::size_t begin = svg.find("<svg");
    return std::string(begin == std::string_view::npos ? svg : svg.substr(begin));
}

std::string figures(const std::vector<HtmlFigure>& all) {
    std::string out;
    for (const HtmlFigure& figure : all) {
        fmt::format_to(std::back_inserter(out), "<figure>{}<figcaption>{}</figcaption></figure>\n",
                       inlined(figure.svg), escaped(figure.caption));
    }
    return out;
}

std::string text_of(const Scenario& scenario, std::string_view key) {
    const auto found = std::ranges::find(scenario.resolved(), key, &ResolvedValue::key);
    return found == scenario.resolved().end() ? "" : found->text;
}

std::string heading(const Comparison& comparison) {
    std::string out;
    const Scenario& first = comparison.sides.front().scenario;
    fmt::format_to(std::back_inserter(out), "<h1>{}{}</h1>\n", escaped(first.title()),
                   comparison.sides.size() > 1 ? " and what it is held against" : "");
    std::set<std::string> asked;
    for (const Side& side : comparison.sides) {
        const std::string question = text_of(side.scenario, "question");
        if (!question.empty() && question != "none" && asked.insert(question).second) {
            fmt::format_to(std::back_inserter(out), "<p class=\"question\">{}</p>\n", escaped(question));
        }
    }
    return out;
}

std::string range_of(const RunReport& report, Measure measure, double sigma) {
    const auto parts = parts_of(report, measure);
    if (!parts) {
        return "";
    }
    const double centre = sum(*parts);
    const auto [low, high] = interval(centre, sigma);
    return fmt::format("{} {} ({} to {})", label(measure), amount_text(measure, centre),
                       amount_text(measure, low), amount_text(measure, high));
}

std::string answer(const Comparison& comparison) {
    std::string out = "<h2>Answer</h2>\n<ul>\n";
    for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
        const RunReport& report = comparison.sides[i].report;
        const Uncertainty& known = report.uncertainty;
        std::string line = side_line(comparison, i);
        for (const auto& [measure, sigma] : {std::pair(Measure::step_seconds, known.relative_sigma),
                                             std::pair(Measure::gpu_hours, known.gpu_hours_sigma),
                                             std::pair(Measure::usd, known.usd_sigma)}) {
            const std::string said = range_of(report, measure, sigma);
            line += said.empty() ? "" : "; " + said;
        }
        fmt::format_to(std::back_inserter(out), "<li>{}</li>\n", escaped(line));
    }
    out += "</ul>\n<p class=\"note\">In brackets: 5th to 95th percentile.</p>\n";
    return out + as_html(headline_table(comparison));
}

std::string reasons(const HtmlReport& report) {
    const Comparison& comparison = report.comparison;
    if (comparison.sides.size() < 2) {
        return "";
    }
    std::string out =
        "<h2>Where the difference comes from</h2>\n<p>Each bar is what one group of resources changes, "
        "averaged over all orders in which they could be exchanged (Shapley value); bars add up to the "
        "difference.</p>\n" +
        figures(report.waterfall);
    for (std::size_t side = 1; side < comparison.sides.size(); ++side) {
        fmt::format_to(std::back_inserter(out), "<h3>A to {}: {}</h3>\n", letter(side),
                       label(comparison.headline));
        out += as_html(waterfall_table(comparison, side));
        fmt::format_to(std::back_inserter(out), "<p>{}</p>\n", escaped(difference_line(comparison, side)));
    }
    return out;
}

std::string curves(const HtmlReport& report) {
    return report.curves.empty() ? "" : "<h2>How the cost runs</h2>\n" + figures(report.curves);
}

std::string certainty(const HtmlReport& report) {
    std::string out = "<h2>How sure</h2>\n" + figures(report.tornado);
    Table table{{"input", "known to", "a step", "GPU-hours", "dollars"}, {}};
    constexpr std::size_t kListed = 12;
    const RunReport& first = report.comparison.sides.front().report;
    for (const Driver& driver : first.uncertainty.drivers) {
        if (table.rows.size() < kListed || driver.effect.step == hw::Seconds()) {
            table.rows.push_back({driver.input, fmt::format("{:.0f}%", 100.0 * driver.relative_sigma),
                                  hw::to_text(driver.effect.step), hw::group_digits(driver.effect.gpu_hours),
                                  money_text(driver.effect.usd)});
        }
    }
    return out + "<p class=\"note\">What one standard deviation of each input moves, in A.</p>\n" +
           as_html(table);
}

/// Where values come from, those of files, overrides and the catalog: a column for each scenario.
std::string assumptions(const Comparison& comparison) {
    std::vector<std::string> order;
    std::map<std::string, std::map<std::size_t, const ResolvedValue*>> values;
    for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
        for (const ResolvedValue& value : comparison.sides[i].scenario.resolved()) {
            const bool said = value.origin == Origin::file || value.origin == Origin::override_ ||
                              value.origin == Origin::catalog;
            if (said && value.key != "title" && value.key != "question") {
                if (!values.contains(value.key)) {
                    order.push_back(value.key);
                }
                values[value.key][i] = &value;
            }
        }
    }
    std::string out = "<h2>Assumptions</h2>\n<table>\n<thead><tr><th>key</th>";
    for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
        fmt::format_to(std::back_inserter(out), "<th>{}</th>", letter(i));
    }
    out += "<th>source</th></tr></thead>\n<tbody>\n";
    for (const std::string& key : order) {
        fmt::format_to(std::back_inserter(out), "<tr><td>{}</td>", escaped(key));
        const auto& said = values.at(key);
        for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
            const auto found = said.find(i);
            fmt::format_to(std::back_inserter(out), "<td class=\"text\">{}</td>",
                           found == said.end() ? "" : escaped(found->second->text));
        }
        fmt::format_to(std::back_inserter(out), "<td class=\"text\">{}</td></tr>\n",
                       escaped(said.begin()->second->where));
    }
    return out + "</tbody>\n</table>\n";
}

std::string notes(const Comparison& comparison) {
    std::set<std::string> said;
    for (const Side& side : comparison.sides) {
        for (const std::string& figure : side.report.estimates) {
            said.insert("an estimate, without a good source: " + figure);
        }
        if (side.report.cost) {
            said.insert(side.report.cost->notes.begin(), side.report.cost->notes.end());
        }
    }
    if (said.empty()) {
        return "";
    }
    std::string out = "<ul class=\"note\">\n";
    for (const std::string& note : said) {
        fmt::format_to(std::back_inserter(out), "<li>{}</li>\n", escaped(note));
    }
    return out + "</ul>\n";
}

std::string validation(const std::vector<NearRun>& near) {
    if (near.empty()) {
        return "";
    }
    Table table{{"published run", "source", "measured", "predicted", "error"}, {}};
    for (const auto& [run, prediction] : near) {
        const auto seconds = [](const std::optional<hw::Seconds>& time) {
            return time ? hw::to_text(*time) : std::string("-");
        };
        const auto error = prediction.error();
        table.rows.push_back({run.id, run.source, seconds(prediction.measured), seconds(prediction.predicted),
                              error ? fmt::format("{:+.1f}%", 100.0 * *error) : prediction.reason});
    }
    return "<h2>How far off the program was on the nearest published runs</h2>\n<p class=\"note\">Step "
           "times. No "
           "constant of the program was fitted to any of them.</p>\n" +
           as_html(table);
}

/// How much a published run is like a scenario.
int likeness(const PublishedRun& run, const Scenario& scenario) {
    const auto same = [&](const char* key) {
        return !run.key(key).empty() && run.key(key) == text_of(scenario, key) ? 1 : 0;
    };
    constexpr int kModel = 8, kPart = 4, kPrecision = 2;
    return kModel * same("model.arch") + kPart * same("cluster.gpu") + kPrecision * same("plan.precision") +
           same("plan.schedule");
}

} // namespace

std::vector<PublishedRun> nearest_runs(const Comparison& comparison, const std::vector<PublishedRun>& runs,
                                       std::size_t most) {
    std::vector<std::pair<int, const PublishedRun*>> ranked;
    for (const PublishedRun& run : runs) {
        int best = 0;
        for (const Side& side : comparison.sides) {
            best = std::max(best, likeness(run, side.scenario));
        }
        if (run.score != Score::hold && best > 0) {
            ranked.emplace_back(best, &run);
        }
    }
    std::ranges::stable_sort(ranked, std::greater{}, &std::pair<int, const PublishedRun*>::first);
    std::vector<PublishedRun> nearest;
    for (std::size_t i = 0; i < std::min(most, ranked.size()); ++i) {
        nearest.push_back(*ranked[i].second);
    }
    return nearest;
}

std::string to_html(const HtmlReport& report) {
    const Comparison& comparison = report.comparison;
    return fmt::format("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}{}{}{}{}{}{}{}"
                       "<footer>{}; catalog {}</footer>\n</body>\n</html>\n",
                       escaped(comparison.sides.front().scenario.title()), kStyle, heading(comparison),
                       answer(comparison), reasons(report), curves(report), certainty(report), validation(report.near),
                       assumptions(comparison), notes(comparison), escaped(report.program),
                       comparison.sides.front().scenario.catalog_hash());
}

} // namespace chokepoint::sim
