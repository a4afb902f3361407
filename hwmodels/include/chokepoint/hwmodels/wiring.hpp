// SPDX-License-Identifier: Apache-2.0
// How many switches a fabric takes for its nodes, and how the cables run: the arithmetic under topology and
// switch graph.
#pragma once

#include <chokepoint/hwmodels/cluster.hpp>

#include <cstdint>
#include <vector>

namespace chokepoint::hw {

/// A node plugs its NIC n into lane n mod lanes; nodes fill one set of leaves after the other. Leaves are
/// numbered set by set, and by lane within one.
struct Wiring {
    int nodes = 1;
    int nics = 1; ///< of a node
    int tiers = 1;
    int planes = 1;
    int lanes = 1;           ///< leaves of one node: rails, planes, or 1
    int nodes_per_group = 0; ///< whole nodes under one set of leaves; 0: a leaf holds less than a node
    int nics_per_leaf = 0;   ///< that the ports of a full leaf take
    int groups = 0;          ///< sets of `lanes` leaves
    int leaf_uplinks = 0;
    int spines = 0;        ///< of a plane, or of a pod where there are several
    int leaf_cables = 0;   ///< from a leaf to each spine
    int pod_leaves = 0;    ///< of a full pod; all of a plane where there is one
    int pods = 1;          ///< of a plane
    int spine_uplinks = 0; ///< of one spine
    int cores = 0;         ///< of a plane; core c belongs to spines number c / (cores / spines) of all pods
    int spine_cables = 0;  ///< from a spine to each of its cores

    [[nodiscard]] int leaves() const { return groups * lanes; }
    [[nodiscard]] int leaves_per_plane() const { return leaves() / planes; }
    /// NICs of the same lane that are plugged in before this one.
    [[nodiscard]] std::int64_t place_in_lane(int node, int nic) const {
        return std::int64_t{node} * (nics / lanes) + nic / lanes;
    }
    /// The set of leaves that a node's NIC is plugged into.
    [[nodiscard]] int group(int node, int nic) const {
        return nodes_per_group > 0 ? node / nodes_per_group
                                   : static_cast<int>(place_in_lane(node, nic) / nics_per_leaf);
    }
    [[nodiscard]] int leaf(int node, int nic) const { return group(node, nic) * lanes + nic % lanes; }
    [[nodiscard]] int plane(int leaf) const { return planes > 1 ? leaf % planes : 0; }
    /// Numbered within its plane.
    [[nodiscard]] int pod(int leaf) const {
        return pod_leaves > 0 ? (planes > 1 ? leaf / planes : leaf) / pod_leaves : 0;
    }
    /// NICs plugged into a leaf; the last ones may not be full.
    [[nodiscard]] int nics_of_leaf(int leaf) const;
};

/// Adds every fault to `faults`; without new ones the numbers are sound, but for spines or cores that a
/// parameter left out: the switch graph shows what these cut off.
Wiring wire(const Fabric&, const Node&, int nodes, std::vector<FabricFault>& faults);

/// Ports of a switch of `radix` ports that lead up, so that `oversubscription` times as many lead down: exact
/// where a fraction can be met without wasting a quarter of the switch.
int up_ports(int radix, double oversubscription);
/// Ports that lead down beside so many that lead up.
int down_ports(int radix, int up, double oversubscription);

} // namespace chokepoint::hw
