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

void Minimap::drawPicture(const QSize& size, double end) {
    // How busy all compute and communication is together, column by column.
    picture_ = QImage(size, QImage::Format_RGB32);
    picture_.fill(background_color(dark_));
    std::vector<TracePixel> pixels(static_cast<std::size_t>(size.width()));
    std::vector<float> busy(pixels.size(), 0.0F);
    std::size_t tracks = 0;
    for (std::size_t m = 0; m < view_.models().size(); ++m) {
        const double offset = view_.offset(m);
        for (const TraceTrack& track : view_.models()[m]->tracks()) {
            TraceModel::sample(track, -offset, end - offset, pixels);
            for (std::size_t x = 0; x < pixels.size(); ++x) {
                busy[x] += pixels[x].filled;
            }
            ++tracks;
        }
    }
    QPainter painter(&picture_);
    for (std::size_t x = 0; x < busy.size(); ++x) {
        const int tall =
            static_cast<int>(busy[x] / static_cast<float>(tracks) * static_cast<float>(size.height()));
        painter.fillRect(static_cast<int>(x), size.height() - tall, 1, tall, series_color(5));
    }
}

void Minimap::paintEvent(QPaintEvent*) {
    const bool dark = is_dark(*this);
    const int width = std::max(1, this->width() - kGutter);
    const double end = view_.end();
    QPainter painter(this);
    painter.fillRect(rect(), background_color(dark));
    if (view_.models().empty()) {
        return;
    }
    const QSize size = QSizeF(QSizeF(width, height()) * devicePixelRatioF()).toSize();
    if (picture_.size() != size || dark != dark_) {
        dark_ = dark;
        drawPicture(size, end);
    }
    painter.drawImage(QRect(kGutter, 0, width, height()), picture_);
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
    const double time = (x - kGutter) / std::max(1, width() - kGutter) * view_.end();
    const double half = (view_.to() - view_.from()) / 2;
    view_.setRange(time - half, time + half);
}

void Minimap::mousePressEvent(QMouseEvent* event) { centre(event->position().x()); }
void Minimap::mouseMoveEvent(QMouseEvent* event) { centre(event->position().x()); }

} // namespace chokepoint::gui
