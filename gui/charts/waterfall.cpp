// SPDX-License-Identifier: GPL-3.0-or-later
// Bars that begin where the one above ends, panel below panel on one axis. Qt Charts has no such chart, so
// this one is painted.
#include "palette.hpp"
#include "parts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace chokepoint::gui {

namespace {

constexpr int kTitlePixels = 16;
constexpr int kPanelTitlePixels = 13;
constexpr int kTextPixels = 12;
constexpr double kMargin = 14.0;
constexpr double kBarPitch = 26.0, kBarHeight = 17.0;
constexpr double kPanelGap = 14.0;
constexpr double kAxisHeight = 44.0;
constexpr double kTickPixels = 90.0;
constexpr int kWidth = 860;
/// Where what changes is less than this share of the totals, an axis from zero would hide it.
constexpr double kVisible = 0.25;

struct Range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    void add(double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    [[nodiscard]] double size() const { return high > low ? high - low : 0.0; }
};

double widest_label(const Chart& chart) {
    const QFontMetricsF metrics(chart_font(kTextPixels));
    double width = 0.0;
    for (const BarPanel& panel : chart.panels) {
        for (const FloatingBar& bar : panel.bars) {
            width = std::max(width, metrics.horizontalAdvance(QString::fromStdString(bar.label)));
        }
    }
    return width + 10.0;
}

double head_height(const Chart& chart) { return kMargin + (chart.title.empty() ? 0.0 : 2.0 * kTitlePixels); }

double title_height(const BarPanel& panel) { return panel.title.empty() ? 0.0 : 1.6 * kPanelTitlePixels; }

double panel_height(const BarPanel& panel) {
    return static_cast<double>(panel.bars.size()) * kBarPitch + title_height(panel);
}

class WaterfallPainter {
public:
    WaterfallPainter(QPainter& painter, const QRectF& area, const Chart& chart)
        : painter_(painter),
          chart_(chart),
          area_(area),
          plot_(waterfall_plot(chart, area)),
          scale_(axis_with_ticks(waterfall_axis(chart), area.width()), {}) {}

    void paint() {
        painter_.save();
        painter_.setRenderHint(QPainter::Antialiasing, true);
        painter_.fillRect(area_, background_color(chart_.dark));
        set_text(kTitlePixels);
        const QRectF head(area_.left() + kMargin, area_.top() + kMargin, area_.width() - 2.0 * kMargin,
                          1.5 * kTitlePixels);
        painter_.drawText(
            head, Qt::AlignCenter,
            QFontMetricsF(painter_.font())
                .elidedText(QString::fromStdString(chart_.title), Qt::ElideRight, head.width()));
        paint_axis();
        double top = plot_.top();
        for (const BarPanel& panel : chart_.panels) {
            paint_panel(panel, top);
            top += panel_height(panel) + kPanelGap;
        }
        painter_.restore();
    }

private:
    static Axis axis_with_ticks(Axis axis, double width) {
        axis.log = false; // lengths add up only on a linear axis
        if (axis.ticks.empty()) {
            axis.ticks = linear_ticks(*axis.from, *axis.to, static_cast<int>(width / kTickPixels));
        }
        return axis;
    }
    [[nodiscard]] double x_of(double value) const {
        const double x =
            plot_.left() + (value - scale_.from()) / (scale_.to() - scale_.from()) * plot_.width();
        return std::clamp(x, plot_.left(), plot_.right());
    }
    void set_text(int pixels) {
        painter_.setFont(chart_font(pixels));
        painter_.setPen(text_color(chart_.dark));
    }

    void paint_axis() {
        for (const Tick& tick : scale_.ticks()) {
            const double x = x_of(tick.at);
            painter_.setPen(QPen(grid_color(chart_.dark), 1.0));
            double top = plot_.top();
            for (const BarPanel& panel : chart_.panels) { // behind the bars, but not through the titles
                const bool last = &panel == &chart_.panels.back();
                const double bottom = last ? plot_.bottom() + 4.0 : top + panel_height(panel);
                painter_.drawLine(QPointF(x, top + title_height(panel)), QPointF(x, bottom));
                top += panel_height(panel) + kPanelGap;
            }
            set_text(kTextPixels);
            painter_.drawText(QRectF(x - 50.0, plot_.bottom() + 4.0, 100.0, 18.0), Qt::AlignCenter,
                              QString::fromStdString(tick.label));
        }
        set_text(kTextPixels);
        const QString cut =
            scale_.from() > 0.0 ? QStringLiteral("; the axis does not begin at 0") : QString();
        painter_.drawText(QRectF(plot_.left(), plot_.bottom() + 22.0, plot_.width(), 18.0), Qt::AlignCenter,
                          QString::fromStdString(chart_.x.label) + cut);
    }

    void paint_panel(const BarPanel& panel, double top) {
        if (!panel.title.empty()) {
            set_text(kPanelTitlePixels);
            const QFontMetricsF metrics(painter_.font());
            // Its name is in the front and its figures are at the end.
            const QString title = metrics.elidedText(QString::fromStdString(panel.title), Qt::ElideMiddle,
                                                     area_.width() - 2.0 * kMargin);
            // Above the bars, or as far to the left as it needs to be seen whole.
            const double wide = metrics.horizontalAdvance(title);
            const double left =
                std::max(area_.left() + kMargin, std::min(plot_.left(), area_.right() - kMargin - wide));
            painter_.drawText(QRectF(left, top, area_.right() - left, 1.4 * kPanelTitlePixels),
                              Qt::AlignLeft | Qt::AlignVCenter, title);
            top += title_height(panel);
        }
        for (std::size_t i = 0; i < panel.bars.size(); ++i) {
            const QRectF row(plot_.left(), top + static_cast<double>(i) * kBarPitch, plot_.width(),
                             kBarPitch);
            paint_bar(panel.bars[i], row, i + 1 < panel.bars.size());
        }
    }

    void paint_bar(const FloatingBar& bar, const QRectF& row, bool leads_on) {
        set_text(kTextPixels);
        painter_.drawText(QRectF(area_.left() + kMargin, row.top(),
                                 plot_.left() - area_.left() - kMargin - 8.0, row.height()),
                          Qt::AlignRight | Qt::AlignVCenter, QString::fromStdString(bar.label));
        const double left = x_of(std::min(bar.from, bar.to));
        const double right = x_of(std::max(bar.from, bar.to));
        const QRectF body(left, row.top() + (kBarPitch - kBarHeight) / 2.0, std::max(right - left, 1.5),
                          kBarHeight);
        painter_.fillRect(body, bar_color(bar.kind));
        if (leads_on && bar.kind != BarKind::range) {
            const double end = x_of(bar.to);
            painter_.setPen(QPen(grid_color(chart_.dark).darker(160), 1.0, Qt::DotLine));
            painter_.drawLine(QPointF(end, body.bottom()),
                              QPointF(end, row.bottom() + (kBarPitch - kBarHeight) / 2.0));
        }
        set_text(kTextPixels);
        const QString text = QString::fromStdString(bar.text);
        const QRectF beside(right + 6.0, row.top(), area_.right() - right - 8.0, row.height());
        QRectF words = painter_.boundingRect(beside, Qt::AlignLeft | Qt::AlignVCenter, text);
        painter_.fillRect(words.adjusted(-2.0, 0.0, 2.0, 0.0), background_color(chart_.dark));
        painter_.drawText(beside, Qt::AlignLeft | Qt::AlignVCenter, text);
    }

    QPainter& painter_;
    const Chart& chart_;
    QRectF area_, plot_;
    Scale scale_;
};

} // namespace

Axis waterfall_axis(const Chart& chart) {
    // Zero to the largest, or around what changes if that would hide it.
    Range changes;
    Range all;
    for (const BarPanel& panel : chart.panels) {
        for (const FloatingBar& bar : panel.bars) {
            Range& range = bar.kind == BarKind::total ? all : changes;
            range.add(bar.from);
            range.add(bar.to);
            all.add(bar.to);
        }
    }
    const bool hidden =
        changes.size() > 0.0 && all.low >= 0.0 && changes.low > 0.0 && changes.size() < kVisible * all.high;
    Axis axis = chart.x;
    constexpr double kRoom = 0.25; // for the text beside the last bar
    const double low =
        hidden ? changes.low - changes.size() * 0.5 : std::min(0.0, std::min(all.low, changes.low));
    const double high = std::max(all.high, changes.high);
    axis.from = axis.from.value_or(low);
    axis.to = axis.to.value_or(high > low ? high + kRoom * (high - low) : low + 1.0);
    return axis;
}

QRectF waterfall_plot(const Chart& chart, const QRectF& area) {
    return area.adjusted(kMargin + widest_label(chart), head_height(chart), -kMargin, -kAxisHeight);
}

std::optional<BarPlace> waterfall_bar_at(const Chart& chart, double down) {
    for (const BarPanel& panel : chart.panels) {
        const double into = down - title_height(panel);
        if (into >= 0.0 && into < static_cast<double>(panel.bars.size()) * kBarPitch) {
            return BarPlace{&panel, &panel.bars[static_cast<std::size_t>(into / kBarPitch)]};
        }
        down -= panel_height(panel) + kPanelGap;
    }
    return std::nullopt;
}

QSize waterfall_size(const Chart& chart) {
    double height = head_height(chart) + kAxisHeight;
    for (const BarPanel& panel : chart.panels) {
        height += panel_height(panel) + kPanelGap;
    }
    return {kWidth, static_cast<int>(std::ceil(height))};
}

void paint_waterfall(QPainter& painter, const QRectF& area, const Chart& chart) {
    WaterfallPainter(painter, area, chart).paint();
}

} // namespace chokepoint::gui
