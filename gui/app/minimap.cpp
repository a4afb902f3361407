// SPDX-License-Identifier: GPL-3.0-or-later
#include "timeline_metrics.hpp" // so that both axes line up
#include "timeline_view.hpp"

#include "theme.hpp"

#include "charts/palette.hpp"

#include <QMouseEvent>
#include <QPainter>

namespace chokepoint::gui {

Minimap::Minimap(TimelineView& view, QWidget* parent) : QWidget(parent), view_(view) {
    setFixedHeight(34);
    setAccessibleName(tr("Overview of the timeline"));
    connect(&view_, &TimelineView::rangeChanged, this, qOverload<>(&QWidget::update));
}

void Minimap::refresh() {
    picture_ = {};
    update();
}

void Minimap::paintEvent(QPaintEvent*) {
    const bool dark = is_dark(*this);
    const int width = std::max(1, this->width() - kGutter);
    double end = 0.0;
    for (const auto& model : view_.models()) {
        end = std::max(end, model->end());
    }
    QPainter painter(this);
    painter.fillRect(rect(), background_color(dark));
    if (end <= 0.0) {
        return;
    }
    if (picture_.width() != width) {
        // How busy all compute and communication is together, column by column.
        picture_ = QImage(width, height(), QImage::Format_RGB32);
        picture_.fill(background_color(dark));
        std::vector<TracePixel> pixels(static_cast<std::size_t>(width));
        std::vector<float> busy(pixels.size(), 0.0F);
        std::size_t tracks = 0;
        for (const auto& model : view_.models()) {
            for (const TraceTrack& track : model->tracks()) {
                TraceModel::sample(track, 0.0, end, pixels);
                for (std::size_t x = 0; x < pixels.size(); ++x) {
                    busy[x] += pixels[x].filled;
                }
                ++tracks;
            }
        }
        QPainter small(&picture_);
        for (std::size_t x = 0; x < busy.size(); ++x) {
            const int tall =
                static_cast<int>(busy[x] / static_cast<float>(tracks) * static_cast<float>(height()));
            small.fillRect(static_cast<int>(x), height() - tall, 1, tall, series_color(5));
        }
    }
    painter.drawImage(kGutter, 0, picture_);
    const double left = kGutter + view_.from() / end * width;
    const double right = kGutter + view_.to() / end * width;
    QColor veil = background_color(dark);
    veil.setAlpha(150);
    painter.fillRect(QRectF(kGutter, 0, left - kGutter, height()), veil);
    painter.fillRect(QRectF(right, 0, kGutter + width - right, height()), veil);
    painter.setPen(QPen(text_color(dark), 1.0));
    painter.drawRect(QRectF(left, 0.5, std::max(2.0, right - left - 1.0), height() - 1.5));
}

void Minimap::centre(double x) {
    double end = 0.0;
    for (const auto& model : view_.models()) {
        end = std::max(end, model->end());
    }
    const double time = (x - kGutter) / std::max(1, width() - kGutter) * end;
    const double half = (view_.to() - view_.from()) / 2;
    view_.setRange(time - half, time + half);
}

void Minimap::mousePressEvent(QMouseEvent* event) { centre(event->position().x()); }
void Minimap::mouseMoveEvent(QMouseEvent* event) { centre(event->position().x()); }

} // namespace chokepoint::gui
