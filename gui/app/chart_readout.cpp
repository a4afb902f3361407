// SPDX-License-Identifier: GPL-3.0-or-later
// What stands beside the pointer on a chart.
#include "chart_panel.hpp"
#include "chart_view.hpp"

#include "charts/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chokepoint::gui {

namespace {

QString line_of(const Series& series, double value) {
    return QString("%1: %2").arg(QString::fromStdString(series.name),
                                 QString::fromStdString(number_text(value)));
}

/// The series' value at x, between its points; nothing beyond them.
std::optional<double> value_at(const std::vector<Point>& points, double x) {
    for (std::size_t i = 1; i < points.size(); ++i) {
        const Point& a = points[i - 1];
        const Point& b = points[i];
        if ((a.x <= x && x <= b.x) && b.x > a.x) {
            return a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x);
        }
    }
    return std::nullopt;
}

QString text_of(const std::string& text) { return QString::fromStdString(text); }

/// As many digits as one can see.
double shortened(double value, int digits) { return std::stod(fmt::format("{:.{}g}", value, digits)); }

/// All series of the category at a share of the plot's width.
QStringList category_lines(const Chart& chart, double x) {
    QStringList lines;
    if (chart.categories.empty()) {
        return lines;
    }
    const auto n = static_cast<double>(chart.categories.size());
    const auto at = static_cast<std::size_t>(std::clamp(x * n, 0.0, n - 1.0));
    lines << QString("%1, %2").arg(text_of(chart.categories[at]), text_of(chart.y.label));
    for (const Series& series : chart.series) {
        if (!series.hidden && at < series.values.size()) {
            lines << line_of(series, shortened(series.values[at], 5));
        }
    }
    return lines;
}

/// " (20.1 to 24.3)": the band at x; nothing without one.
QString interval_at(const std::vector<BandPoint>& band, double x) {
    std::vector<Point> low;
    std::vector<Point> high;
    for (const BandPoint& point : band) {
        low.push_back({point.x, point.low});
        high.push_back({point.x, point.high});
    }
    const auto from = value_at(low, x);
    const auto to = value_at(high, x);
    return from && to
               ? QString(" (%1 to %2)")
                     .arg(text_of(number_text(shortened(*from, 4))), text_of(number_text(shortened(*to, 4))))
               : QString();
}

QStringList bar_lines(const Chart& chart, double down) {
    const auto place = waterfall_bar_at(chart, down);
    if (!place) {
        return {};
    }
    QStringList lines;
    if (!place->panel->title.empty()) {
        lines << text_of(place->panel->title);
    }
    lines << text_of(place->bar->label + ": " + place->bar->text);
    return lines;
}

/// All lines at a share of the plot's width.
QStringList curve_lines(const Chart& chart, double x) {
    const Scale across = plane_of(chart).x;
    const double at = across.value(across.from() + x * (across.to() - across.from()));
    QStringList lines{QString("%1: %2").arg(text_of(chart.x.label), text_of(number_text(shortened(at, 4))))};
    for (const Series& series : chart.series) {
        const auto value = value_at(series.points, at);
        if (!series.hidden && value) {
            lines << line_of(series, shortened(*value, 5)) + interval_at(series.band, at);
        }
    }
    return lines.size() > 1 ? lines : QStringList();
}

QStringList nearest_lines(const Chart& chart, double x, double y) {
    const auto near = nearest_point(chart, x, y);
    if (!near) {
        return {};
    }
    const Series& series = chart.series[near->series];
    const Point& p = series.points[near->point];
    const bool noted = near->point < series.notes.size() && !series.notes[near->point].empty();
    return {text_of(noted ? series.notes[near->point] : series.name),
            QString("%1: %2").arg(text_of(chart.x.label), text_of(number_text(shortened(p.x, 5)))),
            QString("%1: %2").arg(text_of(chart.y.label), text_of(number_text(shortened(p.y, 5))))};
}

} // namespace

std::optional<PointPlace> nearest_point(const Chart& chart, double x, double y) {
    constexpr double kNear = 0.02;
    if (chart.kind != ChartKind::scatter) {
        return std::nullopt;
    }
    const Plane plane = plane_of(chart);
    const double wide = plane.x.to() - plane.x.from();
    const double tall = plane.y.to() - plane.y.from();
    double nearest = kNear;
    std::optional<PointPlace> place;
    for (std::size_t s = 0; s < chart.series.size(); ++s) {
        const Series& series = chart.series[s];
        for (std::size_t i = 0; i < series.points.size() && !series.hidden && !series.plain; ++i) {
            const double distance =
                std::hypot((plane.x.position(series.points[i].x) - plane.x.from()) / wide - x,
                           (plane.y.position(series.points[i].y) - plane.y.from()) / tall - y);
            if (distance < nearest) {
                nearest = distance;
                place = {s, i};
            }
        }
    }
    return place;
}

QStringList ChartPanel::readout(double x, double y) const {
    const Chart current = shown();
    switch (current.kind) {
    case ChartKind::stacked_bars:
        return category_lines(current, x);
    case ChartKind::waterfall:
        return bar_lines(current, (1.0 - y) * view_->plotArea().height());
    case ChartKind::line:
        return curve_lines(current, x);
    default:
        return nearest_lines(current, x, y);
    }
}

} // namespace chokepoint::gui
