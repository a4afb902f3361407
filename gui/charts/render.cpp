// SPDX-License-Identifier: GPL-3.0-or-later
// From a chart to pixels or SVG.
#include "render.hpp"

#include "compact_svg.hpp"
#include "palette.hpp"
#include "parts.hpp"

#include <QBuffer>
#include <QCoreApplication>
#include <QGraphicsScene>
#include <QRegularExpression>
#include <QSvgGenerator>
#include <QtCharts/QLegend>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace chokepoint::gui {

namespace {

constexpr QSize kUsualSize{860, 540};
constexpr QSize kCellSize{620, 420}; // of a page
constexpr int kPageTitle = 44;

/// Qt gives gradients, patterns and clips plain ids, which clash once several files are in one page.
QString with_prefix(QString text, const QString& prefix) {
    if (prefix.isEmpty()) {
        return text;
    }
    text.replace(QRegularExpression(R"((\b(?:xml:)?id=")([^"]+"))"), "\\1" + prefix + "\\2");
    text.replace(QRegularExpression(R"((url\(#|href="#))"), "\\1" + prefix);
    return text;
}

/// Names families that other machines have too, also where Qt names a default that nothing is written in.
QString with_font_family(const QByteArray& svg) {
    QString text = QString::fromUtf8(svg);
    text.replace(QRegularExpression(R"x(font-family="[^"]*")x"),
                 R"(font-family="DejaVu Sans, Verdana, Arial, sans-serif")");
    return text;
}

} // namespace

QCategoryAxis* make_axis(const Scale& scale, const std::string& label, bool dark) {
    auto* axis = new QCategoryAxis;
    axis->setLabelsPosition(QCategoryAxis::AxisLabelsPositionOnValue);
    axis->setRange(scale.from(), scale.to());
    axis->setStartValue(scale.from());
    for (const Tick& tick : scale.ticks()) {
        axis->append(QString::fromStdString(tick.label), tick.at);
    }
    axis->setTitleText(QString::fromStdString(label));
    axis->setTitleFont(chart_font(13));
    axis->setLabelsFont(chart_font(12));
    axis->setTitleBrush(text_color(dark));
    axis->setLabelsColor(text_color(dark));
    axis->setGridLineColor(grid_color(dark));
    axis->setLinePenColor(dark ? grid_color(dark).lighter(150) : grid_color().darker(130));
    return axis;
}

std::unique_ptr<QChart> make_chart(const Chart& description) {
    auto chart = std::make_unique<QChart>();
    chart->setAnimationOptions(QChart::NoAnimation);
    chart->setBackgroundRoundness(0.0);
    chart->setBackgroundBrush(background_color(description.dark));
    chart->setBackgroundPen(Qt::NoPen);
    chart->setDropShadowEnabled(false);
    chart->setTitle(QString::fromStdString(description.title).toHtmlEscaped());
    chart->setTitleFont(chart_font(16));
    chart->setTitleBrush(text_color(description.dark));
    chart->legend()->setFont(chart_font(12));
    chart->legend()->setLabelColor(text_color(description.dark));
    chart->legend()->setAlignment(description.legend_right ? Qt::AlignRight : Qt::AlignBottom);
    chart->legend()->setMarkerShape(QLegend::MarkerShapeFromSeries);
    return chart;
}

namespace {

QSize page_size(const Chart& chart) {
    const int columns = std::min(chart.columns, static_cast<int>(chart.charts.size()));
    const int rows = (static_cast<int>(chart.charts.size()) + chart.columns - 1) / chart.columns;
    return {columns * kCellSize.width(), rows * kCellSize.height() + (chart.title.empty() ? 0 : kPageTitle)};
}

void paint_page(QPainter& painter, const QRectF& area, const Chart& chart) {
    painter.fillRect(area, background_color(chart.dark));
    const double top = chart.title.empty() ? 0.0 : kPageTitle;
    if (top > 0.0) {
        painter.setFont(chart_font(20));
        painter.setPen(text_color(chart.dark));
        painter.drawText(QRectF(area.left(), area.top(), area.width(), top), Qt::AlignCenter,
                         QString::fromStdString(chart.title));
    }
    const int columns = std::min(chart.columns, static_cast<int>(chart.charts.size()));
    const int rows = (static_cast<int>(chart.charts.size()) + chart.columns - 1) / chart.columns;
    const QSizeF cell(area.width() / columns, (area.height() - top) / rows);
    for (std::size_t i = 0; i < chart.charts.size(); ++i) {
        const int at = static_cast<int>(i);
        const QPointF corner(area.left() + at % columns * cell.width(),
                             area.top() + top + at / columns * cell.height());
        Chart inner = chart.charts[i];
        inner.dark = chart.dark;
        paint_chart(painter, QRectF(corner, cell), inner);
    }
}

} // namespace

QSize chart_size(const Chart& chart) {
    const QSize chosen = chart.kind == ChartKind::page        ? page_size(chart)
                         : chart.kind == ChartKind::gantt     ? gantt_size(chart)
                         : chart.kind == ChartKind::waterfall ? waterfall_size(chart)
                                                              : kUsualSize;
    return {chart.width > 0 ? chart.width : chosen.width(),
            chart.height > 0 ? chart.height : chosen.height()};
}

void paint_chart(QPainter& painter, const QRectF& area, const Chart& chart) {
    if (chart.kind == ChartKind::gantt) {
        paint_gantt(painter, area, chart);
        return;
    }
    if (chart.kind == ChartKind::waterfall) {
        paint_waterfall(painter, area, chart);
        return;
    }
    if (chart.kind == ChartKind::heat_map) {
        paint_heat_map(painter, area, chart);
        return;
    }
    if (chart.kind == ChartKind::page) {
        paint_page(painter, area, chart);
        return;
    }
    QGraphicsScene scene;
    QChart* item =
        (chart.kind == ChartKind::stacked_bars ? make_bar_chart(chart) : make_xy_chart(chart)).release();
    scene.addItem(item); // which owns it from here on
    item->resize(area.size());
    scene.setSceneRect(QRectF(QPointF(0.0, 0.0), area.size()));
    QCoreApplication::processEvents(); // Qt Charts lays axes and legend out on events
    scene.render(&painter, area, scene.sceneRect());
}

QByteArray to_svg(const Chart& chart, const QString& id_prefix) {
    const QSize size = chart_size(chart);
    QBuffer buffer;
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setResolution(96); // so that a pixel of the chart is one of the picture
    generator.setSize(size);
    generator.setViewBox(QRect(QPoint(0, 0), size));
    generator.setTitle(QString::fromStdString(chart.title));
    QPainter painter(&generator);
    paint_chart(painter, QRectF(QPointF(0.0, 0.0), size), chart);
    painter.end();
    return with_prefix(compact_svg(with_font_family(buffer.data())), id_prefix).toUtf8();
}

QImage to_image(const Chart& chart, double scale) {
    const QSize size = chart_size(chart);
    QImage image(size * scale, QImage::Format_RGB32);
    image.fill(background_color(chart.dark));
    QPainter painter(&image);
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.scale(scale, scale);
    paint_chart(painter, QRectF(QPointF(0.0, 0.0), size), chart);
    return image;
}

std::vector<std::string> warnings_of(const Chart& chart) {
    std::vector<std::string> warnings;
    for (const Chart& inner : chart.charts) {
        std::ranges::copy(warnings_of(inner), std::back_inserter(warnings));
    }
    if (chart.kind != ChartKind::line && chart.kind != ChartKind::scatter) {
        return warnings;
    }
    const Plane plane = plane_of(chart);
    for (const Series& series : chart.series) {
        const auto outside = std::ranges::count_if(series.points, [&](const Point& p) {
            return !contains(plane.box(), {plane.x.position(p.x), plane.y.position(p.y)});
        });
        if (outside > 0) {
            warnings.push_back(fmt::format("{}: {} of {} points lie outside the axes", series.name, outside,
                                           series.points.size()));
        }
    }
    return warnings;
}

} // namespace chokepoint::gui
