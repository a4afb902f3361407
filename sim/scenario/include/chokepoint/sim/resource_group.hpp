// SPDX-License-Identifier: Apache-2.0
// Scenarios between two others: everything of one but for some groups of resources, which are the other's.
// What a group is worth is what it changes there.
#pragma once

#include <chokepoint/sim/scenario.hpp>

#include <bitset>
#include <string_view>
#include <vector>

namespace chokepoint::sim {

/// What can be taken from another scenario by itself.
enum class ResourceGroup {
    compute,  ///< tensor cores, SMs, their clock and kernels
    memory,   ///< bandwidth and capacity
    nvlink,   ///< with the node's switches and host; PCIe where a part has no NVLink
    nic,      ///< and the fabric behind it
    size,     ///< number of GPUs, as data-parallel replicas
    plan,     ///< model, parallel plan, precision, tokens, software: whatever the others leave
    failures, ///< their rate, checkpoints and restarts
    price     ///< prices, power and cost model
};
inline constexpr int kResourceGroups = 8;
/// "compute": as JSON names it.
std::string_view name(ResourceGroup);
/// "tensor cores and SMs": as a person reads it.
std::string_view label(ResourceGroup);

using GroupSet = std::bitset<kResourceGroups>;

/// The groups in which two scenarios differ, ascending. Some cannot be taken alone: a number format that one
/// of the parts lacks goes with compute; where plans spread the model over GPUs differently, or nodes hold
/// different numbers of GPUs, the number of GPUs goes with the plan; where a fabric cannot join the other's
/// nodes, it goes with their number.
std::vector<ResourceGroup> differing(const Scenario& a, const Scenario& b);

/// `a` with the groups `of_b` as `b` has them, of those in which the two differ: a itself for none, what b
/// does for all. The same as hybrid(b, a, all others), but for title and file, which are a's. Nothing is
/// checked again, memory neither.
Scenario hybrid(const Scenario& a, const Scenario& b, const GroupSet& of_b);

} // namespace chokepoint::sim
