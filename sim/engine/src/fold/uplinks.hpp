// SPDX-License-Identifier: Apache-2.0
// The links of a cluster's fabric, in the terms of folding.
#pragma once

#include <chokepoint/sim/fold.hpp>
#include <chokepoint/sim/perturbation.hpp>

#include <chokepoint/hwmodels/topology.hpp>

#include <span>

namespace chokepoint::sim {

/// Leaves and pods with their uplinks; nothing where neither fabric nor perturbation can hold traffic up.
std::vector<Conditions::Tier> uplink_tiers(const hw::Cluster&, std::span<const Perturbation>);

} // namespace chokepoint::sim
