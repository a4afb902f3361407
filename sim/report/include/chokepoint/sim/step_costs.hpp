// SPDX-License-Identifier: Apache-2.0
// Prices the work of a graph on a cluster: where operators become seconds and transfers become port flows.
#pragma once

#include <chokepoint/sim/timeline.hpp>

#include <chokepoint/hwmodels/cost_model.hpp>
#include <chokepoint/hwmodels/transfer.hpp>

#include <optional>
#include <vector>

namespace chokepoint::sim {

/// By transfer of a graph; unset where no task uses it.
using GroupDistances = std::vector<std::optional<hw::Distance>>;

/// How far apart on the cluster the members of each transfer's groups are. Equal transfers of several groups
/// have one price: that of the group whose members are farthest apart, and of the ring with the longest hops.
/// @throws std::invalid_argument with the faults of the cluster's fabric.
GroupDistances group_distances(const work::TaskGraph&, const work::RankLayout&, const hw::Cluster&);

/// What every piece of work of the graph costs on the cluster. Compute takes the sum of its operators'
/// estimates beside what else runs then. A transfer with `uneven` waits until the slowest of its
/// members has done its routed kernels: their time x plan.routing_imbalance x expected_maximum(members).
/// `distances` are those between the members of each transfer's group; without them groups may lie anywhere.
/// @throws std::invalid_argument if the part lacks an operator's dtype, or a group does not fill its nodes.
StepCosts cost_step(const work::TaskGraph&, const work::ModelArch&, const work::ParallelPlan&,
                    const hw::Cluster&, const hw::CostModel&, const hw::TransferRates&,
                    const GroupDistances& distances = {});
/// The same with the shipped transfer rates.
/// @throws std::runtime_error if their file cannot be read.
StepCosts cost_step(const work::TaskGraph&, const work::ModelArch&, const work::ParallelPlan&,
                    const hw::Cluster&, const hw::CostModel&);

/// Lets the slowest of `gpus` GPUs set the pace of all: arithmetic takes variation x expected_maximum(gpus)
/// longer, where `variation` is the coefficient of variation of their speeds. What streams memory does not.
void pace_by_slowest(StepCosts&, const work::TaskGraph&, double variation, int gpus);

/// Whether a kernel's time goes with the rows that the router sent to its GPU.
bool is_routed(hw::KernelClass);

/// Expected maximum of `members` independent standard normal values: 0 for one, 0.564 for two, 2.344 for 64.
/// @throws std::invalid_argument if there are none.
double expected_maximum(int members);

} // namespace chokepoint::sim
