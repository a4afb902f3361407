// SPDX-License-Identifier: GPL-3.0-or-later
#include "timeline_view.hpp"

#include "text.hpp"
#include "theme.hpp"

#include "charts/axis.hpp"
#include "charts/palette.hpp"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace chokepoint::gui {

namespace {

constexpr int kGutter = 176;
constexpr int kAxis = 24;
constexpr int kRow = 18;
constexpr int kHeading = 20;
constexpr int kBar = 15; ///< of a row
constexpr double kNarrowest = 1e-9;
constexpr double kStep = 0.1; ///< of the shown stretch, by one key
constexpr double kIn = 0.75;

} // namespace

TimelineView::TimelineView(QWidget* parent) : QAbstractScrollArea(parent) {
    setFocusPolicy(Qt::StrongFocus);
    viewport()->setMouseTracking(true);
    setFrameShape(QFrame::NoFrame);
    setAccessibleName(tr("Timeline"));
    setAccessibleDescription(tr("W and S zoom, A and D move, N goes to the next match, arrows scroll"));
    connect(verticalScrollBar(), &QScrollBar::valueChanged, viewport(), qOverload<>(&QWidget::update));
}

void TimelineView::setModels(std::vector<std::shared_ptr<const TraceModel>> models) {
    models_ = std::move(models);
    colors_.clear();
    for (const auto& model : models_) {
        std::vector<QRgb> list;
        for (std::size_t i = 0; i < model->color_count(); ++i) {
            list.push_back(trace_color(model->color(static_cast<std::uint32_t>(i))).rgb());
        }
        colors_.push_back(std::move(list));
    }
    matches_.clear();
    selected_.reset();
    layOut();
    resetView();
}

double TimelineView::end() const {
    double last = 0.0;
    for (const auto& model : models_) {
        last = std::max(last, model->end());
    }
    return last > 0.0 ? last : 1.0;
}

void TimelineView::layOut() {
    rows_.clear();
    height_ = 0;
    for (std::size_t m = 0; m < models_.size(); ++m) {
        int process = -1;
        for (std::size_t t = 0; t < models_[m]->tracks().size(); ++t) {
            const TraceTrack& track = models_[m]->tracks()[t];
            if (t == 0 || track.process != process) {
                process = track.process;
                rows_.push_back({m, std::nullopt, height_});
                rows_.back().track = std::nullopt;
                height_ += kHeading;
            }
            rows_.push_back({m, t, height_});
            height_ += kRow;
        }
    }
    const int page = viewport()->height() - kAxis;
    verticalScrollBar()->setRange(0, std::max(0, height_ - page));
    verticalScrollBar()->setPageStep(std::max(1, page));
    verticalScrollBar()->setSingleStep(kRow);
}

void TimelineView::setRange(double from, double to) {
    const double whole = end();
    const double wide = std::clamp(to - from, kNarrowest, whole);
    from_ = std::clamp(from, 0.0, whole - wide);
    to_ = from_ + wide;
    viewport()->update();
    emit rangeChanged();
}

void TimelineView::zoom(double factor, double about) {
    setRange(about - (about - from_) * factor, about + (to_ - about) * factor);
}

void TimelineView::resetView() { setRange(0.0, end()); }

double TimelineView::timeAt(double x) const {
    return from_ + (x - kGutter) / std::max(1, viewport()->width() - kGutter) * (to_ - from_);
}

const TraceSpan& TimelineView::span(const SpanPlace& place) const {
    return models_[place.model]->tracks()[place.track].spans[place.span];
}

QImage TimelineView::render(const QSize& size) {
    QImage image(size, QImage::Format_RGB32);
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
}

void TimelineView::paintAll(QPainter& painter, const QSize& size) {
    const bool dark = is_dark(*this);
    painter.fillRect(QRect(QPoint(0, 0), size), background_color(dark));
    painter.setFont(chart_font(11));
    const int width = std::max(1, size.width() - kGutter);
    pixels_.resize(static_cast<std::size_t>(width));
    if (strip_.width() != width) {
        strip_ = QImage(width, kBar, QImage::Format_RGB32);
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
    constexpr std::size_t kMostMarked = 2000;
    std::size_t marked = 0;
    for (const SpanPlace& match : matches_) {
        const TraceSpan& found = span(match);
        if (found.end > from_ && found.start < to_ && ++marked < kMostMarked) {
            paintMark(painter, match, width, QPen(QColor(0xE6, 0x9F, 0x00), 1.5));
        }
    }
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
        painter.drawText(QRect(x + 3, 0, kPixelsPerTick, kAxis - 4), Qt::AlignLeft | Qt::AlignVCenter,
                         seconds_text(tick));
    }
    painter.setPen(grid_color(dark));
    painter.drawLine(0, kAxis - 1, area.right(), kAxis - 1);
}

void TimelineView::paintRow(QPainter& painter, const Row& row, int top, int width) {
    const bool dark = is_dark(*this);
    const TraceModel& model = *models_[row.model];
    painter.setPen(text_color(dark));
    if (!row.track) {
        const auto next = static_cast<std::size_t>(&row - rows_.data()) + 1;
        const TraceTrack& first = model.tracks()[*rows_[next].track];
        painter.fillRect(QRect(0, top, kGutter + width, kHeading - 2),
                         palette().color(QPalette::AlternateBase));
        const QString prefix =
            models_.size() > 1 ? QString("%1: ").arg(QChar('A' + int(row.model))) : QString();
        painter.drawText(QRect(4, top, kGutter + width, kHeading - 2), Qt::AlignLeft | Qt::AlignVCenter,
                         prefix + first.process_name);
        return;
    }
    const TraceTrack& track = model.tracks()[*row.track];
    painter.drawText(QRect(16, top, kGutter - 20, kBar), Qt::AlignLeft | Qt::AlignVCenter,
                     painter.fontMetrics().elidedText(track.thread_name, Qt::ElideRight, kGutter - 20));
    TraceModel::sample(track, from_, to_, pixels_);
    const QRgb ground = background_color(dark).rgb();
    auto* line = reinterpret_cast<QRgb*>(strip_.bits());
    for (std::size_t x = 0; x < pixels_.size(); ++x) {
        const TracePixel& pixel = pixels_[x];
        if (pixel.color < 0) {
            line[x] = ground;
            continue;
        }
        const QRgb full = colors_[row.model][static_cast<std::size_t>(pixel.color)];
        // Even a sliver stays visible.
        const float share = 0.25F + 0.75F * pixel.filled;
        const auto mix = [share](int a, int b) {
            return static_cast<int>(share * float(a) + (1.0F - share) * float(b));
        };
        line[x] = qRgb(mix(qRed(full), qRed(ground)), mix(qGreen(full), qGreen(ground)),
                       mix(qBlue(full), qBlue(ground)));
    }
    for (int y = 1; y < kBar; ++y) {
        std::copy_n(line, width, reinterpret_cast<QRgb*>(strip_.scanLine(y)));
    }
    painter.drawImage(kGutter, top, strip_);
    paintNames(painter, track, top, width, width / (to_ - from_));
}

void TimelineView::paintNames(QPainter& painter, const TraceTrack& track, int top, int width,
                              double per_second) {
    constexpr double kReadable = 34.0;
    constexpr int kDark = 110;
    // Only where spans can be wide enough for their name.
    if (track.longest * per_second < kReadable) {
        return;
    }
    const std::size_t first = TraceModel::first_behind(track, from_);
    const auto most = static_cast<std::size_t>(width) * 4; // spans looked at
    const std::size_t last = std::min(track.spans.size(), first + most);
    const TraceModel* model = nullptr;
    std::size_t number = 0;
    for (; number < models_.size() && model == nullptr; ++number) {
        const auto& tracks = models_[number]->tracks();
        if (&track >= tracks.data() && &track < tracks.data() + tracks.size()) {
            model = models_[number].get();
        }
    }
    for (std::size_t i = first; i < last && track.spans[i].start < to_; ++i) {
        const TraceSpan& span = track.spans[i];
        const double left = std::max(0.0, (span.start - from_) * per_second);
        const double right = std::min(static_cast<double>(width), (span.end - from_) * per_second);
        if (right - left < 3.0) {
            continue;
        }
        // A hair between neighbours of one colour.
        painter.fillRect(QRectF(kGutter + right - 1.0, top, 1.0, kBar), QColor(255, 255, 255, 110));
        if (right - left >= kReadable) {
            const QRgb ground = colors_[number - 1][span.color];
            painter.setPen(qGray(ground) < kDark ? Qt::white : Qt::black);
            painter.drawText(QRectF(kGutter + left + 3, top, right - left - 5, kBar),
                             Qt::AlignLeft | Qt::AlignVCenter, model->name(span.name));
        }
    }
}

void TimelineView::paintMark(QPainter& painter, const SpanPlace& place, int width, const QPen& pen) {
    const TraceSpan& found = span(place);
    const double per_second = width / (to_ - from_);
    const double left = kGutter + (found.start - from_) * per_second;
    const double wide = std::max(2.0, (found.end - found.start) * per_second);
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(QRectF(left, rowTop(place) - verticalScrollBar()->value() + kAxis, wide, kBar - 1));
}

int TimelineView::rowTop(const SpanPlace& place) const {
    const auto row = std::ranges::find_if(
        rows_, [&](const Row& r) { return r.model == place.model && r.track && *r.track == place.track; });
    return row == rows_.end() ? -kRow : row->top;
}

std::size_t TimelineView::search(const QString& words) {
    matches_.clear();
    match_ = 0;
    for (std::size_t m = 0; m < models_.size() && !words.isEmpty(); ++m) {
        std::vector<bool> fits(models_[m]->name_count());
        for (std::size_t n = 0; n < fits.size(); ++n) {
            fits[n] = models_[m]->name(static_cast<std::uint32_t>(n)).contains(words, Qt::CaseInsensitive);
        }
        for (std::size_t t = 0; t < models_[m]->tracks().size(); ++t) {
            const auto& spans = models_[m]->tracks()[t].spans;
            for (std::size_t s = 0; s < spans.size(); ++s) {
                if (fits[spans[s].name]) {
                    matches_.push_back({m, t, s});
                }
            }
        }
    }
    std::ranges::stable_sort(matches_, {}, [this](const SpanPlace& place) { return span(place).start; });
    viewport()->update();
    return matches_.size();
}

void TimelineView::nextMatch(int step) {
    if (matches_.empty()) {
        return;
    }
    const auto count = static_cast<std::ptrdiff_t>(matches_.size());
    const bool on_it = selected_ && *selected_ == matches_[match_];
    match_ =
        static_cast<std::size_t>((static_cast<std::ptrdiff_t>(match_) + (on_it ? step : 0) + count) % count);
    select(matches_[match_]);
    const TraceSpan& found = span(matches_[match_]);
    const double half = (to_ - from_) / 2;
    if (found.start < from_ || found.end > to_) {
        setRange((found.start + found.end) / 2 - half, (found.start + found.end) / 2 + half);
    }
    verticalScrollBar()->setValue(rowTop(matches_[match_]) - verticalScrollBar()->pageStep() / 2);
}

void TimelineView::select(std::optional<SpanPlace> place) {
    selected_ = place;
    viewport()->update();
    emit selectionChanged();
}

std::optional<SpanPlace> TimelineView::placeAt(const QPointF& at) const {
    const double y = at.y() - kAxis + verticalScrollBar()->value();
    for (const Row& row : rows_) {
        if (row.track && y >= row.top && y < row.top + kBar && at.x() >= kGutter && at.y() >= kAxis) {
            const auto found = TraceModel::span_at(models_[row.model]->tracks()[*row.track], timeAt(at.x()));
            return found ? std::optional(SpanPlace{row.model, *row.track, *found}) : std::nullopt;
        }
    }
    return std::nullopt;
}

void TimelineView::resizeEvent(QResizeEvent* event) {
    QAbstractScrollArea::resizeEvent(event);
    layOut();
}

QString TimelineView::words(const SpanPlace& place) const {
    const TraceSpan& found = span(place);
    const TraceTrack& track = models_[place.model]->tracks()[place.track];
    QString text = tr("%1: %2, from %3 to %4")
                       .arg(models_[place.model]->name(found.name), seconds_text(found.end - found.start),
                            seconds_text(found.start), seconds_text(found.end));
    text += tr("; %1, %2").arg(track.process_name, track.thread_name);
    if (found.micro_batch >= 0) {
        text += tr("; micro-batch %1").arg(found.micro_batch);
    }
    if (found.layer >= 0) {
        text += tr(", layer %1").arg(found.layer);
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
            QToolTip::showText(event->globalPosition().toPoint(), words(*place), this);
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

void TimelineView::keyPressEvent(QKeyEvent* event) {
    const double by = kStep * (to_ - from_);
    const double middle = (from_ + to_) / 2;
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
    case Qt::Key_F: // zoom to the selection
        if (selected_) {
            const TraceSpan& found = span(*selected_);
            const double margin = (found.end - found.start) / 2;
            setRange(found.start - margin, found.end + margin);
        }
        return;
    case Qt::Key_N:
        return nextMatch((event->modifiers() & Qt::ShiftModifier) != 0 ? -1 : 1);
    case Qt::Key_Home:
        return resetView();
    default:
        QAbstractScrollArea::keyPressEvent(event);
    }
}

} // namespace chokepoint::gui
