// SPDX-License-Identifier: Apache-2.0
// What the kernels of a scenario's layers spend their time on.
#pragma once

#include <chokepoint/hwmodels/cost_model.hpp>
#include <chokepoint/sim/scenario.hpp>

namespace chokepoint::sim {

/// Of one micro-batch through all layers and the head, forward and backward, on the GPU that runs them.
hw::KernelMix kernel_mix(const Scenario&, const hw::CostModel&);

} // namespace chokepoint::sim
