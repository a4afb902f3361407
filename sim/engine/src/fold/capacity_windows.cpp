// SPDX-License-Identifier: Apache-2.0
// Cuts time where any window opens or closes.
#include "capacity_windows.hpp"

#include <limits>
#include <set>

namespace chokepoint::sim {

CapacityWindow window_of(const Perturbation& perturbation) {
    return {perturbation.from.value_or(hw::Seconds()),
            perturbation.to.value_or(hw::Seconds(std::numeric_limits<double>::infinity())),
            perturbation.factor.value_or(1.0)};
}

CapacityProfile profile_of(const std::vector<CapacityWindow>& windows) {
    std::set<double> moments;
    for (const CapacityWindow& window : windows) {
        moments.insert(window.from.value());
        moments.insert(window.to.value());
    }
    CapacityProfile profile;
    for (const double moment : moments) {
        double factor = 1.0;
        for (const CapacityWindow& window : windows) {
            const bool open = window.from.value() <= moment && moment < window.to.value();
            factor *= open ? window.factor : 1.0;
        }
        if (moment < std::numeric_limits<double>::infinity()) {
            profile.push_back({hw::Seconds(moment), factor});
        }
    }
    return profile;
}

} // namespace chokepoint::sim
