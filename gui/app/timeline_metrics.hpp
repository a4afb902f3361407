// SPDX-License-Identifier: GPL-3.0-or-later
// Sizes that the painting of timelines and the pointer on them agree on, in pixels.
#pragma once

namespace chokepoint::gui {

inline constexpr int kGutter = 176; ///< left of the spans: names
inline constexpr int kAxis = 24;    ///< above them: time
inline constexpr int kRow = 18;
inline constexpr int kHeading = 20;
inline constexpr int kBar = 15; ///< of a row

} // namespace chokepoint::gui
