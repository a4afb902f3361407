// SPDX-License-Identifier: GPL-3.0-or-later
// Segments by Liang and Barsky; bands by adding the places where an edge crosses the box and clamping.
#include "clip.hpp"

#include <algorithm>
#include <optional>

namespace chokepoint::gui {

namespace {

Point between(const Point& a, const Point& b, double share) {
    return {a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)};
}

std::optional<std::pair<Point, Point>> clip_segment(const Point& a, const Point& b, const Box& box) {
    double enter = 0.0;
    double leave = 1.0;
    const auto cut = [&](double direction, double distance) {
        if (direction == 0.0) {
            return distance >= 0.0;
        }
        const double at = distance / direction;
        (direction < 0.0 ? enter : leave) = direction < 0.0 ? std::max(enter, at) : std::min(leave, at);
        return enter <= leave;
    };
    const double dx = b.x - a.x;
    const double dy = b.y - a.y;
    if (!cut(-dx, a.x - box.left) || !cut(dx, box.right - a.x) || !cut(-dy, a.y - box.bottom) ||
        !cut(dy, box.top - a.y)) {
        return std::nullopt;
    }
    return std::pair(enter > 0.0 ? between(a, b, enter) : a, leave < 1.0 ? between(a, b, leave) : b);
}

BandPoint between(const BandPoint& a, const BandPoint& b, double share) {
    return {a.x + share * (b.x - a.x), a.low + share * (b.low - a.low), a.high + share * (b.high - a.high)};
}

/// Where between a and b the band meets a side of the box, as shares of the way, in order.
std::vector<double> crossings(const BandPoint& a, const BandPoint& b, const Box& box) {
    std::vector<double> shares;
    const auto meet = [&](double from, double to, double side) {
        if ((from - side) * (to - side) < 0.0) {
            shares.push_back((side - from) / (to - from));
        }
    };
    for (const double side : {box.left, box.right}) {
        meet(a.x, b.x, side);
    }
    for (const double side : {box.bottom, box.top}) {
        meet(a.low, b.low, side);
        meet(a.high, b.high, side);
    }
    std::ranges::sort(shares);
    return shares;
}

} // namespace

bool contains(const Box& box, const Point& p) {
    return p.x >= box.left && p.x <= box.right && p.y >= box.bottom && p.y <= box.top;
}

std::vector<std::vector<Point>> clip_line(const std::vector<Point>& line, const Box& box) {
    std::vector<std::vector<Point>> pieces;
    if (line.size() == 1 && contains(box, line.front())) {
        pieces.push_back(line);
    }
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
        const auto kept = clip_segment(line[i], line[i + 1], box);
        if (!kept) {
            continue;
        }
        if (pieces.empty() || pieces.back().back() != kept->first) {
            pieces.push_back({kept->first});
        }
        pieces.back().push_back(kept->second);
    }
    return pieces;
}

std::vector<BandPoint> clip_band(const std::vector<BandPoint>& band, const Box& box) {
    std::vector<BandPoint> dense;
    for (std::size_t i = 0; i < band.size(); ++i) {
        dense.push_back(band[i]);
        if (i + 1 < band.size()) {
            for (const double share : crossings(band[i], band[i + 1], box)) {
                dense.push_back(between(band[i], band[i + 1], share));
            }
        }
    }
    const double slack = 1e-9 * (box.right - box.left);
    std::vector<BandPoint> kept;
    for (BandPoint point : dense) {
        if (point.x >= box.left - slack && point.x <= box.right + slack) {
            point.low = std::clamp(point.low, box.bottom, box.top);
            point.high = std::clamp(point.high, box.bottom, box.top);
            kept.push_back(point);
        }
    }
    return kept;
}

} // namespace chokepoint::gui
