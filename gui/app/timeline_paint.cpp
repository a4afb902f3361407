// SPDX-License-Identifier: GPL-3.0-or-later
// Painting of timelines: rows by pixel, names where they fit, marks, the axis.
#include "timeline_metrics.hpp"
#include "timeline_view.hpp"

#include "text.hpp"
#include "theme.hpp"

#include "charts/axis.hpp"
#include "charts/palette.hpp"

#include <QPainter>
#include <QScrollBar>

#include <algorithm>

namespace chokepoint::gui {

QImage TimelineView::render(const QSize& size, int fine) {
    QImage image(size * fine, QImage::Format_RGB32);
    image.setDevicePixelRatio(fine);
    QPainter painter(&image);
    paintAll(painter, size);
    return image;
}

void TimelineView::paintEvent(QPaintEvent*) {
    QPainter painter(viewport());
    paintAll(painter, viewport()->size());
    if (band_) {
        painter.setPen(palette().color(QPalette::Highlight));
        QColor fill = palette().color(QPalette::Highlight);
        fill.setAlpha(60);
        painter.setBrush(fill);
        painter.drawRect(QRectF(QPointF(band_->x(), kAxis), QPointF(pointer_.x(), viewport()->height())));
    }
    if (hasFocus()) {
        paint_focus(painter, *viewport());
    }
}

void TimelineView::paintAll(QPainter& painter, const QSize& size) {
    const bool dark = is_dark(*this);
    painter.fillRect(QRect(QPoint(0, 0), size), background_color(dark));
    if (models_.empty()) {
        constexpr int kHintPixels = 14;
        painter.setFont(chart_font(kHintPixels));
        painter.setPen(palette().color(QPalette::PlaceholderText));
        painter.drawText(QRect(QPoint(0, 0), size), Qt::AlignCenter | Qt::TextWordWrap, hint_);
        return;
    }
    painter.setFont(chart_font(11));
    const int width = std::max(1, size.width() - kGutter);
    const double ratio = painter.device()->devicePixelRatioF();
    const QSize strip(qRound(width * ratio), qRound(kBar * ratio));
    pixels_.resize(static_cast<std::size_t>(strip.width()));
    if (strip_.size() != strip) {
        strip_ = QImage(strip, QImage::Format_RGB32);
    }
    const int scroll = verticalScrollBar()->value() - kAxis;
    painter.setClipRect(0, kAxis, size.width(), size.height() - kAxis);
    for (const Row& row : rows_) {
        const int top = row.top - scroll;
        if (top > size.height()) {
            break;
        }
        if (top + kHeading >= kAxis) {
            paintRow(painter, row, top, width);
        }
    }
    painter.setClipRect(kGutter, kAxis, width, size.height() - kAxis);
    paintMatches(painter, width);
    if (selected_) {
        paintMark(painter, *selected_, width, QPen(text_color(dark), 2.0));
    }
    painter.setClipping(false);
    paintAxis(painter, QRect(kGutter, 0, width, kAxis));
}

void TimelineView::paintAxis(QPainter& painter, const QRect& area) {
    const bool dark = is_dark(*this);
    painter.fillRect(QRect(0, 0, area.right() + 1, kAxis), background_color(dark));
    painter.setPen(text_color(dark));
    constexpr int kPixelsPerTick = 130;
    for (const double tick : linear_ticks(from_, to_, std::max(2, area.width() / kPixelsPerTick))) {
        const int x = area.left() + static_cast<int>((tick - from_) / (to_ - from_) * area.width());
        painter.drawLine(x, kAxis - 5, x, kAxis - 1);
        const QString label = seconds_text(tick);
        if (x + 3 + painter.fontMetrics().horizontalAdvance(label) <= area.right()) {
            painter.drawText(QRect(x + 3, 0, kPixelsPerTick, kAxis - 4), Qt::AlignLeft | Qt::AlignVCenter,
                             label);
        }
    }
    painter.setPen(grid_color(dark));
    painter.drawLine(0, kAxis - 1, area.right(), kAxis - 1);
}

void TimelineView::paintHeading(QPainter& painter, const Row& row, int top, int width) {
    const auto next = static_cast<std::size_t>(&row - rows_.data()) + 1;
    const TraceTrack& first = models_[row.model]->tracks()[*rows_[next].track];
    painter.fillRect(QRect(0, top, kGutter + width, kHeading - 2), palette().color(QPalette::AlternateBase));
    const QString prefix = models_.size() > 1 ? QString("%1: ").arg(QChar('A' + int(row.model))) : QString();
    painter.drawText(QRect(4, top, kGutter + width, kHeading - 2), Qt::AlignLeft | Qt::AlignVCenter,
                     prefix + first.process_name);
}

void TimelineView::paintSpans(const Row& row) {
    // Beside a highlighted path the rest keeps enough colour to be told apart.
    constexpr float kPaled = 0.4F;
    constexpr float kSliver = 0.25F; // even a sliver stays visible
    const int bar = strip_.height();
    const int plain = bar - bar * kLine / kBar;
    const bool dark = is_dark(*this);
    const TraceModel& model = *models_[row.model];
    const bool path = path_ && model.has_critical_path();
    const double offset = offsets_[row.model];
    TraceModel::sample(model.tracks()[*row.track], from_ - offset, to_ - offset, pixels_);
    const QRgb ground = background_color(dark).rgb();
    const QRgb ink = text_color(dark).rgb();
    const auto mixed = [ground](QRgb full, float share) {
        const auto mix = [share](int a, int b) {
            return static_cast<int>(share * float(a) + (1.0F - share) * float(b));
        };
        return qRgb(mix(qRed(full), qRed(ground)), mix(qGreen(full), qGreen(ground)),
                    mix(qBlue(full), qBlue(ground)));
    };
    const int width = strip_.width();
    auto* line = reinterpret_cast<QRgb*>(strip_.bits());
    auto* below = reinterpret_cast<QRgb*>(strip_.scanLine(plain));
    for (std::size_t x = 0; x < pixels_.size(); ++x) {
        const TracePixel& pixel = pixels_[x];
        line[x] = ground;
        if (pixel.color >= 0) {
            const float full = kSliver + (1.0F - kSliver) * pixel.filled;
            const float critical = pixel.filled > 0.0F ? pixel.critical / pixel.filled : 0.0F;
            line[x] = mixed(colors_[row.model][static_cast<std::size_t>(pixel.color)],
                            path ? full * (kPaled + (1.0F - kPaled) * critical) : full);
        }
        below[x] = path && pixel.critical > 0.0F ? ink : line[x];
    }
    for (int y = 1; y < bar; ++y) {
        if (y != plain) {
            std::copy_n(y > plain ? below : line, width, reinterpret_cast<QRgb*>(strip_.scanLine(y)));
        }
    }
}

void TimelineView::paintRow(QPainter& painter, const Row& row, int top, int width) {
    painter.setPen(text_color(is_dark(*this)));
    if (!row.track) {
        paintHeading(painter, row, top, width);
        return;
    }
    const TraceTrack& track = models_[row.model]->tracks()[*row.track];
    painter.drawText(QRect(16, top, kGutter - 20, kBar), Qt::AlignLeft | Qt::AlignVCenter,
                     painter.fontMetrics().elidedText(track.thread_name, Qt::ElideRight, kGutter - 20));
    paintSpans(row);
    painter.drawImage(QRect(kGutter, top, width, kBar), strip_);
    paintNames(painter, row, top, width, width / (to_ - from_));
}

void TimelineView::paintNames(QPainter& painter, const Row& row, int top, int width, double per_second) {
    const TraceModel& model = *models_[row.model];
    const TraceTrack& track = model.tracks()[*row.track];
    const bool path = path_ && model.has_critical_path();
    constexpr double kReadable = 34.0;
    constexpr int kDark = 110;
    constexpr int kHairAlpha = 120;
    // Only where spans can be wide enough for their name.
    if (track.longest * per_second < kReadable) {
        return;
    }
    QColor hair = background_color(is_dark(*this));
    hair.setAlpha(kHairAlpha);
    const double from = from_ - offsets_[row.model];
    const double to = to_ - offsets_[row.model];
    const std::size_t first = TraceModel::first_behind(track, from);
    const auto most = static_cast<std::size_t>(width) * 4; // spans looked at
    const std::size_t last = std::min(track.spans.size(), first + most);
    for (std::size_t i = first; i < last && track.spans[i].start < to; ++i) {
        const TraceSpan& span = track.spans[i];
        const double left = std::max(0.0, (span.start - from) * per_second);
        const double right = std::min(static_cast<double>(width), (span.end - from) * per_second);
        if (right - left < 3.0) {
            continue;
        }
        // A hair between neighbours of one colour.
        painter.fillRect(QRectF(kGutter + right - 1.0, top, 1.0, kBar), hair);
        if (right - left >= kReadable) {
            const bool pale = path && !span.critical;
            const QRgb ground = colors_[row.model][span.color];
            painter.setPen(pale                    ? text_color(is_dark(*this))
                           : qGray(ground) < kDark ? QColor(Qt::white)
                                                   : QColor(Qt::black));
            const int tall = path && span.critical ? kBar - kLine : kBar;
            painter.drawText(QRectF(kGutter + left + 2, top, right - left - 3, tall),
                             Qt::AlignLeft | Qt::AlignVCenter,
                             painter.fontMetrics().elidedText(model.name(span.name), Qt::ElideRight,
                                                              static_cast<int>(right - left - 3)));
        }
    }
}

void TimelineView::paintMatches(QPainter& painter, int width) {
    constexpr double kWide = 8.0;
    constexpr int kStrip = 4;
    struct Run {
        double left = 0.0, right = -2.0;
    };
    // No kind of work has this colour.
    const QColor ink = is_dark(*this) ? QColor(0xE8, 0x6A, 0xF0) : QColor(0xA8, 0x00, 0xB0);
    const double per_second = width / (to_ - from_);
    const int scroll = verticalScrollBar()->value() - kAxis;
    std::vector<Run> runs(rows_.size()); // what is narrower than a pixel or two is merged
    const auto fill = [&](std::size_t row) {
        const Run& run = runs[row];
        if (run.right > run.left) {
            painter.fillRect(
                QRectF(kGutter + run.left, rows_[row].top - scroll, run.right - run.left, kStrip), ink);
        }
    };
    for (const SpanPlace& match : matches_) {
        const double left = (startOf(match) - from_) * per_second;
        const double right = (endOf(match) - from_) * per_second;
        if (left > width) {
            break; // they come by their start
        }
        if (right < 0.0) {
            continue;
        }
        if (right - left >= kWide) {
            paintMark(painter, match, width, QPen(ink, 2.0));
            continue;
        }
        Run& run = runs[rowOf_[match.model][match.track]];
        if (left > run.right + 1.0) {
            fill(rowOf_[match.model][match.track]);
            run = {left, std::max(right, left + 2.0)};
        } else {
            run.right = std::max(run.right, right);
        }
    }
    for (std::size_t row = 0; row < runs.size(); ++row) {
        fill(row);
    }
}

void TimelineView::paintMark(QPainter& painter, const SpanPlace& place, int width, const QPen& pen) {
    const double per_second = width / (to_ - from_);
    const double left = kGutter + (startOf(place) - from_) * per_second;
    const double wide = std::max(2.0, (endOf(place) - startOf(place)) * per_second);
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(QRectF(left, rowTop(place) - verticalScrollBar()->value() + kAxis, wide, kBar - 1));
}

} // namespace chokepoint::gui
