// SPDX-License-Identifier: GPL-3.0-or-later
#include "timeline_view.hpp"

#include "timeline_metrics.hpp"

#include <QScrollBar>

#include <algorithm>

namespace chokepoint::gui {

namespace {

constexpr double kNarrowest = 1e-9;

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
    offsets_.assign(models_.size(), 0.0);
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
    for (std::size_t m = 0; m < models_.size(); ++m) {
        last = std::max(last, offsets_[m] + models_[m]->end());
    }
    return last > 0.0 ? last : 1.0;
}

void TimelineView::setOffset(std::size_t model, double seconds) {
    offsets_[model] = std::max(0.0, seconds);
    setRange(from_, to_);
}

double TimelineView::startOf(const SpanPlace& place) const {
    return span(place).start + offsets_[place.model];
}
double TimelineView::endOf(const SpanPlace& place) const { return span(place).end + offsets_[place.model]; }

bool TimelineView::hasPath() const {
    return std::ranges::any_of(models_, [](const auto& model) { return model->has_critical_path(); });
}

void TimelineView::setPathShown(bool shown) {
    path_ = shown;
    viewport()->update();
}

void TimelineView::addRows(std::size_t model, std::size_t first, std::size_t last) {
    rows_.push_back({model, std::nullopt, height_});
    height_ += kHeading;
    for (std::size_t t = first; t < last; ++t) {
        rowOf_[model][t] = rows_.size();
        rows_.push_back({model, t, height_});
        height_ += kRow;
    }
}

void TimelineView::layOut() {
    rows_.clear();
    rowOf_.clear();
    for (const auto& model : models_) {
        rowOf_.emplace_back(model->tracks().size());
    }
    height_ = 0;
    // The timelines' processes by turns, so that what belongs together stands together.
    std::vector<std::size_t> next(models_.size(), 0);
    for (bool any = true; any;) {
        any = false;
        for (std::size_t m = 0; m < models_.size(); ++m) {
            const auto& tracks = models_[m]->tracks();
            std::size_t last = next[m];
            while (last < tracks.size() && tracks[last].process == tracks[next[m]].process) {
                ++last;
            }
            if (last > next[m]) {
                addRows(m, next[m], last);
                next[m] = last;
                any = true;
            }
        }
    }
    const int page = viewport()->height() - kAxis;
    verticalScrollBar()->setRange(0, std::max(0, height_ - page));
    verticalScrollBar()->setPageStep(std::max(1, page));
    verticalScrollBar()->setSingleStep(kRow);
}

std::vector<SpanPlace> TimelineView::rows() const {
    std::vector<SpanPlace> places;
    for (const Row& row : rows_) {
        if (row.track) {
            places.push_back({row.model, *row.track, 0});
        }
    }
    return places;
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

int TimelineView::rowTop(const SpanPlace& place) const { return rows_[rowOf_[place.model][place.track]].top; }

std::size_t TimelineView::search(const QString& words) {
    matches_.clear();
    match_ = 0;
    const auto fits_in = [](const std::vector<bool>& fits, std::uint32_t id) {
        return id != TraceSpan::kNoDetail && fits[id];
    };
    for (std::size_t m = 0; m < models_.size() && !words.isEmpty(); ++m) {
        std::vector<bool> fits(models_[m]->name_count());
        for (std::size_t n = 0; n < fits.size(); ++n) {
            fits[n] = models_[m]->name(static_cast<std::uint32_t>(n)).contains(words, Qt::CaseInsensitive);
        }
        for (std::size_t t = 0; t < models_[m]->tracks().size(); ++t) {
            const auto& spans = models_[m]->tracks()[t].spans;
            for (std::size_t s = 0; s < spans.size(); ++s) {
                if (fits_in(fits, spans[s].name) || fits_in(fits, spans[s].detail)) {
                    matches_.push_back({m, t, s});
                }
            }
        }
    }
    std::ranges::stable_sort(matches_, {}, [this](const SpanPlace& place) { return startOf(place); });
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
    const double begin = startOf(matches_[match_]);
    const double last = endOf(matches_[match_]);
    const double half = (to_ - from_) / 2;
    if (begin < from_ || last > to_) {
        setRange((begin + last) / 2 - half, (begin + last) / 2 + half);
    }
    verticalScrollBar()->setValue(rowTop(matches_[match_]) - verticalScrollBar()->pageStep() / 2);
}

void TimelineView::setHint(const QString& hint) {
    hint_ = hint;
    viewport()->update();
}

void TimelineView::select(std::optional<SpanPlace> place) {
    selected_ = place;
    viewport()->update();
    emit selectionChanged();
}

void TimelineView::focusInEvent(QFocusEvent* event) {
    QAbstractScrollArea::focusInEvent(event);
    viewport()->update();
}

void TimelineView::focusOutEvent(QFocusEvent* event) {
    QAbstractScrollArea::focusOutEvent(event);
    viewport()->update();
}

void TimelineView::resizeEvent(QResizeEvent* event) {
    QAbstractScrollArea::resizeEvent(event);
    layOut();
}

} // namespace chokepoint::gui
