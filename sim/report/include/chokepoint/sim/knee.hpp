// SPDX-License-Identifier: Apache-2.0
// Where a cost curve begins to hurt.
#pragma once

#include <optional>
#include <utility>
#include <vector>

namespace chokepoint::sim {

/// Where a curve of (x, y), x ascending, has risen (of a figure that should be large: fallen) by a share over
/// its best value for the last time, coming from its best end; straight between points on logarithmic axes.
/// Nothing if it never does.
std::optional<double> knee(const std::vector<std::pair<double, double>>& curve, double rise,
                           bool more_is_better);

} // namespace chokepoint::sim
