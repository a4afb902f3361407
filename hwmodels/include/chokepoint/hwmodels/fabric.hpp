// SPDX-License-Identifier: Apache-2.0
// The parameters of the network between nodes, and what is wrong with them.
#pragma once

#include <chokepoint/hwmodels/units.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::hw {

struct Node;

enum class FabricKind { single_switch, fat_tree_2, fat_tree_3, rail_optimised, multi_plane };
std::span<const FabricKind> fabric_kinds();
std::string_view name(FabricKind);
/// By name. "fat-tree" is fat-tree-3 and "multi-plane-fat-tree" multi-plane, as older files call them.
std::optional<FabricKind> fabric_kind_from(std::string_view);

/// Switches of one size between the NICs; every cable carries a NIC's line rate. Traffic spreads evenly over
/// equal cables.
struct Fabric {
    FabricKind kind = FabricKind::multi_plane;
    int radix = 64;                    ///< ports of one switch
    int tiers = 2;                     ///< of switches; a choice for rail-optimised and multi-plane alone
    double oversubscription = 1.0;     ///< of a leaf: cables to NICs over cables to spines
    double pod_oversubscription = 1.0; ///< of a pod's spines, with three tiers: cables down over cables up
    int rails = 8;                     ///< rail-optimised: leaves that a node is plugged into
    int planes = 8;                    ///< multi-plane: separate networks, which share nothing
    std::optional<int> pod_leaves;     ///< of one plane; unset: as many as the spines' ports allow
    std::optional<int> spines; ///< of one plane, or of one pod with three tiers; unset: as many as it takes
    std::optional<int> cores;  ///< of one plane, with three tiers; unset: as many as it takes
    Seconds latency_same_leaf; ///< one way, NIC to NIC
    Seconds latency_cross_leaf;
    Seconds latency_cross_pod;
    friend bool operator==(const Fabric&, const Fabric&) = default;
};

/// The tiers that the kind prescribes; nothing where it leaves 2 or 3 to choose.
std::optional<int> prescribed_tiers(FabricKind);
/// The longest latency that two NICs of a fabric of these tiers can have.
Seconds longest_latency(const Fabric&);

/// Latencies of the network between the members of a group.
struct Distance {
    Seconds farthest; ///< between the two that are farthest apart
    Seconds hop;      ///< from one node to the next along a ring, mean
    friend bool operator==(const Distance&, const Distance&) = default;
};
/// Of a group that may lie anywhere: every way is the longest.
Distance longest_distance(const Fabric&);
/// NICs that the largest fabric of these switches joins.
std::int64_t max_endpoints(const Fabric&);
/// The fabric with no more rails and planes than the node has NICs to plug into them: what lies unused
/// changes nothing.
Fabric trimmed(Fabric, const Node&);

/// Why a parameter ("planes") says nothing about a fabric of this kind; empty where it does.
std::string why_without_effect(const Fabric&, std::string_view parameter);

/// What is wrong with a parameter of a fabric, or with how nodes are plugged in.
struct FabricFault {
    std::string parameter; ///< "planes"; "nics" and "nodes" are the cluster's
    std::string message;
    friend bool operator==(const FabricFault&, const FabricFault&) = default;
};
/// One line per fault: "planes: 3 planes do not divide …".
std::string to_text(const std::vector<FabricFault>&);
/// Of the fabric by itself.
std::vector<FabricFault> check_fabric(const Fabric&);
/// Of the fabric with so many nodes plugged in: all at once, those of the fabric by itself among them.
std::vector<FabricFault> check_fabric(const Fabric&, const Node&, int nodes);

} // namespace chokepoint::hw
