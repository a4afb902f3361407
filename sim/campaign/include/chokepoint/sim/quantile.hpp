// SPDX-License-Identifier: Apache-2.0
// Percentiles of what was drawn.
#pragma once

#include <vector>

namespace chokepoint::sim {

/// Linear between the two nearest of ascending values.
/// @throws std::invalid_argument if there are none, or if `share` is not one of 0 to 1
double quantile(const std::vector<double>& ascending, double share);

} // namespace chokepoint::sim
