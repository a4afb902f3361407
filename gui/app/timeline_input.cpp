// SPDX-License-Identifier: GPL-3.0-or-later
// What pointer, wheel and keys do to timelines.
#include "timeline_metrics.hpp"
#include "timeline_view.hpp"

#include "text.hpp"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace chokepoint::gui {

namespace {

constexpr double kStep = 0.1; ///< of the shown stretch, by one key
constexpr double kIn = 0.75;

} // namespace

std::optional<SpanPlace> TimelineView::placeAt(const QPointF& at) const {
    const double y = at.y() - kAxis + verticalScrollBar()->value();
    for (const Row& row : rows_) {
        if (row.track && y >= row.top && y < row.top + kBar && at.x() >= kGutter && at.y() >= kAxis) {
            const auto found = TraceModel::span_at(models_[row.model]->tracks()[*row.track],
                                                   timeAt(at.x()) - offsets_[row.model]);
            return found ? std::optional(SpanPlace{row.model, *row.track, *found}) : std::nullopt;
        }
    }
    return std::nullopt;
}

QString TimelineView::words(const SpanPlace& place) const {
    const TraceSpan& found = span(place);
    const TraceTrack& track = models_[place.model]->tracks()[place.track];
    QString text = tr("%1: %2, from %3 to %4")
                       .arg(models_[place.model]->name(found.name), seconds_text(found.end - found.start),
                            seconds_text(startOf(place)), seconds_text(endOf(place)));
    text += tr("; %1, %2").arg(track.process_name, track.thread_name);
    if (found.micro_batch >= 0) {
        text += tr("; micro-batch %1").arg(found.micro_batch);
    }
    if (found.layer >= 0) {
        text += tr(", layer %1").arg(found.layer);
    }
    if (found.detail != TraceSpan::kNoDetail) {
        text += "; " + models_[place.model]->name(found.detail);
    }
    return text;
}

void TimelineView::wheelEvent(QWheelEvent* event) {
    constexpr double kNotch = 120.0;
    if ((event->modifiers() & Qt::ControlModifier) != 0) {
        zoom(std::pow(kIn, event->angleDelta().y() / kNotch), timeAt(event->position().x()));
    } else if ((event->modifiers() & Qt::ShiftModifier) != 0) {
        const double by = -event->angleDelta().y() / kNotch * kStep * (to_ - from_);
        setRange(from_ + by, to_ + by);
    } else {
        QAbstractScrollArea::wheelEvent(event);
    }
}

void TimelineView::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) {
        moved_ = false;
        ((event->modifiers() & Qt::ShiftModifier) != 0 ? band_ : drag_) = event->position();
    }
}

void TimelineView::mouseMoveEvent(QMouseEvent* event) {
    const QPointF before = pointer_;
    pointer_ = event->position();
    if (drag_) {
        moved_ = moved_ || (pointer_ - *drag_).manhattanLength() > 3.0;
        const double by = timeAt(before.x()) - timeAt(pointer_.x());
        setRange(from_ + by, to_ + by);
        verticalScrollBar()->setValue(verticalScrollBar()->value() + int(before.y() - pointer_.y()));
    } else if (band_) {
        viewport()->update();
    } else {
        const auto place = placeAt(pointer_);
        emit hovered(place ? words(*place) : QString());
        if (place) {
            // Rich text, whose lines break.
            QToolTip::showText(event->globalPosition().toPoint(),
                               "<p>" + words(*place).toHtmlEscaped() + "</p>", this);
        } else {
            QToolTip::hideText();
        }
    }
}

void TimelineView::mouseReleaseEvent(QMouseEvent* event) {
    if (band_) {
        const double a = timeAt(band_->x());
        const double b = timeAt(event->position().x());
        band_.reset();
        setRange(std::min(a, b), std::max(a, b));
    } else if (drag_ && !moved_) {
        select(placeAt(event->position()));
    }
    drag_.reset();
}

void TimelineView::mouseDoubleClickEvent(QMouseEvent*) { resetView(); }

void TimelineView::showSelected() {
    if (selected_) {
        const double margin = (endOf(*selected_) - startOf(*selected_)) / 2;
        setRange(startOf(*selected_) - margin, endOf(*selected_) + margin);
    }
}

void TimelineView::keyPressEvent(QKeyEvent* event) {
    const double by = kStep * (to_ - from_);
    const double middle = (from_ + to_) / 2;
    if (event->matches(QKeySequence::Copy)) {
        return copy();
    }
    if (event->key() == Qt::Key_E && (event->modifiers() & Qt::ControlModifier) != 0) {
        return askExport();
    }
    switch (event->key()) {
    case Qt::Key_W:
    case Qt::Key_Plus:
        return zoom(kIn, middle);
    case Qt::Key_S:
    case Qt::Key_Minus:
        return zoom(1.0 / kIn, middle);
    case Qt::Key_A:
    case Qt::Key_Left:
        return setRange(from_ - by, to_ - by);
    case Qt::Key_D:
    case Qt::Key_Right:
        return setRange(from_ + by, to_ + by);
    case Qt::Key_F:
        return showSelected();
    case Qt::Key_N:
        return nextMatch((event->modifiers() & Qt::ShiftModifier) != 0 ? -1 : 1);
    case Qt::Key_Home:
        return resetView();
    default:
        QAbstractScrollArea::keyPressEvent(event);
    }
}

} // namespace chokepoint::gui
