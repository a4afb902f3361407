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
    lines << text_of(chart.categories[at]);
    for (const Series& series : chart.series) {
        if (!series.hidden && at < series.values.size()) {
            lines << line_of(series, series.values[at]);
        }
    }
    return lines;
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
            lines << line_of(series, shortened(*value, 5));
        }
    }
    return lines.size() > 1 ? lines : QStringList();
}

/// Of a scatter the nearest point, if the pointer is near.
QStringList nearest_lines(const Chart& chart, double x, double y) {
    constexpr double kNear = 0.02;
    const Plane plane = plane_of(chart);
    const double wide = plane.x.to() - plane.x.from();
    const double tall = plane.y.to() - plane.y.from();
    double nearest = kNear;
    QStringList lines;
    for (const Series& series : chart.series) {
        for (std::size_t i = 0; i < series.points.size() && !series.hidden; ++i) {
            const Point& p = series.points[i];
            const double distance = std::hypot((plane.x.position(p.x) - plane.x.from()) / wide - x,
                                               (plane.y.position(p.y) - plane.y.from()) / tall - y);
            if (distance < nearest) {
                nearest = distance;
                const bool noted = i < series.notes.size() && !series.notes[i].empty();
                lines = {text_of(noted ? series.notes[i] : series.name),
                         QString("%1: %2").arg(text_of(chart.x.label), text_of(number_text(p.x))),
                         QString("%1: %2").arg(text_of(chart.y.label), text_of(number_text(p.y)))};
            }
        }
    }
    return lines;
}

} // namespace

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
