// SPDX-License-Identifier: GPL-3.0-or-later
#include "rules_chart.hpp"

#include <QJsonArray>

#include <array>
#include <cmath>
#include <set>

namespace chokepoint::gui {

namespace {

constexpr std::array kSeverities{"free", "case by case", "licence", "presumption of denial", "undetermined"};

/// Of the severest ruling on a part, its place among kSeverities.
std::size_t severity_of(const QJsonValue& part) {
    std::size_t most = 0;
    for (const QJsonValue& verdict : part["verdicts"].toArray()) {
        const std::string ruling = verdict["ruling"].toString().replace('_', ' ').toStdString();
        for (std::size_t i = most + 1; i < kSeverities.size(); ++i) {
            most = ruling == kSeverities[i] ? i : most;
        }
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
    chart.x = {.label = "TPP", .log = true};
    chart.y = {.label = label, .log = true};
    std::size_t color = 1;
    for (const QJsonValue& rule : rules.value("rules").toArray()) {
        for (const QJsonValue& alternative : rule["alternatives"].toArray()) {
            if (auto region = region_of(alternative.toArray(), figure, scale)) {
                // Named once, however many regions it cuts out.
                const bool named = !chart.regions.empty() && chart.regions.back().color == color;
                region->label =
                    named
                        ? std::string()
                        : (rule["rule"].toString() + ": " + rule["consequence"].toString().replace('_', ' '))
                              .toStdString();
                region->color = color;
                chart.regions.push_back(*region);
            }
        }
        ++color;
    }
    // Parts by the severest ruling on them.
    std::array<Series, kSeverities.size()> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i].name = kSeverities[i];
    }
    Series marked{.name = chosen.toStdString()};
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
