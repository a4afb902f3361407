// SPDX-License-Identifier: Apache-2.0
// Looks leftwards from a curve's best point.
#include <chokepoint/sim/knee.hpp>

#include <cmath>

namespace chokepoint::sim {

std::optional<double> knee(const std::vector<std::pair<double, double>>& curve, double rise,
                           bool more_is_better) {
    if (rise <= 0.0 || curve.size() < 2) {
        return std::nullopt;
    }
    const auto cost = [&](std::size_t i) { return more_is_better ? 1.0 / curve[i].second : curve[i].second; };
    std::size_t best = 0;
    for (std::size_t i = 0; i < curve.size(); ++i) {
        best = cost(i) <= cost(best) ? i : best; // the rightmost of equals
    }
    const double limit = cost(best) * (1.0 + rise);
    // From the best place leftwards: caps hurt when they are small.
    for (std::size_t i = best; i-- > 0;) {
        if (cost(i) > limit && cost(i + 1) <= limit) {
            const double left = curve[i].first;
            const double right = curve[i + 1].first;
            const double share = std::log(limit / cost(i + 1)) / std::log(cost(i) / cost(i + 1));
            return left > 0.0 ? right * std::pow(left / right, share) : right + (left - right) * share;
        }
    }
    return std::nullopt;
}

} // namespace chokepoint::sim
