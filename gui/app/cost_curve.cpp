// SPDX-License-Identifier: GPL-3.0-or-later
#include "cost_curve.hpp"

#include <chokepoint/sim/knee.hpp>

#include <fmt/format.h>

#include <QJsonArray>

#include <set>
#include <utility>

namespace chokepoint::gui {

const std::vector<CurveAxis>& curve_axes() {
    constexpr double kGiga = 1e9;
    static const std::vector<CurveAxis> kAxes{
        {"NVLink cap, both directions, GB/s", "cluster.caps.nvlink", " GB/s", 50, 900, true, "aggregate_io",
         1 / kGiga},
        {"NIC cap, one direction, Gb/s", "cluster.caps.nic", " Gb/s", 25, 400, true, "", 1.0},
        {"memory bandwidth cap, GB/s", "cluster.caps.memory_bandwidth", " GB/s", 1000, 4000, false,
         "memory_bandwidth", 1 / kGiga},
        {"TPP cap", "cluster.caps.tpp", "", 2000, 16000, true, "tpp", 1.0},
        {"price, USD per GPU-hour", "campaign.price", " USD/GPU-h", 1, 4, false, "", 1.0},
        {"nodes", "cluster.nodes", "", 128, 2048, true, "", 1.0, true, 5},
        {"tokens of the campaign, T", "campaign.tokens", "e12", 1, 20, true, "", 1.0},
        {"sequences of a step", "plan.global_batch", "", 1920, 30720, true, "", 1.0, true, 5},
        {"ranks that share experts", "plan.expert", "", 8, 128, true, "", 1.0, true, 5},
        {"routing imbalance", "plan.routing_imbalance", "", 0, 0.5, false, "", 1.0},
        {"sustained clock", "cluster.sustained_clock", "", 0.6, 1.1, false, "", 1.0},
    };
    return kAxes;
}

const std::vector<Metric>& metrics() {
    static const std::vector<Metric> kMetrics{
        {"step, s", 1.0, [](const RunResult& run) { return std::optional(run.step_seconds); }},
        {"GPU-hours of the campaign, M", 1e-6, [](const RunResult& run) { return run.gpu_hours; }},
        {"cost of the campaign, M USD", 1e-6, [](const RunResult& run) { return run.usd; }},
        {"utilisation (MFU, causal), %", 100.0,
         [](const RunResult& run) { return std::optional(Figure{run.mfu, {}}); }, true},
    };
    return kMetrics;
}

std::optional<double> knee_of(const std::vector<Point>& points, bool more_is_better) {
    constexpr double kRise = 0.05;
    std::vector<std::pair<double, double>> curve;
    for (const Point& p : points) {
        curve.emplace_back(p.x, p.y);
    }
    return sim::knee(curve, kRise, more_is_better);
}

Chart curve_chart(const CurveView& view, const std::vector<QString>& names,
                  const std::vector<Curve>& curves) {
    Chart chart;
    chart.kind = ChartKind::line;
    chart.title = fmt::format("{} against {}", view.metric.label.section(',', 0, 0).toStdString(),
                              view.axis.label.section(',', 0, 0).toStdString());
    chart.x = {.label = view.axis.label.toStdString(), .log = view.log_x};
    chart.y = {.label = view.metric.label.toStdString(), .log = view.log_y};
    chart.marks = view.marks;
    constexpr std::size_t kMarked = 60; // of more points the markers would hide the line
    constexpr std::size_t kKnees = 3;   // and of more curves the knees each other
    for (std::size_t i = 0; i < curves.size(); ++i) {
        Series series{.name = names[i].toStdString()};
        series.markers = curves[i].size() <= kMarked;
        for (const auto& [x, run] : curves[i]) {
            const auto figure = view.metric.figure(run);
            if (!figure) {
                continue;
            }
            series.points.push_back({x, figure->value * view.metric.scale});
            if (figure->interval) {
                series.band.push_back({x, figure->interval->first * view.metric.scale,
                                       figure->interval->second * view.metric.scale});
            }
        }
        if (const auto knee = knee_of(series.points, view.metric.more_is_better);
            knee && curves.size() <= kKnees) {
            chart.marks.push_back({*knee, fmt::format("5% worse, {}: {:.3g}", series.name, *knee)});
        }
        chart.series.push_back(std::move(series));
    }
    return chart;
}

namespace {

/// "h800-sxm" and "h800-pcie" are one chip; "ascend-910b" is its own name.
QString chip_of(const QString& part) {
    static const QStringList kForms{"sxm", "pcie", "nvl"};
    const qsizetype dash = part.indexOf('-');
    return dash >= 0 && kForms.contains(part.mid(dash + 1)) ? part.left(dash) : part;
}

} // namespace

std::vector<Mark> threshold_marks(const QJsonObject& rules, const CurveAxis& axis) {
    std::map<double, std::set<QString>> limits, parts;
    for (const QJsonValue& part : rules.value("parts").toArray()) {
        for (const QJsonValue& verdict : part["verdicts"].toArray()) {
            for (const QJsonValue& margin : verdict["margins"].toArray()) {
                if (margin["figure"].toString() != axis.figure) {
                    continue;
                }
                limits[margin["limit"].toDouble() * axis.scale].insert(verdict["rule"].toString());
                if (margin["value"].isDouble()) {
                    parts[margin["value"].toDouble() * axis.scale].insert(chip_of(part["part"].toString()));
                }
            }
        }
    }
    std::vector<Mark> marks;
    for (const auto& [at, names] : limits) {
        marks.push_back({at, fmt::format("{:g}: threshold of {}", at,
                                         QStringList(names.begin(), names.end()).join(", ").toStdString())});
    }
    for (const auto& [at, names] : parts) {
        if (!limits.contains(at)) {
            QStringList list(names.begin(), names.end());
            constexpr qsizetype kNamed = 3;
            const QString more = list.size() > kNamed ? QString(" +%1").arg(list.size() - kNamed) : QString();
            marks.push_back({at, fmt::format("{:g}: {}{}", at, list.mid(0, kNamed).join(", ").toStdString(),
                                             more.toStdString())});
        }
    }
    return marks;
}

} // namespace chokepoint::gui
