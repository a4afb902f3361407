// SPDX-License-Identifier: GPL-3.0-or-later
// Sizes that the painting of timelines and the pointer on them agree on, in pixels.
#pragma once

namespace chokepoint::gui {

inline constexpr int kGutter = 176; ///< left of the spans: names
inline constexpr int kAxis = 24;    ///< above them: time
inline constexpr int kRow = 19;
inline constexpr int kHeading = 20;
inline constexpr int kBar = 16; ///< of a row
inline constexpr int kLine = 3; ///< of a bar: the lowest part, where what is on the critical path has a line

} // namespace chokepoint::gui
