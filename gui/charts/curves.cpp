// SPDX-License-Identifier: GPL-3.0-or-later
#include "curves.hpp"

#include <QPaintEngine>

#include <algorithm>

namespace chokepoint::gui {

namespace {

// Qt Charts puts its axes at 3 and its series at 4.
constexpr double kBelowSeries = 3.5;
// Qt's rasteriser walks over a scan line's earlier pixels for each new one, so that long flat outlines take
// the square of their width; pieces of so many points do not.
constexpr qsizetype kPiece = 16;

void draw_line(QPainter& painter, const QPolygonF& line, qsizetype piece) {
    for (qsizetype from = 0; from + 1 < line.size(); from += piece) {
        // A segment more than its own, so that no seam shows.
        painter.drawPolyline(line.sliced(from, std::min(piece + 2, line.size() - from)));
    }
}

/// Upper edge from left to right, lower edge back.
void draw_band(QPainter& painter, const QPolygonF& band, const QBrush& fill) {
    painter.setPen(Qt::NoPen);
    painter.setBrush(fill);
    painter.drawPolygon(band);
}

/// The same on pixels. Smooth edges of a filled polygon cost seven times as much as thin smooth lines along
/// rough ones.
void draw_band_fast(QPainter& painter, const QPolygonF& band, const QBrush& fill) {
    const qsizetype across = band.size() / 2;
    const bool smooth = painter.testRenderHint(QPainter::Antialiasing);
    painter.setRenderHint(QPainter::Antialiasing, false);
    draw_band(painter, band, fill);
    painter.setRenderHint(QPainter::Antialiasing, smooth);
    QPen edge(fill.color(), 1.0);
    edge.setCosmetic(true);
    painter.setPen(edge);
    painter.drawPolyline(band.first(across));
    painter.drawPolyline(band.last(across));
}

} // namespace

Curves::Curves(QChart& chart, const Plane& plane) : QGraphicsItem(&chart), plane_(plane) {
    setZValue(kBelowSeries);
}

Curves* Curves::follow(QChart& chart, const Plane& plane) {
    auto* curves = new Curves(chart, plane);
    QObject::connect(&chart, &QChart::plotAreaChanged, &chart,
                     [curves](const QRectF& area) { curves->moveTo(area); });
    return curves;
}

QPointF Curves::share(double x, double y) const {
    return {(x - plane_.x.from()) / (plane_.x.to() - plane_.x.from()),
            (plane_.y.to() - y) / (plane_.y.to() - plane_.y.from())};
}

void Curves::add(const std::vector<Point>& line, const QPen& pen) {
    QPolygonF outline;
    for (const Point& point : line) {
        outline << share(point.x, point.y);
    }
    drawn_ = {};
    shapes_.push_back({std::move(outline), pen, Qt::NoBrush});
}

void Curves::add(const std::vector<BandPoint>& band, const QColor& color) {
    QPolygonF outline;
    for (const BandPoint& p : band) {
        outline << share(p.x, p.high);
    }
    for (auto p = band.rbegin(); p != band.rend(); ++p) {
        outline << share(p->x, p->low);
    }
    drawn_ = {};
    shapes_.push_back({std::move(outline), Qt::NoPen, color});
}

void Curves::moveTo(const QRectF& area) {
    prepareGeometryChange();
    area_ = area;
    drawn_ = {};
}

void Curves::paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*) {
    if (painter->paintEngine()->type() != QPaintEngine::Raster) {
        draw(*painter, false);
        return;
    }
    const QTransform to_pixels = painter->deviceTransform();
    const QRect pixels = to_pixels.mapRect(area_).toAlignedRect();
    if (drawn_.isNull() || to_pixels != drawn_by_) {
        drawn_ = QImage(pixels.size(), QImage::Format_ARGB32_Premultiplied);
        drawn_.fill(Qt::transparent);
        drawn_by_ = to_pixels;
        QPainter on_pixels(&drawn_);
        on_pixels.setRenderHints(painter->renderHints());
        on_pixels.setTransform(to_pixels * QTransform::fromTranslate(-pixels.x(), -pixels.y()));
        draw(on_pixels, true);
    }
    const QTransform logical = painter->worldTransform();
    painter->setWorldTransform(to_pixels.inverted() * logical); // pixel by pixel
    painter->drawImage(pixels.topLeft(), drawn_);
    painter->setWorldTransform(logical);
}

void Curves::draw(QPainter& painter, bool raster) const {
    for (const Shape& shape : shapes_) {
        QPolygonF outline;
        outline.reserve(shape.outline.size());
        for (const QPointF& at : shape.outline) {
            outline << QPointF(area_.left() + at.x() * area_.width(), area_.top() + at.y() * area_.height());
        }
        if (shape.pen.style() != Qt::NoPen) {
            painter.setPen(shape.pen);
            painter.setBrush(Qt::NoBrush);
            draw_line(painter, outline, raster ? kPiece : outline.size());
        } else if (raster) {
            draw_band_fast(painter, outline, shape.fill);
        } else {
            draw_band(painter, outline, shape.fill);
        }
    }
}

} // namespace chokepoint::gui
