// SPDX-License-Identifier: GPL-3.0-or-later
// One painter per kind of chart, and the axes that those on Qt Charts share.
#pragma once

#include "axis.hpp"
#include "clip.hpp"

#include <QPainter>
#include <QtCharts/QCategoryAxis>
#include <QtCharts/QChart>

#include <memory>

namespace chokepoint::gui {

struct Plane {
    Scale x, y;
    [[nodiscard]] Box box() const { return {x.from(), x.to(), y.from(), y.to()}; }
};
/// The axes of a line or scatter chart, fitted to everything on it.
Plane plane_of(const Chart&);

std::unique_ptr<QChart> make_xy_chart(const Chart&);
std::unique_ptr<QChart> make_bar_chart(const Chart&);
/// The upright axis of stacked bars: linear, since lengths are added up, and from zero unless it is told to
/// begin higher.
Scale bar_scale(const Chart&);
QSize gantt_size(const Chart&);
void paint_gantt(QPainter&, const QRectF&, const Chart&);
QSize waterfall_size(const Chart&);
void paint_waterfall(QPainter&, const QRectF&, const Chart&);
/// The axis of a waterfall, fitted to its bars, and where in an area the bars are drawn.
Axis waterfall_axis(const Chart&);
QRectF waterfall_plot(const Chart&, const QRectF& area);
struct BarPlace {
    const BarPanel* panel = nullptr;
    const FloatingBar* bar = nullptr;
};
/// The bar so many pixels below the plot's top; nothing between panels.
std::optional<BarPlace> waterfall_bar_at(const Chart&, double down);
void paint_heat_map(QPainter&, const QRectF&, const Chart&);

/// An axis with our ticks, title and fonts; the chart owns it.
QCategoryAxis* make_axis(const Scale&, const std::string& label, bool dark);
/// Draws the marks, regions and point labels over the plot area, wherever its layout moves it.
void annotate(QChart&, const Chart&, const Plane&);
/// A chart without animation or margins of Qt's theme, with our fonts.
std::unique_ptr<QChart> make_chart(const Chart&);

} // namespace chokepoint::gui
