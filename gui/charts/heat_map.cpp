// SPDX-License-Identifier: GPL-3.0-or-later
// A cell for each pair of categories, coloured by its value and with the value in it. Qt Charts has no such
// chart, so this one is painted.
#include "palette.hpp"
#include "parts.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace chokepoint::gui {

namespace {

constexpr int kTitlePixels = 16;
constexpr int kTextPixels = 12;
constexpr double kMargin = 16.0;
constexpr double kLine = 20.0;
constexpr double kLegendWidth = 16.0;
constexpr double kLegendText = 64.0;

// Cividis at five places: even in lightness for any colour vision (Nunez, Anderton and Renslow, 2018,
// doi 10.1371/journal.pone.0199239). Light is little, so that black text stays readable over most.
constexpr std::array<QRgb, 5> kScale{0xFFFEE838, 0xFFBCAF6F, 0xFF7C7B78, 0xFF414D6B, 0xFF00224E};

QColor color_at(double share) {
    const double at = std::clamp(share, 0.0, 1.0) * (kScale.size() - 1);
    const auto low = std::min(static_cast<std::size_t>(at), kScale.size() - 2);
    const double rest = at - static_cast<double>(low);
    const QColor a = QColor::fromRgb(kScale[low]);
    const QColor b = QColor::fromRgb(kScale[low + 1]);
    const auto mix = [&](int x, int y) { return static_cast<int>(std::lround(x + (y - x) * rest)); };
    return {mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue())};
}

class HeatPainter {
public:
    HeatPainter(QPainter& painter, const QRectF& area, const Chart& chart)
        : painter_(painter),
          chart_(chart),
          area_(area) {
        for (const Series& row : chart.series) {
            for (const double value : row.values) {
                if (std::isfinite(value)) {
                    low_ = std::min(low_, value);
                    high_ = std::max(high_, value);
                }
            }
        }
        const QFontMetricsF metrics(chart_font(kTextPixels));
        double labels = 0.0;
        for (const Series& row : chart.series) {
            labels = std::max(labels, metrics.horizontalAdvance(QString::fromStdString(row.name)));
        }
        plot_ =
            QRectF(QPointF(area.left() + kMargin + kLine + labels + 8.0, area.top() + kMargin + 2.0 * kLine),
                   QPointF(area.right() - kMargin - kLegendWidth - kLegendText,
                           area.bottom() - kMargin - 2.5 * kLine));
    }

    void paint() {
        painter_.save();
        painter_.fillRect(area_, background_color(chart_.dark));
        text(QRectF(area_.left(), area_.top() + kMargin, area_.width(), kLine), chart_.title, Qt::AlignCenter,
             kTitlePixels);
        const double width = plot_.width() / static_cast<double>(chart_.categories.size());
        const double height = plot_.height() / static_cast<double>(chart_.series.size());
        for (std::size_t r = 0; r < chart_.series.size(); ++r) {
            const double top = plot_.top() + static_cast<double>(r) * height;
            text(QRectF(area_.left() + kMargin + kLine, top,
                        plot_.left() - area_.left() - kMargin - kLine - 8.0, height),
                 chart_.series[r].name, Qt::AlignRight | Qt::AlignVCenter, kTextPixels);
            for (std::size_t c = 0; c < chart_.series[r].values.size(); ++c) {
                cell(QRectF(plot_.left() + static_cast<double>(c) * width, top, width, height),
                     chart_.series[r].values[c]);
            }
        }
        for (std::size_t c = 0; c < chart_.categories.size(); ++c) {
            text(QRectF(plot_.left() + static_cast<double>(c) * width, plot_.bottom() + 4.0, width, kLine),
                 chart_.categories[c], Qt::AlignCenter, kTextPixels);
        }
        text(QRectF(plot_.left(), plot_.bottom() + 1.3 * kLine, plot_.width(), kLine), chart_.x.label,
             Qt::AlignCenter, kTextPixels + 1);
        painter_.save();
        painter_.translate(area_.left() + kMargin, plot_.center().y());
        painter_.rotate(-90.0);
        text(QRectF(-plot_.height() / 2.0, -4.0, plot_.height(), kLine), chart_.y.label, Qt::AlignCenter,
             kTextPixels + 1);
        painter_.restore();
        legend();
        painter_.restore();
    }

private:
    /// Of the scale, which is logarithmic where values span more than a decade.
    [[nodiscard]] bool decades() const { return low_ > 0.0 && high_ > 10.0 * low_; }
    [[nodiscard]] double share(double value) const {
        if (high_ <= low_) {
            return 0.0;
        }
        return decades() ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
    }
    [[nodiscard]] double value_at(double share) const {
        return decades() ? low_ * std::pow(high_ / low_, share) : low_ + share * (high_ - low_);
    }

    void text(const QRectF& box, const std::string& words, int flags, int pixels) {
        painter_.setFont(chart_font(pixels));
        painter_.setPen(text_color(chart_.dark));
        painter_.drawText(box, flags, QString::fromStdString(words));
    }

    void cell(const QRectF& box, double value) {
        const bool known = std::isfinite(value);
        const QColor fill = known ? color_at(share(value)) : grid_color(chart_.dark);
        painter_.fillRect(box.adjusted(0.5, 0.5, -0.5, -0.5), fill);
        constexpr double kHalf = 0.45; // of the scale, where black turns unreadable
        painter_.setPen(known && share(value) > kHalf ? Qt::white : QColor(Qt::black));
        painter_.setFont(chart_font(kTextPixels));
        const QString words =
            known ? QString::fromStdString(number_text(rounded(value))) : QStringLiteral("–");
        if (QFontMetricsF(chart_font(kTextPixels)).horizontalAdvance(words) < box.width()) {
            painter_.drawText(box, Qt::AlignCenter, words);
        }
    }

    /// To three digits, which is what a cell has room for.
    static double rounded(double value) {
        if (value == 0.0) {
            return 0.0;
        }
        const double unit = std::pow(10.0, std::floor(std::log10(std::abs(value))) - 2.0);
        return std::round(value / unit) * unit;
    }

    void legend() {
        constexpr int kSteps = 64;
        const QRectF bar(plot_.right() + kMargin, plot_.top(), kLegendWidth, plot_.height());
        for (int i = 0; i < kSteps; ++i) {
            const double from = static_cast<double>(i) / kSteps;
            painter_.fillRect(QRectF(bar.left(), bar.bottom() - (from + 1.0 / kSteps) * bar.height(),
                                     bar.width(), bar.height() / kSteps + 1.0),
                              color_at(from));
        }
        for (const double at : {0.0, 0.5, 1.0}) {
            text(
                QRectF(bar.right() + 4.0, bar.bottom() - at * bar.height() - kLine / 2.0, kLegendText, kLine),
                number_text(rounded(value_at(at))), Qt::AlignLeft | Qt::AlignVCenter, kTextPixels);
        }
    }

    QPainter& painter_;
    const Chart& chart_;
    QRectF area_, plot_;
    double low_ = std::numeric_limits<double>::infinity();
    double high_ = -std::numeric_limits<double>::infinity();
};

} // namespace

void paint_heat_map(QPainter& painter, const QRectF& area, const Chart& chart) {
    HeatPainter(painter, area, chart).paint();
}

} // namespace chokepoint::gui
