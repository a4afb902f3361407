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
#include <limits>
#include <optional>
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
constexpr int kLeaderAlpha = 150;
constexpr double kGap = 6.0;
constexpr double kStep = 12.0; // along a level line
constexpr double kRingGap = 12.0;
constexpr double kMarker = 4.0; // half of a point's marker

bool crosses(const QLineF& line, const QRectF& box) {
    const std::array diagonals{QLineF(box.topLeft(), box.bottomRight()),
                               QLineF(box.topRight(), box.bottomLeft())};
    return std::ranges::any_of(diagonals, [&](const QLineF& diagonal) {
        return diagonal.intersects(line, nullptr) == QLineF::BoundedIntersection;
    });
}

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
        line->setVisible(inside);
        auto* leader = new QGraphicsLineItem(&chart_);
        leader->setPen(QPen(ink, 1.0));
        leader->setZValue(kInFront);
        if (!mark.horizontal) {
            uprights_.push_back(at);
        }
        moves_.emplace_back([=, this](const QRectF& area) {
            const QSizeF size = label->boundingRect().size();
            std::optional<QRectF> place;
            if (mark.horizontal) {
                const double height = y(area, at);
                line->setLine(area.left(), height, area.right(), height);
                place = inside ? beside_level(area, height, size) : std::nullopt;
            } else {
                const double across = x(area, at);
                line->setLine(across, area.top(), across, area.bottom());
                place = inside ? beside_upright(area, across, size) : std::nullopt;
            }
            label->setVisible(place.has_value());
            ground->setVisible(place.has_value());
            leader->setVisible(place.has_value() && !mark.horizontal);
            if (place) {
                taken_.push_back(*place);
                label->setPos(place->topLeft());
                ground->setRect(*place);
                const double across = x(area, at);
                const double middle = place->center().y();
                leader->setLine(across, middle,
                                place->left() > across ? place->left() - 2.0 : place->right() + 2.0, middle);
            }
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
        if (!contains(plane_.box(), at)) {
            return;
        }
        auto* label = text(name, ink);
        auto* leader = new QGraphicsLineItem(&chart_);
        ink.setAlpha(kLeaderAlpha);
        leader->setPen(QPen(ink, 1.0));
        leader->setZValue(kBehind);
        moves_.emplace_back([=, this](const QRectF& area) {
            place(area, *label, *leader, QPointF(x(area, at.x), y(area, at.y)), above, gap);
        });
    }

    /// Follows the plot area from now on; lives as long as the chart.
    static void follow(std::unique_ptr<Annotations> annotations) {
        std::shared_ptr<Annotations> shared = std::move(annotations);
        const auto move = [shared](const QRectF& area) {
            shared->taken_.clear();
            shared->leaders_.clear();
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
        return std::ranges::none_of(taken_, [&](const QRectF& box) { return box.intersects(wanted); }) &&
               std::ranges::none_of(leaders_, [&](const QLineF& line) { return crosses(line, wanted); });
    }
    /// Runs through words, or another point's marker.
    bool crossed(const QLineF& line) const {
        return std::ranges::any_of(
            taken_, [&](const QRectF& box) { return !box.contains(line.p1()) && crosses(line, box); });
    }
    /// Over or under a level line, as far to the right as nothing else stands; nothing if there is no room.
    std::optional<QRectF> beside_level(const QRectF& area, double height, const QSizeF& size) const {
        for (double right = area.right() - kGap; right - size.width() >= area.left(); right -= kStep) {
            for (const double top : {height - size.height(), height}) {
                const QRectF wanted(QPointF(right - size.width(), top), size);
                if (area.contains(wanted) && free(wanted)) {
                    return wanted;
                }
            }
        }
        return std::nullopt;
    }
    /// Beside an upright line, near the top, and where few other lines are broken by the words.
    std::optional<QRectF> beside_upright(const QRectF& area, double across, const QSizeF& size) const {
        constexpr double kBroken = 2.5; // as bad as so many lines of text further down
        std::optional<QRectF> best;
        double least = std::numeric_limits<double>::infinity();
        for (int row = 0; row < least; ++row) {
            const double top = area.top() + 2.0 + row * size.height();
            if (top + size.height() > area.bottom()) {
                break;
            }
            for (const double left : {across + kGap, across - kGap - size.width()}) {
                const QRectF wanted(QPointF(left, top), size);
                const auto broken = std::ranges::count_if(uprights_, [&](double other) {
                    return x(area, other) > wanted.left() && x(area, other) < wanted.right();
                });
                const double cost = row + kBroken * static_cast<double>(broken);
                if (cost < least && area.contains(wanted) && free(wanted)) {
                    least = cost;
                    best = wanted;
                }
            }
        }
        return best;
    }

    /// Where a name may stand around its point: beside it, over and under it, askew, and then line by line
    /// farther off.
    static std::vector<QPointF> places_around(const QSizeF& size, double gap) {
        constexpr int kLines = 8;
        constexpr double kLine = 14.0; // of type
        const double wide = size.width();
        const double tall = size.height();
        std::vector<QPointF> offsets{QPointF(gap, -tall / 2),           QPointF(-gap - wide, -tall / 2),
                                     QPointF(-wide / 2, -tall - gap),   QPointF(-wide / 2, gap),
                                     QPointF(gap, -tall - 2.0),         QPointF(gap, 2.0),
                                     QPointF(-gap - wide, -tall - 2.0), QPointF(-gap - wide, 2.0)};
        for (int line = 1; line <= kLines; ++line) {
            const double farther = gap + line * kLine;
            offsets.emplace_back(farther, -tall / 2);
            offsets.emplace_back(-farther - wide, -tall / 2);
            offsets.emplace_back(farther, 0.0);
            offsets.emplace_back(-farther - wide, 0.0);
            for (const double left : {-wide / 2, gap, -gap - wide}) {
                offsets.emplace_back(left, -tall - farther);
                offsets.emplace_back(left, farther);
            }
        }
        return offsets;
    }
    /// Right of the point, or wherever around it no other label stands; hidden if there is no room.
    void place(const QRectF& area, QGraphicsSimpleTextItem& label, QGraphicsLineItem& leader,
               const QPointF& at, bool above, double gap) {
        constexpr std::size_t kAbove = 2;
        constexpr std::size_t kNear = 8; // places from which one sees whose name it is
        const QSizeF size = label.boundingRect().size();
        const std::vector<QPointF> offsets = places_around(size, gap);
        leader.setVisible(false);
        for (std::size_t i = 0; i < offsets.size(); ++i) {
            const std::size_t n = (i + (above ? kAbove : 0)) % offsets.size();
            const QRectF wanted(at + offsets[n], size);
            const QLineF line(at, {std::clamp(at.x(), wanted.left() - 1.0, wanted.right() + 1.0),
                                   std::clamp(at.y(), wanted.top(), wanted.bottom())});
            if (area.contains(wanted) && free(wanted) && (n < kNear || !crossed(line))) {
                label.setPos(wanted.topLeft());
                taken_.push_back(wanted);
                label.setOpacity(1.0);
                if (n >= kNear) {
                    leaders_.push_back(line);
                }
                leader.setLine(line);
                leader.setVisible(n >= kNear);
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
    std::vector<double> uprights_; ///< lines of marks, as positions on the x axis
    std::vector<QRectF> taken_;
    std::vector<QLineF> leaders_;
};

struct NamedPoint {
    Point at;
    std::string names; ///< a line each
    bool above = false, ringed = false;
};

/// Points that lie on each other have one label with all their names. The last series are drawn on top, so
/// their names come first and go to where there is room.
std::vector<NamedPoint> named_points(const Chart& chart) {
    std::vector<NamedPoint> list;
    for (const Series& series : std::views::reverse(chart.series)) {
        for (std::size_t i = 0; i < std::min(series.labels.size(), series.points.size()) && !series.hidden;
             ++i) {
            const auto same = std::ranges::find_if(list, [&](const NamedPoint& other) {
                return !series.plain && !other.above && other.at == series.points[i];
            });
            if (same == list.end()) {
                list.push_back({series.points[i], series.labels[i], series.plain, series.ringed});
            } else {
                same->names += "\n" + series.labels[i];
            }
        }
    }
    return list;
}

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
    for (const NamedPoint& named : named_points(description)) {
        annotations->add(named.at, named.names, text_color(description.dark), named.above,
                         named.ringed ? kRingGap : kGap);
    }
    Annotations::follow(std::move(annotations));
}

} // namespace chokepoint::gui
