// SPDX-License-Identifier: GPL-3.0-or-later
#include "chart_view.hpp"

#include "theme.hpp"

#include "charts/palette.hpp"
#include "charts/parts.hpp"

#include <QApplication>
#include <QMouseEvent>
#include <QWheelEvent>
#include <QtCharts/QLegend>
#include <QtCharts/QLegendMarker>

#include <cmath>
#include <utility>

namespace chokepoint::gui {

namespace {

// Pixels: the ring of a grip, and how near to it a press takes hold.
constexpr double kGrip = 9.0;
constexpr double kNear = 16.0;

} // namespace

QRectF readout_box(const QSizeF& box, const QPointF& at, const QRectF& area) {
    constexpr double kAway = 14.0;
    const auto along = [](double pointer, double length, double from, double to) {
        const double behind = pointer + kAway;
        return behind + length <= to ? behind : std::max(from, pointer - kAway - length);
    };
    return {QPointF(along(at.x(), box.width(), area.left(), area.right()),
                    along(at.y(), box.height(), area.top(), area.bottom())),
            box};
}

ChartView::ChartView(Readout readout, QWidget* parent)
    : QChartView(new QChart, parent),
      readout_(std::move(readout)) {
    setRenderHint(QPainter::Antialiasing);
    setMouseTracking(true);
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::NoFocus); // the panel takes the keys
    setViewportUpdateMode(QGraphicsView::FullViewportUpdate);
}

void ChartView::show(const Chart& description) {
    dark_ = description.dark;
    blank_ = false;
    setBackgroundBrush(background_color(dark_));
    const bool painted = description.kind == ChartKind::waterfall;
    painted_ = painted ? description : Chart();
    QChart* next = (painted                                       ? std::make_unique<QChart>()
                    : description.kind == ChartKind::stacked_bars ? make_bar_chart(description)
                                                                  : make_xy_chart(description))
                       .release();
    next->setMargins(QMargins(4, 4, 4, 4));
    const std::unique_ptr<QChart> old(chart());
    setChart(next);
    for (QLegendMarker* marker : next->legend()->markers()) {
        // Later, since the chart is built anew then, and with it the marker that has the click.
        connect(
            marker, &QLegendMarker::clicked, this,
            [this, series = marker->label()] { emit legendClicked(series); }, Qt::QueuedConnection);
    }
}

void ChartView::showNothing(bool dark) {
    dark_ = dark;
    blank_ = true;
    setBackgroundBrush(background_color(dark));
    painted_ = {};
    const std::unique_ptr<QChart> old(chart());
    auto* blank = new QChart;
    blank->setBackgroundVisible(false);
    setChart(blank);
}

void ChartView::setHint(const QString& hint) {
    hint_ = hint;
    viewport()->update();
}

void ChartView::setStale(bool stale) {
    stale_ = stale;
    viewport()->update();
}

void ChartView::setFocused(bool focused) {
    focused_ = focused;
    viewport()->update();
}

void ChartView::paintEvent(QPaintEvent* event) {
    QChartView::paintEvent(event);
    if (focused_) {
        QPainter painter(viewport());
        paint_focus(painter, *viewport());
    }
}

void ChartView::setMark(std::optional<double> share) {
    mark_ = share;
    viewport()->update();
}

QRectF ChartView::plotArea() const {
    return painted_.panels.empty() ? chart()->plotArea() : waterfall_plot(painted_, sceneRect());
}

QPointF ChartView::share(const QPointF& position) const {
    const QRectF area = plotArea();
    if (area.isEmpty()) {
        return {0.5, 0.5};
    }
    return {(position.x() - area.left()) / area.width(), (area.bottom() - position.y()) / area.height()};
}

QPointF ChartView::position(const QPointF& share) const {
    const QRectF area = plotArea();
    return {area.left() + share.x() * area.width(), area.bottom() - share.y() * area.height()};
}

void ChartView::setGrip(std::optional<QPointF> share) {
    grip_ = share;
    viewport()->update();
}

void ChartView::setRing(std::optional<QPointF> share) {
    ring_ = share;
    viewport()->update();
}

void ChartView::paintRing(QPainter& painter, const QPointF& share) const {
    if (!QRectF(0.0, 0.0, 1.0, 1.0).contains(share)) {
        return; // zoomed away
    }
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(text_color(dark_), 2.0));
    painter.setBrush(Qt::NoBrush);
    painter.drawEllipse(position(share), kGrip, kGrip);
}

void ChartView::drawForeground(QPainter* painter, const QRectF& rectangle) {
    if (!painted_.panels.empty()) {
        paint_waterfall(*painter, sceneRect(), painted_);
    }
    if (blank_) {
        painter->setFont(chart_font(14));
        painter->setPen(palette().color(QPalette::PlaceholderText));
        painter->drawText(sceneRect(), Qt::AlignCenter | Qt::TextWordWrap, hint_);
        return;
    }
    if (stale_) {
        QColor veil = background_color(dark_);
        veil.setAlpha(150);
        painter->fillRect(rectangle, veil);
        return;
    }
    const QRectF area = plotArea();
    if (mark_ && *mark_ >= 0.0 && *mark_ <= 1.0) {
        const double x = area.left() + *mark_ * area.width();
        painter->setPen(QPen(palette().color(QPalette::Highlight), 2.0));
        painter->drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    }
    for (const auto& place : {grip_, ring_}) {
        if (place) {
            paintRing(*painter, *place);
        }
    }
    if (!pointer_ || drag_ || !area.contains(*pointer_)) {
        return;
    }
    const QPointF at = share(*pointer_);
    const QStringList lines = readout_(at.x(), at.y());
    QColor ink = text_color(dark_);
    ink.setAlpha(130);
    painter->setPen(QPen(ink, 1.0));
    painter->drawLine(QPointF(pointer_->x(), area.top()), QPointF(pointer_->x(), area.bottom()));
    painter->drawLine(QPointF(area.left(), pointer_->y()), QPointF(area.right(), pointer_->y()));
    if (!lines.isEmpty()) {
        paintReadout(*painter, *pointer_, lines);
    }
}

void ChartView::paintReadout(QPainter& painter, const QPointF& at, const QStringList& lines) {
    constexpr double kPadding = 6.0;
    painter.setFont(chart_font(11));
    const QString text = lines.join('\n');
    QRectF box = painter.boundingRect(QRectF(0, 0, 2000, 2000), Qt::AlignLeft | Qt::AlignTop, text);
    box.adjust(-kPadding, -kPadding, kPadding, kPadding);
    box = readout_box(box.size(), at, sceneRect());
    QColor ground = background_color(dark_);
    ground.setAlpha(235);
    painter.setPen(grid_color(dark_).darker(130));
    painter.setBrush(ground);
    painter.drawRoundedRect(box, 4, 4);
    painter.setPen(text_color(dark_));
    painter.drawText(box.adjusted(kPadding, kPadding, -kPadding, -kPadding), Qt::AlignLeft | Qt::AlignTop,
                     text);
}

void ChartView::wheelEvent(QWheelEvent* event) {
    constexpr double kPerNotch = 0.8;
    constexpr double kNotch = 120.0;
    const QPointF at = share(event->position());
    emit zoomed(std::pow(kPerNotch, event->angleDelta().y() / kNotch), at.x(), at.y());
    event->accept();
}

void ChartView::mousePressEvent(QMouseEvent* event) {
    QChartView::mousePressEvent(event);
    if (event->button() == Qt::LeftButton && grip_ &&
        (event->position() - position(*grip_)).manhattanLength() < kNear) {
        gripping_ = true;
        return;
    }
    if (event->button() == Qt::LeftButton && plotArea().contains(event->position())) {
        drag_ = event->position();
        moved_ = false;
    }
}

void ChartView::mouseMoveEvent(QMouseEvent* event) {
    QChartView::mouseMoveEvent(event);
    pointer_ = event->position();
    if (gripping_) {
        const QPointF at = share(event->position());
        emit gripped(at.x(), at.y(), false);
        return;
    }
    if (drag_) {
        if (!moved_ && (event->position() - *drag_).manhattanLength() < QApplication::startDragDistance()) {
            return;
        }
        moved_ = true;
        const QPointF from = share(*drag_);
        const QPointF to = share(event->position());
        drag_ = event->position();
        emit panned(from.x() - to.x(), from.y() - to.y());
    }
    viewport()->update();
}

void ChartView::mouseReleaseEvent(QMouseEvent* event) {
    QChartView::mouseReleaseEvent(event);
    if (std::exchange(gripping_, false)) {
        const QPointF at = share(event->position());
        emit gripped(at.x(), at.y(), true);
        return;
    }
    if (drag_ && !moved_) {
        const QPointF at = share(event->position());
        emit picked(at.x(), at.y());
    }
    drag_.reset();
    viewport()->update();
}

void ChartView::mouseDoubleClickEvent(QMouseEvent* event) {
    QChartView::mouseDoubleClickEvent(event);
    emit reset();
}

void ChartView::leaveEvent(QEvent* event) {
    QChartView::leaveEvent(event);
    pointer_.reset();
    viewport()->update();
}

} // namespace chokepoint::gui
