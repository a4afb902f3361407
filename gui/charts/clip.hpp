// SPDX-License-Identifier: GPL-3.0-or-later
// Cuts series at the axes, since Qt's SVG writer does not.
#pragma once

#include "description.hpp"

#include <vector>

namespace chokepoint::gui {

struct Box {
    double left = 0.0, right = 1.0, bottom = 0.0, top = 1.0;
};

/// The pieces of a line that lie in the box.
std::vector<std::vector<Point>> clip_line(const std::vector<Point>& line, const Box&);
/// The part of a band that lies in the box; x must not fall. Empty if there is none.
std::vector<BandPoint> clip_band(const std::vector<BandPoint>& band, const Box&);
bool contains(const Box&, const Point&);

} // namespace chokepoint::gui
