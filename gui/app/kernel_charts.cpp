// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel_charts.hpp"

#include <QCoreApplication>
#include <QJsonArray>

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::gui {

namespace {

constexpr double kTera = 1e12;
constexpr double kMicro = 1e-6;
constexpr double kPercent = 100.0;

QString tr(const char* text) { return QCoreApplication::translate("KernelCharts", text); }

std::optional<double> number_of(const QJsonValue& json) {
    return json.isDouble() ? std::optional(json.toDouble()) : std::nullopt;
}

KernelSeries series_of(const QJsonValue& json) {
    KernelSeries series{json["id"].toString(), json["fitted"].toBool(), json["held_out"].toBool(), {}};
    for (const QJsonValue& point : json["points"].toArray()) {
        series.points.push_back({point["flops"].toDouble(), point["bytes"].toDouble(),
                                 point["measured_seconds"].toDouble(),
                                 point["predicted_seconds"].toDouble()});
    }
    return series;
}

/// Whether the fit has seen the rows is what a reader must know of them.
std::string standing_of(const KernelSeries& series) {
    return (series.held_out ? tr("kept from the fit")
            : series.fitted ? tr("fitted")
                            : tr("not fitted"))
        .toStdString();
}

Series& series_named(Chart& chart, const std::string& name) {
    const auto found = std::ranges::find(chart.series, name, &Series::name);
    return found == chart.series.end() ? chart.series.emplace_back(Series{.name = name}) : *found;
}

double intensity(const KernelPoint& point) { return point.flops / point.bytes; }
double teraflops(const KernelPoint& point, double seconds) { return point.flops / seconds / kTera; }

std::string note_of(const KernelSeries& series, const KernelPoint& point) {
    return fmt::format("{}: {:.4g} us measured, {:.4g} us by the fit", series.id.toStdString(),
                       point.measured_seconds / kMicro, point.fit_seconds / kMicro);
}

/// From the lowest to the highest intensity, with its corner.
Series roof_of(const KernelGroup& group, double low, double high) {
    Series roof{.name = tr("roof of the part").toStdString(), .joined = true};
    const auto at = [&](double x) {
        const double memory = *group.memory_bytes_per_second * x;
        return Point{x, std::min(memory, group.peak_flops_per_second.value_or(memory)) / kTera};
    };
    roof.points.push_back(at(low));
    if (group.peak_flops_per_second) {
        const double corner = *group.peak_flops_per_second / *group.memory_bytes_per_second;
        if (corner > low && corner < high) {
            roof.points.push_back(at(corner));
        }
    }
    roof.points.push_back(at(high));
    return roof;
}

Chart scatter(const QString& title, const QString& x, const QString& y) {
    Chart chart;
    chart.kind = ChartKind::scatter;
    chart.title = title.toStdString();
    chart.x = {.label = x.toStdString(), .log = true};
    chart.y = {.label = y.toStdString()};
    return chart;
}

} // namespace

QString KernelGroup::label() const { return part + ", " + kernel + (format.isEmpty() ? "" : ", " + format); }

std::size_t KernelGroup::rows() const {
    std::size_t count = 0;
    for (const KernelSeries& one : series) {
        count += one.points.size();
    }
    return count;
}

std::vector<KernelGroup> kernel_groups(const QJsonObject& calibrate) {
    std::vector<KernelGroup> groups;
    for (const QJsonValue& architecture : calibrate.value("architectures").toArray()) {
        for (const QJsonValue& json : architecture["series"].toArray()) {
            KernelGroup group{json["part"].toString(),
                              json["kernel"].toString(),
                              json["format"].toString(),
                              number_of(json["peak_flops_per_second"]),
                              number_of(json["memory_bytes_per_second"]),
                              {}};
            auto found = std::ranges::find(groups, group.label(), &KernelGroup::label);
            if (found == groups.end()) {
                found = groups.insert(found, std::move(group));
            }
            found->series.push_back(series_of(json));
        }
    }
    std::erase_if(groups, [](const KernelGroup& group) { return group.rows() == 0; });
    return groups;
}

Chart roofline_chart(const KernelGroup& group) {
    Chart chart = scatter(tr("Roofline of %1").arg(group.label()), tr("arithmetic intensity, FLOP/B"),
                          tr("throughput, TFLOP/s"));
    chart.y.log = true;
    const std::string fit = tr("the fit").toStdString();
    series_named(chart, fit); // below what was measured
    std::vector<double> places;
    const auto add = [&](const std::string& name, double seconds, const KernelSeries& one,
                         const KernelPoint& point) {
        Series& series = series_named(chart, name);
        series.points.push_back({intensity(point), teraflops(point, seconds)});
        series.notes.push_back(note_of(one, point));
    };
    for (const KernelSeries& one : group.series) {
        for (const KernelPoint& point : one.points) {
            places.push_back(intensity(point));
            add(fit, point.fit_seconds, one, point);
            add(standing_of(one), point.measured_seconds, one, point);
        }
    }
    if (group.memory_bytes_per_second && !places.empty()) {
        const auto [low, high] = std::ranges::minmax(places);
        chart.series.push_back(roof_of(group, low, high));
    }
    return chart;
}

Chart residual_chart(const KernelGroup& group) {
    Chart chart = scatter(tr("Error of the fit"), tr("measured, us"), tr("fit against measured, %"));
    series_named(chart, tr("the fit").toStdString()).plain = true; // the roofline's colours for the rest
    chart.marks.push_back({.at = 0.0, .label = "", .horizontal = true});
    for (const KernelSeries& one : group.series) {
        Series& residuals = series_named(chart, standing_of(one));
        for (const KernelPoint& point : one.points) {
            residuals.points.push_back({point.measured_seconds / kMicro,
                                        (point.fit_seconds / point.measured_seconds - 1.0) * kPercent});
            residuals.notes.push_back(note_of(one, point));
        }
    }
    return chart;
}

} // namespace chokepoint::gui
