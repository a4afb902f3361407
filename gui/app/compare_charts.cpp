// SPDX-License-Identifier: GPL-3.0-or-later
#include "compare_charts.hpp"

#include "headline_card.hpp"
#include "text.hpp"

#include <algorithm>
#include <cmath>
#include <map>

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

/// Axis labels are rich text: a long one breaks at the space nearest its middle.
std::string in_two_lines(std::string name) {
    constexpr std::size_t kLong = 10;
    std::size_t best = std::string::npos;
    const auto off = [&](std::size_t at) {
        return std::abs(2.0 * static_cast<double>(at) - static_cast<double>(name.size()));
    };
    for (std::size_t at = name.find(' '); at != std::string::npos; at = name.find(' ', at + 1)) {
        best = best == std::string::npos || off(at) < off(best) ? at : best;
    }
    if (name.size() > kLong && best != std::string::npos) {
        name.replace(best, 1, "<br>");
    }
    return name;
}

/// A chart of solid bars with names below them; every bar reaches from one height to another.
class Floating {
public:
    Floating(std::string title, std::string label) {
        chart_.kind = ChartKind::line;
        chart_.title = std::move(title);
        chart_.y.label = std::move(label);
    }
    void add(const std::string& name, double from, double to, std::size_t color, const std::string& text) {
        const double at = static_cast<double>(chart_.regions.size());
        constexpr double kHalfWidth = 0.32;
        chart_.regions.push_back({.left = at - kHalfWidth,
                                  .right = at + kHalfWidth,
                                  .bottom = std::min(from, to),
                                  .top = std::max(from, to),
                                  .color = color,
                                  .solid = true});
        chart_.x.ticks.push_back(at);
        chart_.x.tick_labels.push_back(in_two_lines(name));
        Series corner{
            .points = {{at, std::max(from, to)}, {at, std::min(from, to)}}, .labels = {text}, .plain = true};
        chart_.series.push_back(std::move(corner));
    }
    Chart done() {
        chart_.x.from = -0.6;
        chart_.x.to = static_cast<double>(chart_.regions.size()) - 0.4;
        return std::move(chart_);
    }

private:
    Chart chart_;
};

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

Chart difference_chart(const Compared& a, const Compared& b) {
    const std::string from = letter_of(a.number).toStdString();
    const std::string to = letter_of(b.number).toStdString();
    Floating floating("From " + from + "'s step to " + to + "'s, by what the critical path waited for",
                      "seconds more than " + from);
    std::map<QString, double> difference;
    for (const Share& wait : b.run.waits) {
        difference[wait.name] += wait.value;
    }
    for (const Share& wait : a.run.waits) {
        difference[wait.name] -= wait.value;
    }
    std::vector<std::pair<QString, double>> largest(difference.begin(), difference.end());
    std::ranges::sort(largest,
                      [](const auto& l, const auto& r) { return std::abs(l.second) > std::abs(r.second); });
    // Beyond the largest few the bars are too small to tell apart.
    constexpr std::size_t kShown = 5;
    constexpr std::size_t kLonger = 1, kShorter = 2, kWhole = 0;
    double reached = 0.0, others = 0.0;
    const auto add = [&](const std::string& name, double by) {
        floating.add(name, reached, reached + by, by > 0.0 ? kLonger : kShorter,
                     (by > 0.0 ? "+" : "-") + seconds_text(std::abs(by)).toStdString());
        reached += by;
    };
    for (std::size_t i = 0; i < largest.size(); ++i) {
        if (i < kShown && largest[i].second != 0.0) {
            add(largest[i].first.toStdString(), largest[i].second);
        } else {
            others += largest[i].second;
        }
    }
    if (others != 0.0) {
        add("others", others);
    }
    floating.add(to + " - " + from, 0.0, reached, kWhole,
                 (reached > 0.0 ? "+" : "-") + seconds_text(std::abs(reached)).toStdString());
    return floating.done();
}

Chart driver_chart(const Compared& one) {
    Floating floating("What the interval of " + letter_of(one.number).toStdString() + "'s step comes from",
                      "seconds, one standard deviation");
    constexpr std::size_t kShown = 6;
    for (std::size_t i = 0; i < std::min(kShown, one.run.drivers.size()); ++i) {
        const Share& driver = one.run.drivers[i];
        floating.add(driver.name.toStdString(), 0.0, driver.value, 0,
                     seconds_text(driver.value).toStdString());
    }
    return floating.done();
}

} // namespace chokepoint::gui
