// SPDX-License-Identifier: Apache-2.0
// Interpolates between order statistics.
#include <chokepoint/sim/quantile.hpp>

#include <cmath>
#include <stdexcept>

namespace chokepoint::sim {

double quantile(const std::vector<double>& ascending, double share) {
    if (ascending.empty() || !(share >= 0.0 && share <= 1.0)) {
        throw std::invalid_argument("a percentile needs values and a share from 0 to 1");
    }
    const double at = share * static_cast<double>(ascending.size() - 1);
    const auto low = static_cast<std::size_t>(at);
    const double above = at - static_cast<double>(low);
    // An infinite neighbour counts only where something of it is taken, and two of them are not interpolated.
    const bool between = above > 0.0 && ascending[low] < ascending[low + 1];
    return between ? std::lerp(ascending[low], ascending[low + 1], above) : ascending[low];
}

} // namespace chokepoint::sim
