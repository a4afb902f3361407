// SPDX-License-Identifier: GPL-3.0-or-later
#include "compare_charts.hpp"

#include "headline_card.hpp"
#include "text.hpp"

#include <algorithm>
#include <map>
#include <ranges>

namespace chokepoint::gui {

namespace {

constexpr double kGiga = 1e9;

using Shares = std::vector<Share> RunResult::*;

/// Bars of named shares; a name missing from a run counts as nothing.
Chart stacked(const std::vector<Compared>& all, Shares shares, double unit, const char* title,
              const char* label) {
    Chart chart;
    chart.kind = ChartKind::stacked_bars;
    chart.title = title;
    chart.legend_right = true;
    chart.y.label = label;
    for (const Compared& one : all) {
        chart.categories.push_back(letter_of(one.number).toStdString());
        for (const Share& share : one.run.*shares) {
            if (std::ranges::find(chart.series, share.name.toStdString(), &Series::name) ==
                chart.series.end()) {
                chart.series.push_back({.name = share.name.toStdString()});
                chart.series.back().style = chart.series.size() - 1; // also when others are left out
            }
        }
    }
    for (Series& series : chart.series) {
        for (const Compared& one : all) {
            const auto& list = one.run.*shares;
            const auto found = std::ranges::find(list, QString::fromStdString(series.name), &Share::name);
            series.values.push_back(found == list.end() ? 0.0 : found->value / unit);
        }
    }
    std::erase_if(chart.series, [](const Series& series) {
        return std::ranges::all_of(series.values, [](double value) { return value == 0.0; });
    });
    return chart;
}

} // namespace

Chart phase_chart(const std::vector<Compared>& all) {
    return stacked(all, &RunResult::phases, 1.0, "Where the step goes, mean over pipeline ranks", "seconds");
}

Chart wait_chart(const std::vector<Compared>& all) {
    return stacked(all, &RunResult::waits, 1.0, "What the step waited for, along the critical path",
                   "seconds");
}

Chart memory_chart(const std::vector<Compared>& all) {
    Chart chart =
        stacked(all, &RunResult::memory, kGiga, "Memory of the fullest rank against capacity", "GB");
    std::map<double, std::string> capacities;
    for (const Compared& one : all) {
        std::string& letters = capacities[one.run.memory_capacity];
        letters += (letters.empty() ? "" : ", ") + letter_of(one.number).toStdString();
    }
    for (const auto& [bytes, letters] : capacities) {
        chart.marks.push_back({bytes / kGiga, bytes_text(bytes).toStdString() + " of " + letters, true});
    }
    return chart;
}

Chart driver_chart(const Compared& one) {
    constexpr std::size_t kShown = 8;
    Chart chart;
    chart.kind = ChartKind::waterfall;
    chart.title = "What the interval of " + letter_of(one.number).toStdString() + "'s step comes from";
    chart.x.label = "seconds, one standard deviation";
    BarPanel panel;
    for (const Share& driver : one.run.drivers | std::views::take(kShown)) {
        panel.bars.push_back({driver.name.toStdString(), 0.0, driver.value, BarKind::range,
                              seconds_text(driver.value).toStdString()});
    }
    if (!panel.bars.empty()) {
        chart.panels.push_back(std::move(panel));
    }
    return chart;
}

} // namespace chokepoint::gui
