// SPDX-License-Identifier: GPL-3.0-or-later
#include "rules_chart.hpp"

#include <QJsonArray>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

namespace chokepoint::gui {

namespace {

/// From mild to severe. What is not known may be a licence; what is known to be one is.
constexpr std::array kSeverities{"free", "case by case", "undetermined", "licence", "presumption of denial"};

// As series_color numbers them: each ruling keeps its colour and shape from day to day.
constexpr std::array<std::size_t, kSeverities.size()> kStyles{0, 4, 2, 1, 3};
constexpr std::size_t kChosenStyle = 6;

/// Of a ruling, or of what a rule brings, its place among kSeverities; that of "free" for any other word.
std::size_t severity_of(const QString& ruling) {
    const auto* const found = std::ranges::find(kSeverities, QString(ruling).replace('_', ' ').toStdString(),
                                                [](const char* name) { return std::string(name); });
    return found == kSeverities.end() ? 0 : static_cast<std::size_t>(found - kSeverities.begin());
}

/// Of the severest ruling on a part.
std::size_t severity_of(const QJsonValue& part) {
    std::size_t most = 0;
    for (const QJsonValue& verdict : part["verdicts"].toArray()) {
        most = std::max(most, severity_of(verdict["ruling"].toString()));
    }
    return most;
}

/// The box that a conjunction cuts out of the plane; nothing if it speaks of other figures too.
std::optional<Region> region_of(const QJsonArray& thresholds, const QString& figure, double scale) {
    Region region;
    for (const QJsonValue& threshold : thresholds) {
        const bool across = threshold["figure"] == "tpp";
        if (!across && threshold["figure"].toString() != figure) {
            return std::nullopt;
        }
        const QString bound = threshold["bound"].toString();
        const double limit = threshold["limit"].toDouble() * (across ? 1.0 : scale);
        const bool low = bound == "at_least" || bound == "above";
        auto& side = across ? (low ? region.left : region.right) : (low ? region.bottom : region.top);
        side = limit;
    }
    return region;
}

} // namespace

double part_figure(const QJsonValue& part, const QString& figure) {
    return part["figures"][figure].toDouble(NAN);
}

Chart rules_chart(const QJsonObject& rules, const QString& figure, const std::string& title,
                  const std::string& label, double scale, const QString& chosen) {
    Chart chart;
    chart.kind = ChartKind::scatter;
    chart.title = title;
    chart.x = {.label = "TPP, TOPS × bits of an operation", .log = true};
    chart.y = {.label = label, .log = true};
    for (const QJsonValue& rule : rules.value("rules").toArray()) {
        const QString consequence = rule["consequence"].toString();
        // Named once, however many regions it cuts out.
        std::string name =
            (rule["rule"].toString() + ": " + QString(consequence).replace('_', ' ')).toStdString();
        for (const QJsonValue& alternative : rule["alternatives"].toArray()) {
            if (auto region = region_of(alternative.toArray(), figure, scale)) {
                region->label = std::exchange(name, {});
                region->color = kStyles[severity_of(consequence)];
                chart.regions.push_back(*region);
            }
        }
    }
    // Parts by the severest ruling on them.
    std::array<Series, kSeverities.size()> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i].name = kSeverities[i];
        parts[i].style = kStyles[i];
    }
    Series marked{.name = chosen.toStdString()};
    marked.style = kChosenStyle;
    marked.ringed = figure == "aggregate_io"; // the plane in which it is capped
    for (const QJsonValue& part : rules.value("parts").toArray()) {
        const double x = part_figure(part, "tpp");
        const double y = part_figure(part, figure) * scale;
        if (!(x > 0.0) || !(y > 0.0)) {
            continue;
        }
        const std::string id = part["part"].toString().toStdString();
        Series& series = part["part"].toString() == chosen ? marked : parts[severity_of(part)];
        series.points.push_back({x, y});
        series.labels.push_back(id);
        series.notes.push_back(id);
    }
    for (Series& series : parts) {
        if (!series.points.empty()) {
            chart.series.push_back(std::move(series));
        }
    }
    if (!marked.points.empty()) {
        chart.series.push_back(std::move(marked));
    }
    return chart;
}

QStringList days_of(const QJsonObject& rules) {
    std::set<QString> days;
    for (const QJsonValue& rule : rules.value("rules").toArray()) {
        days.insert(rule["effective"].toString());
        if (rule["until"].isString()) {
            days.insert(rule["until"].toString());
        }
    }
    return {days.begin(), days.end()};
}

} // namespace chokepoint::gui
