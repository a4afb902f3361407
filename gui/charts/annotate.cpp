// SPDX-License-Identifier: GPL-3.0-or-later
// Names what Qt Charts has no series for: thresholds, regions and single points.
#include "palette.hpp"
#include "parts.hpp"

#include <QFontMetricsF>
#include <QGraphicsLineItem>
#include <QGraphicsRectItem>
#include <QGraphicsSimpleTextItem>

#include <algorithm>
#include <array>
#include <functional>
#include <ranges>

namespace chokepoint::gui {

namespace {

// Between Qt's plot area and its grid, and above every series.
constexpr double kBehind = 0.5;
constexpr double kInFront = 20.0;
constexpr int kLabelPixels = 11;
constexpr int kRegionAlpha = 34;
constexpr int kBarAlpha = 200;
constexpr int kVeilAlpha = 215;
constexpr double kGap = 6.0;
constexpr double kRingGap = 12.0;
constexpr double kMarker = 4.0; // half of a point's marker

class Annotations {
public:
    Annotations(QChart& chart, const Plane& plane, bool dark) : chart_(chart), plane_(plane), dark_(dark) {}

    void add(const Region& region) {
        QColor fill = series_color(region.color, dark_);
        auto* label = text(region.label, dark_ ? fill.lighter(140) : fill.darker(130));
        fill.setAlpha(region.solid ? kBarAlpha : kRegionAlpha);
        auto* box = new QGraphicsRectItem(&chart_);
        box->setBrush(fill);
        box->setPen(QPen(series_color(region.color, dark_), 1.0, region.solid ? Qt::SolidLine : Qt::DotLine));
        box->setZValue(kBehind);
        const double left = region.left ? plane_.x.position(*region.left) : plane_.x.from();
        const double right = region.right ? plane_.x.position(*region.right) : plane_.x.to();
        const double bottom = region.bottom ? plane_.y.position(*region.bottom) : plane_.y.from();
        const double top = region.top ? plane_.y.position(*region.top) : plane_.y.to();
        moves_.emplace_back([=, this](const QRectF& area) {
            const QRectF whole(QPointF(x(area, left), y(area, top)),
                               QPointF(x(area, right), y(area, bottom)));
            const QRectF shown = whole.normalized() & area;
            box->setVisible(!shown.isEmpty());
            box->setRect(shown);
            label->setVisible(shown.height() > label->boundingRect().height());
            label->setPos(shown.right() - label->boundingRect().width() - kGap,
                          free_height(area, shown, *label));
        });
    }

    void add(const Mark& mark) {
        const QColor ink = dark_ ? QColor(0xC0, 0xC0, 0xC0) : QColor(0x50, 0x50, 0x50);
        auto* line = new QGraphicsLineItem(&chart_);
        line->setPen(QPen(ink, 1.0, Qt::DashLine));
        line->setZValue(kBehind);
        auto* label = text(mark.label, ink);
        const Scale& scale = mark.horizontal ? plane_.y : plane_.x;
        const double at = scale.position(mark.at);
        const bool inside = at >= scale.from() && at <= scale.to();
        // Other marks' lines end at the words.
        QColor veil = background_color(dark_);
        veil.setAlpha(kVeilAlpha);
        auto* ground = new QGraphicsRectItem(&chart_);
        ground->setPen(Qt::NoPen);
        ground->setBrush(veil);
        ground->setZValue(kInFront - 1.0);
        for (QGraphicsItem* item : std::array<QGraphicsItem*, 3>{line, label, ground}) {
            item->setVisible(inside);
        }
        moves_.emplace_back([=, this](const QRectF& area) {
            if (mark.horizontal) {
                const double height = y(area, at);
                line->setLine(area.left(), height, area.right(), height);
                const double tall = label->boundingRect().height();
                label->setPos(area.right() - label->boundingRect().width() - kGap,
                              height - tall < area.top() ? height : height - tall);
                ground->setRect(label->mapRectToParent(label->boundingRect()));
                return;
            }
            const double across = x(area, at);
            line->setLine(across, area.top(), across, area.bottom());
            const QSizeF size = label->boundingRect().size();
            const bool fits = across + kGap + size.width() <= area.right();
            QRectF wanted(QPointF(fits ? across + kGap : across - kGap - size.width(), area.top() + 2.0),
                          size);
            while (!free(wanted) && wanted.bottom() + size.height() < area.bottom()) {
                wanted.translate(0.0, size.height()); // close thresholds stay readable below each other
            }
            taken_.push_back(wanted);
            label->setPos(wanted.topLeft());
            ground->setRect(wanted);
        });
    }

    /// A point's marker, over which no words are put.
    void avoid(const Point& point, bool ringed) {
        const Point at{plane_.x.position(point.x), plane_.y.position(point.y)};
        const double half = ringed ? kRingGap - 2.0 : kMarker;
        if (contains(plane_.box(), at)) {
            moves_.emplace_back([=, this](const QRectF& area) {
                const QPointF centre(x(area, at.x), y(area, at.y));
                taken_.emplace_back(centre - QPointF(half, half), QSizeF(2 * half, 2 * half));
            });
        }
    }

    /// `above`: over the point rather than beside it.
    void add(const Point& point, const std::string& name, QColor ink, bool above, double gap) {
        const Point at{plane_.x.position(point.x), plane_.y.position(point.y)};
        auto* label = text(name, ink);
        label->setVisible(contains(plane_.box(), at));
        moves_.emplace_back([=, this](const QRectF& area) {
            place(area, *label, QPointF(x(area, at.x), y(area, at.y)), above, gap);
        });
    }

    /// Follows the plot area from now on; lives as long as the chart.
    static void follow(std::unique_ptr<Annotations> annotations) {
        std::shared_ptr<Annotations> shared = std::move(annotations);
        const auto move = [shared](const QRectF& area) {
            shared->taken_.clear();
            for (const auto& one : shared->moves_) {
                one(area);
            }
        };
        QObject::connect(&shared->chart_, &QChart::plotAreaChanged, &shared->chart_, move);
    }

private:
    QGraphicsSimpleTextItem* text(const std::string& words, const QColor& ink) {
        auto* item = new QGraphicsSimpleTextItem(QString::fromStdString(words), &chart_);
        item->setFont(chart_font(kLabelPixels));
        item->setBrush(ink);
        item->setZValue(kInFront);
        return item;
    }
    double x(const QRectF& area, double at) const {
        return area.left() + (at - plane_.x.from()) / (plane_.x.to() - plane_.x.from()) * area.width();
    }
    double y(const QRectF& area, double at) const {
        return area.bottom() - (at - plane_.y.from()) / (plane_.y.to() - plane_.y.from()) * area.height();
    }

    bool free(const QRectF& wanted) const {
        return std::ranges::none_of(taken_, [&](const QRectF& box) { return box.intersects(wanted); });
    }
    /// Right of the point, or wherever around it no other label stands; hidden if there is no room.
    void place(const QRectF& area, QGraphicsSimpleTextItem& label, const QPointF& at, bool above,
               double gap) {
        const QSizeF size = label.boundingRect().size();
        const double wide = size.width();
        const double tall = size.height();
        const double farther = tall + gap + 2.0; // a second line above or below
        const std::array<QPointF, 12> offsets{QPointF(gap, -tall / 2),
                                              QPointF(-gap - wide, -tall / 2),
                                              QPointF(-wide / 2, -tall - gap),
                                              QPointF(-wide / 2, gap),
                                              QPointF(gap, -tall - 2.0),
                                              QPointF(gap, 2.0),
                                              QPointF(-gap - wide, -tall - 2.0),
                                              QPointF(-gap - wide, 2.0),
                                              QPointF(-wide / 2, -tall - farther),
                                              QPointF(-wide / 2, farther),
                                              QPointF(gap, -tall - farther),
                                              QPointF(gap, farther)};
        constexpr std::size_t kAbove = 2;
        for (std::size_t i = 0; i < offsets.size(); ++i) {
            const QPointF& offset = offsets[(i + (above ? kAbove : 0)) % offsets.size()];
            const QRectF wanted(at + offset, size);
            if (area.contains(wanted) && free(wanted)) {
                label.setPos(wanted.topLeft());
                taken_.push_back(wanted);
                label.setOpacity(1.0);
                return;
            }
        }
        label.setOpacity(0.0);
    }
    /// The lowest line of the region, or one above it while another region's name is there.
    double free_height(const QRectF& area, const QRectF& shown, const QGraphicsSimpleTextItem& label) {
        const QSizeF size = label.boundingRect().size();
        QRectF wanted(QPointF(shown.right() - size.width() - kGap, shown.top() + 2.0), size);
        while (!free(wanted) && wanted.bottom() + size.height() < std::min(shown.bottom(), area.bottom())) {
            wanted.translate(0.0, size.height());
        }
        taken_.push_back(wanted);
        return wanted.top();
    }

    QChart& chart_;
    Plane plane_;
    bool dark_;
    std::vector<std::function<void(const QRectF&)>> moves_;
    std::vector<QRectF> taken_;
};

} // namespace

void annotate(QChart& chart, const Chart& description, const Plane& plane) {
    auto annotations = std::make_unique<Annotations>(chart, plane, description.dark);
    for (const Series& series : description.series) {
        if (description.kind == ChartKind::scatter && !series.hidden && !series.plain && !series.joined) {
            std::ranges::for_each(series.points,
                                  [&](const Point& point) { annotations->avoid(point, series.ringed); });
        }
    }
    for (const Region& region : description.regions) {
        annotations->add(region);
    }
    for (const Mark& mark : description.marks) {
        annotations->add(mark);
    }
    // The last are drawn on top, so their names go first to where there is room.
    for (const Series& series : std::views::reverse(description.series)) {
        for (std::size_t i = 0; i < std::min(series.labels.size(), series.points.size()); ++i) {
            annotations->add(series.points[i], series.labels[i], text_color(description.dark), series.plain,
                             series.ringed ? kRingGap : kGap);
        }
    }
    Annotations::follow(std::move(annotations));
}

} // namespace chokepoint::gui
