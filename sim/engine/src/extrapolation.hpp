// SPDX-License-Identifier: Apache-2.0
// Says which kernels of a step lie outside what was measured, so that nobody takes their times for granted.
#pragma once

#include <chokepoint/sim/report.hpp>
#include <chokepoint/sim/timeline.hpp>

#include <chokepoint/hwmodels/cost_model.hpp>
#include <chokepoint/workloads/task_graph.hpp>

#include <string>
#include <vector>

namespace chokepoint::sim {

/// The largest first; none if nothing is extrapolated.
std::vector<ExtrapolatedKernels> extrapolated_kernels(const work::TaskGraph&, const StepCosts&,
                                                      const hw::CostModel&);

/// A line for each of them that has at least a hundredth of the kernel time, and one if collectives are wider
/// than any that were measured.
std::vector<std::string> extrapolation_warnings(const work::TaskGraph&,
                                                const std::vector<ExtrapolatedKernels>&);

} // namespace chokepoint::sim
