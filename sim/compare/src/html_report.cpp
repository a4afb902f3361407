// SPDX-License-Identifier: Apache-2.0
// Sets a comparison as HTML.
#include <chokepoint/sim/html_report.hpp>

#include "html_text.hpp"

#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

namespace chokepoint::sim {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light; }
body { font: 16px/1.5 "DejaVu Sans", Verdana, Arial, sans-serif; color: #202020; background: #fff;
       max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2rem; }
h3 { font-size: 1rem; }
.question { font-size: 1.1rem; color: #444; margin: 0.2rem 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.85rem; margin: 0.6rem 0; }
th, td { border-bottom: 1px solid #ddd; padding: 0.25rem 0.5rem; text-align: right; vertical-align: top; }
td { white-space: nowrap; } td:first-child, td.text { white-space: normal; }
th:first-child, td:first-child, .text { text-align: left; }
small { color: #555; }
table.assumptions { font-size: 0.75rem; } table.assumptions td.text:last-child { width: 45%; }
td.text:last-child { overflow-wrap: anywhere; }
figure { margin: 1rem 0; break-inside: avoid; } figure svg { width: 100%; height: auto; }
figcaption, footer, .note { font-size: 0.85rem; color: #555; }
@page { margin: 15mm; }
@media print { body { font-size: 9pt; margin: 0; max-width: none; padding: 0; }
  table { font-size: 7.5pt; } table.assumptions { font-size: 6.5pt; } th, td { padding: 0.6mm 1.2mm; }
  h2, h3, h2 + .note, h2 + p { break-after: avoid; } tr, .whole { break-inside: avoid; } thead { display: table-header-group; } }
)css";

std::string text_of(const Scenario& scenario, std::string_view key) {
    const auto found = std::ranges::find(scenario.resolved(), key, &ResolvedValue::key);
    return found == scenario.resolved().end() ? "" : found->text;
}

std::string heading(const Comparison& comparison) {
    std::string out;
    fmt::format_to(std::back_inserter(out), "<h1>{}{}</h1>\n",
                   escaped(comparison.sides.front().scenario.title()),
                   comparison.sides.size() > 1 ? " and what it is held against" : "");
    std::set<std::string> asked;
    for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
        const std::string question = text_of(comparison.sides[i].scenario, "question");
        if (!question.empty() && question != "none" && asked.insert(question).second) {
            const std::string whose = comparison.sides.size() > 1 ? fmt::format("{}: ", letter(i)) : "";
            fmt::format_to(std::back_inserter(out), "<p class=\"question\">{}{}</p>\n", whose,
                           escaped(question));
        }
    }
    return out;
}

/// "2,531,635", and below it "2,316,628 to 2,766,598"; "-" where the report does not know.
std::string with_interval(const RunReport& report, Measure measure) {
    const auto parts = parts_of(report, measure);
    if (!parts) {
        return "-";
    }
    const double centre = sum(*parts);
    const auto [low, middle, high] = percentiles(drawn(report, measure));
    return fmt::format("{}\n{} to {}", amount_text(measure, centre, high), amount_text(measure, low, high),
                       amount_text(measure, high, high));
}

/// One of the sides' rows.
template <class Text> void add_row(Table& table, const Comparison& comparison, std::string name, Text text) {
    std::vector<std::string> row{std::move(name)};
    for (const Side& side : comparison.sides) {
        row.push_back(text(side.report));
    }
    if (std::ranges::any_of(row.begin() + 1, row.end(),
                            [](const std::string& cell) { return cell != "-"; })) {
        table.rows.push_back(std::move(row));
    }
}

Table side_columns(const Comparison& comparison) {
    Table table{{""}, {}};
    for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
        table.head.push_back(comparison.sides.size() > 1
                                 ? fmt::format("{}: {}", letter(i), comparison.sides[i].report.gpu)
                                 : comparison.sides[i].report.gpu);
    }
    return table;
}

std::string campaign_dates(const CampaignReport& campaign) {
    if (!campaign.first_day || !campaign.last_day) {
        return "-";
    }
    const Day last =
        campaign.failures && campaign.failures->last_day ? *campaign.failures->last_day : *campaign.last_day;
    return fmt::format("{}\n{}", to_text(*campaign.first_day), to_text(last));
}

/// What each scenario comes to: a column for each.
Table figures_table(const Comparison& comparison) {
    Table table = side_columns(comparison);
    const auto row = [&](std::string name, auto text) { add_row(table, comparison, std::move(name), text); };
    const auto of_campaign = [&](std::string name, auto text) {
        row(std::move(name), [text](const RunReport& r) { return r.campaign ? text(*r.campaign) : "-"; });
    };
    row("GPUs", [](const RunReport& r) { return hw::group_digits(r.gpus); });
    row("step", [](const RunReport& r) { return with_interval(r, Measure::step_seconds); });
    row("tokens/s per GPU",
        [](const RunReport& r) { return fmt::format("{:.0f}", r.step.tokens_per_second_per_gpu); });
    row("MFU, causal, of BF16 peak",
        [](const RunReport& r) { return fmt::format("{:.1f}%", 100.0 * r.step.mfu_causal); });
    of_campaign("tokens of the campaign", [](const CampaignReport& c) { return count_text(c.tokens); });
    row("days", [](const RunReport& r) { return with_interval(r, Measure::days); });
    of_campaign("from, to", &campaign_dates);
    row("GPU-hours", [](const RunReport& r) { return with_interval(r, Measure::gpu_hours); });
    of_campaign("of them without interruptions", [](const CampaignReport& c) {
        return c.failures ? hw::group_digits(c.gpu_hours) : std::string("-");
    });
    of_campaign("effective training time", [](const CampaignReport& c) {
        return c.failures ? fmt::format("{:.1f}%", 100.0 * c.goodput) : std::string("-");
    });
    row("cost, million USD", [](const RunReport& r) {
        if (!r.cost || !r.cost->campaign) {
            return std::string("-");
        }
        constexpr double kMillion = 1e6;
        const auto [low, middle, high] = r.uncertainty.usd;
        return fmt::format("{:.3f}\n{:.3f} to {:.3f}", r.cost->campaign->value() / kMillion, low / kMillion,
                           high / kMillion);
    });
    row("USD per GPU-hour", [](const RunReport& r) {
        return r.cost ? fmt::format("{:.2f}", (r.cost->price * hw::kHour).value()) : std::string("-");
    });
    constexpr hw::Joules kMegawattHour{3.6e9};
    row("energy, MWh", [](const RunReport& r) {
        return r.energy && r.energy->campaign ? hw::group_digits(*r.energy->campaign / kMegawattHour) : "-";
    });
    row("peak power, MW", [](const RunReport& r) {
        return r.energy ? fmt::format("{:.2f}", r.energy->peak.value() / 1e6) : std::string("-");
    });
    row("carbon, t CO2e", [](const RunReport& r) {
        return r.energy && r.energy->co2 ? hw::group_digits(r.energy->co2->value() / 1e3) : "-";
    });
    return table;
}

/// "B costs 1.3% more than A …, which may be either way."
std::string verdict(const Comparison& comparison, std::size_t side) {
    const Difference& difference = headline_difference(comparison, side);
    const Waterfall& waterfall = headline_waterfall(comparison, side);
    const Measure measure = comparison.headline;
    const double largest = largest_amount(waterfall);
    const double from = sum(waterfall.from);
    const auto [low, middle, high] = difference.percentiles;
    const std::string_view sure = low > 0.0    ? "more, with 95% confidence"
                                  : high < 0.0 ? "less, with 95% confidence"
                                               : "so it may be either way";
    const std::string change =
        difference.centre == 0.0 || from <= 0.0
            ? "as much as"
            : fmt::format("{:.1f}% {} than", 100.0 * std::abs(difference.centre / from),
                          difference.centre > 0.0 ? "more" : "less");
    return fmt::format("{}; {}: {}, {} A's {}. The difference is {} to {} (5th to 95th percentile; an "
                       "input that both share moves both): {}.",
                       side_line(comparison, side), label(measure),
                       amount_text(measure, sum(waterfall.to), largest), change,
                       amount_text(measure, from, largest), change_text(measure, low, largest),
                       change_text(measure, high, largest), sure);
}

/// What dollars are and what is not in them.
std::string money_notes(const Comparison& comparison) {
    std::set<std::string> said;
    for (const Side& side : comparison.sides) {
        if (side.report.cost) {
            said.insert(side.report.cost->notes.begin(), side.report.cost->notes.end());
        }
    }
    std::string out;
    for (const std::string& note : said) {
        fmt::format_to(std::back_inserter(out), "<br>{}", escaped(note));
    }
    return out.empty() ? "" : "<br>Cost:" + out;
}

std::string answer(const Comparison& comparison) {
    std::string out;
    if (comparison.sides.size() > 1) {
        out = "<ul>\n";
        for (std::size_t side = 1; side < comparison.sides.size(); ++side) {
            fmt::format_to(std::back_inserter(out), "<li>{}</li>\n", escaped(verdict(comparison, side)));
        }
        out += "</ul>\n";
    }
    out += as_html(figures_table(comparison));
    return section("Answer", out + "<p class=\"note\">Below a figure: its 5th to 95th percentile." +
                                 money_notes(comparison) + "</p>\n");
}

/// The items of the cost, where they are counted: a column for each scenario.
std::string money(const Comparison& comparison) {
    std::vector<std::string> names;
    for (const Side& side : comparison.sides) {
        for (const CostItem& item : side.report.cost ? side.report.cost->items : std::vector<CostItem>{}) {
            if (std::ranges::find(names, item.name) == names.end()) {
                names.push_back(item.name);
            }
        }
    }
    if (names.empty()) {
        return "";
    }
    Table table = side_columns(comparison);
    constexpr double kMillion = 1e6;
    const auto range = [](const UsdRange& usd) {
        return usd.low == usd.high ? fmt::format("{:.3f}", usd.mid.value() / kMillion)
                                   : fmt::format("{:.3f}\n{:.3f} to {:.3f}", usd.mid.value() / kMillion,
                                                 usd.low.value() / kMillion, usd.high.value() / kMillion);
    };
    for (const std::string& name : names) {
        add_row(table, comparison, name, [&](const RunReport& r) -> std::string {
            const std::vector<CostItem> items = r.cost ? r.cost->items : std::vector<CostItem>{};
            const auto item = std::ranges::find(items, name, &CostItem::name);
            return item == items.end() ? "-" : range(item->usd);
        });
    }
    add_row(table, comparison, "in all", [&](const RunReport& r) -> std::string {
        return r.cost && r.cost->range ? range(*r.cost->range) : "-";
    });
    std::set<std::string> titles;
    for (const Side& side : comparison.sides) {
        if (side.report.cost && side.report.cost->range) {
            titles.insert(side.report.cost->title);
        }
    }
    std::string how;
    for (const std::string& title : titles) {
        how += (how.empty() ? "" : "; ") + title;
    }
    return section(
        "What the money goes to",
        fmt::format("<p class=\"note\">Million USD; {}. Below a figure: at the lowest and the highest known "
                    "price of the accelerator or its rent.</p>\n",
                    escaped(how)) +
            as_html(table));
}

std::string reasons(const HtmlReport& report) {
    const Comparison& comparison = report.comparison;
    if (comparison.sides.size() < 2) {
        return "";
    }
    std::string out =
        "<p>Each bar is what one group of resources changes, averaged over all orders in which they "
        "could be exchanged (Shapley value); bars add up to the difference.</p>\n" +
        figures(report.waterfall);
    for (std::size_t side = 1; side < comparison.sides.size(); ++side) {
        fmt::format_to(std::back_inserter(out),
                       "<div class=\"whole\"><h3>A to {}: {}</h3>\n{}<p>{}</p></div>\n", letter(side),
                       label(comparison.headline), as_html(waterfall_table(comparison, side)),
                       escaped(difference_line(comparison, side)));
    }
    return section("Where the difference comes from", out);
}

std::string curves(const HtmlReport& report) {
    return report.curves.empty() ? "" : section("How the cost runs", figures(report.curves));
}

std::string certainty(const HtmlReport& report) {
    Table table{{"input", "known to", "a step", "GPU-hours", "dollars"}, {}};
    constexpr std::size_t kListed = 12;
    const RunReport& first = report.comparison.sides.front().report;
    const auto ends = [](Measure measure, double below, double above) {
        const auto text = [&](double moved) {
            return std::isinf(moved) ? std::string("never ends") : change_text(measure, moved, 0.0);
        };
        return below == 0.0 && above == 0.0 ? std::string("-")
                                            : fmt::format("{}\n{}", text(below), text(above));
    };
    for (const Driver& driver : first.uncertainty.drivers) {
        if (table.rows.size() < kListed) {
            const auto& [low, high] = driver.ends;
            table.rows.push_back({driver.input, fmt::format("{:.0f}%", 100.0 * driver.relative_sigma),
                                  ends(Measure::step_seconds, low.step.value(), high.step.value()),
                                  ends(Measure::gpu_hours, low.gpu_hours, high.gpu_hours),
                                  ends(Measure::usd, low.usd.value(), high.usd.value())});
        }
    }
    return section(
        "How sure",
        figures(report.tornado) +
            "<p class=\"note\">What each input changes, one standard deviation either way, in A; the "
            "largest.</p>\n" +
            as_html(table));
}

/// Figures of the parts that no good source stands behind.
std::string estimates(const Comparison& comparison) {
    std::set<std::string> said;
    for (const Side& side : comparison.sides) {
        said.insert(side.report.estimates.begin(), side.report.estimates.end());
    }
    if (said.empty()) {
        return "";
    }
    std::string out = "<p class=\"note\">Estimates, without a good source:";
    for (const std::string& figure : said) {
        fmt::format_to(std::back_inserter(out), "<br>{}", escaped(figure));
    }
    return out + "</p>\n";
}

/// How much of each side's kernel time no measurement of its part covers.
std::string extrapolated(const Comparison& comparison) {
    std::string out;
    for (std::size_t side = 0; side < comparison.sides.size(); ++side) {
        const std::string text = extrapolated_text(comparison.sides[side].report);
        if (!text.empty()) {
            fmt::format_to(std::back_inserter(out), "<br>{}: {}", letter(side), escaped(text));
        }
    }
    return out.empty() ? "" : "<p class=\"note\">Outside what was measured on the part:" + out + "</p>\n";
}

std::string validation(const std::vector<NearRun>& near) {
    if (near.empty()) {
        return "";
    }
    std::string out =
        "<p class=\"note\">Step times, of the published runs that are most like these scenarios. Each "
        "is simulated from what its source says, with the program's defaults for the rest, and so "
        "may differ from a scenario of the same run that knows more. Of the program's constants two "
        "rest on such runs: the default of plan.framework_overhead and the rate of NCCL's all-to-all "
        "between nodes.</p>\n<table>\n<thead><tr><th>published run</th><th "
        "class=\"text\">source</th><th>measured</th><th>predicted</th><th>error</th></tr></thead>\n"
        "<tbody>\n";
    const auto seconds = [](const std::optional<hw::Seconds>& time) {
        return time ? hw::to_text(*time) : std::string("-");
    };
    for (const auto& [run, prediction] : near) {
        const auto error = prediction.error();
        fmt::format_to(
            std::back_inserter(out),
            "<tr><td class=\"text\">{}</td><td class=\"text\">{}</td><td>{}</td><td>{}</td><td>{}</td>"
            "</tr>\n",
            escaped(run.id), escaped(run.source), seconds(prediction.measured), seconds(prediction.predicted),
            escaped(error ? fmt::format("{:+.1f}%", 100.0 * *error) : prediction.reason));
    }
    return "<div class=\"whole\">" +
           section("How far off the program was on the nearest published runs", out + "</tbody>\n</table>") +
           "</div>\n";
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
    std::string out = fmt::format("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                                  "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
                                  escaped(comparison.sides.front().scenario.title()), kStyle);
    for (const std::string& part :
         {heading(comparison), answer(comparison), reasons(report), hours(comparison), money(comparison),
          curves(report), certainty(report), validation(report.near), assumptions(report),
          estimates(comparison), extrapolated(comparison)}) {
        out += part;
    }
    return out + fmt::format("<footer>{}; catalog {}</footer>\n</body>\n</html>\n", escaped(report.program),
                             comparison.sides.front().scenario.catalog_hash());
}

} // namespace chokepoint::sim
