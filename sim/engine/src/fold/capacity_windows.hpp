// SPDX-License-Identifier: Apache-2.0
// Troubles of a link that begin and end, as one profile of its capacity.
#pragma once

#include <chokepoint/sim/network.hpp>
#include <chokepoint/sim/perturbation.hpp>

#include <vector>

namespace chokepoint::sim {

/// A span of time in which a link has less capacity.
struct CapacityWindow {
    hw::Seconds from, to; ///< `to` may be infinite
    double factor = 1.0;
};
CapacityWindow window_of(const Perturbation&);

/// Where windows overlap, their factors multiply.
CapacityProfile profile_of(const std::vector<CapacityWindow>&);

} // namespace chokepoint::sim
