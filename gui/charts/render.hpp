// SPDX-License-Identifier: GPL-3.0-or-later
// Draws a chart: the same picture in a window, in SVG and in PNG, and the same bytes every time.
#pragma once

#include "description.hpp"

#include <QByteArray>
#include <QImage>
#include <QPainter>

namespace chokepoint::gui {

/// The chart's own size, or one that suits its kind and content.
QSize chart_size(const Chart&);
/// Draws into the rectangle. Needs a QApplication.
void paint_chart(QPainter&, const QRectF&, const Chart&);

/// `id_prefix` goes before every id, so that several charts can stand in one HTML page.
QByteArray to_svg(const Chart&, const QString& id_prefix);
/// Pixels of the chart's size times `scale`.
QImage to_image(const Chart&, double scale);

/// What the chart could not show, a line each: points outside its axes.
std::vector<std::string> warnings_of(const Chart&);

} // namespace chokepoint::gui
