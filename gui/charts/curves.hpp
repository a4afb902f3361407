// SPDX-License-Identifier: GPL-3.0-or-later
// Lines and bands of a chart, painted at once: ten curves of 200 points take less than a frame.
#pragma once

#include "parts.hpp"

#include <QBrush>
#include <QGraphicsItem>
#include <QImage>
#include <QPen>
#include <QPolygonF>
#include <QTransform>

#include <vector>

namespace chokepoint::gui {

/// Lies between the chart's grid and its points, over the plot area wherever layout moves it.
class Curves : public QGraphicsItem {
public:
    /// The chart owns it.
    static Curves* follow(QChart&, const Plane&);

    /// In positions on the axes, clipped to the plane.
    void add(const std::vector<Point>& line, const QPen&);
    void add(const std::vector<BandPoint>& band, const QColor&);

    [[nodiscard]] QRectF boundingRect() const override { return area_; }
    void paint(QPainter*, const QStyleOptionGraphicsItem*, QWidget*) override;

private:
    struct Shape {
        QPolygonF outline; ///< shares of the plot area, from its upper left corner
        QPen pen;
        QBrush fill;
    };
    Curves(QChart&, const Plane&);
    [[nodiscard]] QPointF share(double x, double y) const;
    void moveTo(const QRectF& area);
    void draw(QPainter&, bool raster) const;

    Plane plane_;
    QRectF area_;
    std::vector<Shape> shapes_;
    QImage drawn_; ///< the last frame's pixels: a crosshair that moves over curves changes none of them
    QTransform drawn_by_;
};

} // namespace chokepoint::gui
