// SPDX-License-Identifier: GPL-3.0-or-later
// A row per pipeline rank, a cell per action, to scale: schedules as papers draw them. Qt Charts has no such
// chart, so this one is painted.
#include "palette.hpp"
#include "parts.hpp"

#include <algorithm>
#include <set>

namespace chokepoint::gui {

namespace {

constexpr int kTitlePixels = 16;
constexpr int kTextPixels = 12;
constexpr double kMargin = 14.0;
constexpr double kRowHeight = 26.0;
constexpr double kRowGap = 3.0;
constexpr double kAxisHeight = 44.0;
constexpr double kLegendHeight = 26.0;
constexpr double kUnitPixels = 20.0; ///< of the shortest cell
constexpr double kTickPixels = 70.0;
constexpr double kMinPlot = 400.0, kMaxPlot = 6000.0;

double end_of(const Chart& chart) {
    double end = 0.0;
    for (const Row& row : chart.rows) {
        for (const Span& span : row.spans) {
            end = std::max(end, span.end);
        }
    }
    return chart.x.to.value_or(end > 0.0 ? end : 1.0);
}

double shortest_cell(const Chart& chart) {
    double shortest = end_of(chart);
    for (const Row& row : chart.rows) {
        for (const Span& span : row.spans) {
            double shares = 0.0;
            for (const SpanPart& part : span.parts) {
                shares += part.share;
            }
            for (const SpanPart& part : span.parts) {
                const double cell = (span.end - span.start) * part.share / shares;
                shortest = cell > 0.0 ? std::min(shortest, cell) : shortest;
            }
        }
    }
    return shortest;
}

double label_width(const Chart& chart) {
    const QFontMetricsF metrics(chart_font(kTextPixels));
    double width = 0.0;
    for (const Row& row : chart.rows) {
        width = std::max(width, metrics.horizontalAdvance(QString::fromStdString(row.label)));
    }
    return width + 10.0;
}

double head_height(const Chart& chart) { return kMargin + (chart.title.empty() ? 0.0 : 2.0 * kTitlePixels); }

/// Ticks as wide apart as their labels need, however long the chart.
Axis time_axis(const Chart& chart, double width) {
    Axis axis{.from = chart.x.from.value_or(0.0), .to = end_of(chart), .ticks = chart.x.ticks};
    if (axis.ticks.empty()) {
        axis.ticks = linear_ticks(*axis.from, *axis.to, static_cast<int>(width / kTickPixels));
    }
    return axis;
}

QPen frame_pen() { return QPen(Qt::black, 1.8); }

class GanttPainter {
public:
    GanttPainter(QPainter& painter, const QRectF& area, const Chart& chart)
        : painter_(painter),
          chart_(chart),
          scale_(time_axis(chart, area.width()), {}),
          area_(area),
          plot_(area.left() + kMargin + label_width(chart), area.top() + head_height(chart), 0.0, 0.0) {
        plot_.setRight(area.right() - kMargin);
        plot_.setBottom(area.bottom() - kAxisHeight - kLegendHeight);
    }

    void paint() {
        painter_.save();
        painter_.setRenderHint(QPainter::Antialiasing, true);
        painter_.fillRect(area_, Qt::white);
        paint_title();
        paint_axis();
        const double pitch = plot_.height() / static_cast<double>(chart_.rows.size());
        for (std::size_t i = 0; i < chart_.rows.size(); ++i) {
            const QRectF row(plot_.left(), plot_.top() + static_cast<double>(i) * pitch, plot_.width(),
                             pitch - kRowGap);
            paint_row(chart_.rows[i], row);
        }
        paint_legend();
        painter_.restore();
    }

private:
    [[nodiscard]] double x_of(double time) const {
        return plot_.left() + (time - scale_.from()) / (scale_.to() - scale_.from()) * plot_.width();
    }
    void set_text(int pixels) {
        painter_.setFont(chart_font(pixels));
        painter_.setPen(text_color());
    }

    void paint_title() {
        set_text(kTitlePixels);
        painter_.drawText(QRectF(area_.left(), area_.top() + kMargin, area_.width(), 1.5 * kTitlePixels),
                          Qt::AlignCenter, QString::fromStdString(chart_.title));
    }

    void paint_axis() {
        for (const Tick& tick : scale_.ticks()) {
            const double x = x_of(tick.at);
            painter_.setPen(QPen(grid_color(), 1.0));
            painter_.drawLine(QPointF(x, plot_.top()), QPointF(x, plot_.bottom() + 4.0));
            set_text(kTextPixels);
            painter_.drawText(QRectF(x - 40.0, plot_.bottom() + 4.0, 80.0, 18.0), Qt::AlignCenter,
                              QString::fromStdString(tick.label));
        }
        set_text(kTextPixels);
        painter_.drawText(QRectF(plot_.left(), plot_.bottom() + 22.0, plot_.width(), 18.0), Qt::AlignCenter,
                          QString::fromStdString(chart_.x.label));
    }

    void paint_row(const Row& row, const QRectF& at) {
        set_text(kTextPixels);
        painter_.drawText(QRectF(area_.left() + kMargin, at.top(),
                                 plot_.left() - area_.left() - kMargin - 8.0, at.height()),
                          Qt::AlignRight | Qt::AlignVCenter, QString::fromStdString(row.label));
        for (const Span& span : row.spans) {
            paint_span(span, at);
        }
        for (const Span& span : row.spans) { // over all cells, so that none covers half a frame
            if (span.parts.size() > 1) {
                paint_frame(span, at);
            }
        }
    }

    /// Work that overlaps stands in one frame, as in the published figures.
    void paint_frame(const Span& span, const QRectF& row) {
        const double from = std::max(span.start, scale_.from());
        const double to = std::min(span.end, scale_.to());
        if (to > from) {
            framed_ = true;
            painter_.setBrush(Qt::NoBrush);
            painter_.setPen(frame_pen());
            painter_.drawRect(QRectF(QPointF(x_of(from), row.top()), QPointF(x_of(to), row.bottom())));
        }
    }

    void paint_span(const Span& span, const QRectF& row) {
        const double from = std::max(span.start, scale_.from());
        const double to = std::min(span.end, scale_.to());
        if (to <= from) {
            return;
        }
        double shares = 0.0;
        for (const SpanPart& part : span.parts) {
            shares += part.share;
        }
        double at = span.start;
        for (const SpanPart& part : span.parts) {
            const double end = at + (span.end - span.start) * part.share / shares;
            const QRectF cell(QPointF(x_of(std::max(at, from)), row.top()),
                              QPointF(x_of(std::min(end, to)), row.bottom()));
            if (cell.width() > 0.0) {
                paint_cell(part, cell);
            }
            at = end;
        }
    }

    void paint_cell(const SpanPart& part, const QRectF& cell) {
        used_.insert(part.kind);
        painter_.setBrush(span_color(part.kind, part.shade));
        painter_.setPen(QPen(Qt::white, 0.8));
        painter_.drawRect(cell);
        const QString text = QString::fromStdString(part.text);
        const QFont font = chart_font(kTextPixels);
        if (QFontMetricsF(font).horizontalAdvance(text) <= cell.width() - 1.0) {
            set_text(kTextPixels);
            painter_.drawText(cell, Qt::AlignCenter, text);
        }
    }

    void paint_legend() {
        double x = plot_.left();
        for (const SpanKind kind : used_) {
            x = paint_key(x, span_color(kind, 0), Qt::NoPen, std::string(span_name(kind)));
        }
        if (framed_) {
            paint_key(x, Qt::white, frame_pen(), "overlapped");
        }
    }

    /// Where the next one starts.
    double paint_key(double x, const QColor& color, const QPen& pen, const std::string& name) {
        const double y = area_.bottom() - kLegendHeight;
        painter_.setBrush(color);
        painter_.setPen(pen);
        painter_.drawRect(QRectF(x, y + 3.0, 12.0, 12.0));
        set_text(kTextPixels);
        const QString text = QString::fromStdString(name);
        const double width = QFontMetricsF(chart_font(kTextPixels)).horizontalAdvance(text) + 4.0;
        painter_.drawText(QRectF(x + 17.0, y, width, 18.0), Qt::AlignLeft | Qt::AlignVCenter, text);
        return x + 17.0 + width + 14.0;
    }

    QPainter& painter_;
    const Chart& chart_;
    Scale scale_;
    QRectF area_, plot_;
    std::set<SpanKind> used_;
    bool framed_ = false;
};

} // namespace

QSize gantt_size(const Chart& chart) {
    const double cells = (end_of(chart) - chart.x.from.value_or(0.0)) / shortest_cell(chart);
    const double plot = std::clamp(cells * kUnitPixels, kMinPlot, kMaxPlot);
    return {static_cast<int>(plot + label_width(chart) + 2.0 * kMargin),
            static_cast<int>(head_height(chart) + kRowHeight * static_cast<double>(chart.rows.size()) +
                             kAxisHeight + kLegendHeight)};
}

void paint_gantt(QPainter& painter, const QRectF& area, const Chart& chart) {
    GanttPainter(painter, area, chart).paint();
}

} // namespace chokepoint::gui
