// SPDX-License-Identifier: Apache-2.0
// Says which kernels of a step lie outside what was measured, so that nobody takes their times for granted.
#pragma once

#include <chokepoint/sim/timeline.hpp>

#include <chokepoint/hwmodels/cost_model.hpp>
#include <chokepoint/workloads/task_graph.hpp>

#include <string>
#include <vector>

namespace chokepoint::sim {

/// A line for each kernel class and number format of which at least a hundredth of the step's kernel time is
/// extrapolated, the largest first; none if nothing is.
std::vector<std::string> extrapolation_warnings(const work::TaskGraph&, const StepCosts&,
                                                const hw::CostModel&);

} // namespace chokepoint::sim
