// SPDX-License-Identifier: Apache-2.0
// From what a scenario perturbs to what sets each GPU apart.
#pragma once

#include <chokepoint/sim/fold.hpp>
#include <chokepoint/sim/scenario.hpp>

namespace chokepoint::sim {

/// @throws std::invalid_argument if a perturbation names what the cluster lacks.
Conditions make_conditions(std::span<const Perturbation>, const hw::Cluster&, const work::ParallelPlan&);

} // namespace chokepoint::sim
