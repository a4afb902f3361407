// SPDX-License-Identifier: Apache-2.0
// Where the GPUs of a cluster lie on its fabric, and which shared cables their traffic climbs.
#pragma once

#include <chokepoint/hwmodels/wiring.hpp>

#include <array>
#include <span>
#include <string>
#include <vector>

namespace chokepoint::hw {

/// All cables between a leaf and its spines, or between a pod and the cores: the traffic is spread evenly
/// over them, so that they act as one. `capacity` is that of each direction.
struct SharedLink {
    std::string name; ///< "leaf 3 uplink", "plane 2 pod 1 uplink"
    BytesPerSecond capacity;
    friend bool operator==(const SharedLink&, const SharedLink&) = default;
};

/// How far two GPUs are apart.
enum class Tier : int { node = 0, leaf = 1, pod = 2, core = 3 };
inline constexpr int kTiers = 4;
std::string_view name(Tier);

/// How a group of GPUs lies on the fabric.
struct GroupExtent {
    Tier worst = Tier::node;
    Seconds latency; ///< between the members that are farthest apart; zero for one member
    Seconds hop;     ///< mean latency of the ring's steps between nodes; zero where it never leaves a node
    /// Share of what a member sends that goes to peers of each tier, mean over members: to all others alike,
    std::array<double, kTiers> all_to_all{};
    /// or to the next member of the list, the first being next to the last.
    std::array<double, kTiers> ring{};
    /// Of the network; without meaning for a group inside one node.
    [[nodiscard]] Distance distance() const { return {latency, hop}; }
    friend bool operator==(const GroupExtent&, const GroupExtent&) = default;
};

/// Levels, not tables of pairs: 131,072 GPUs take about as much memory as their leaves.
///
/// On rail-optimised and multi-plane fabrics a node is plugged into several leaves, and GPUs of the same
/// index share one. Traffic between GPUs of different index goes over NVLink first, to the GPU whose NIC is
/// in the receiver's rail or plane (as DeepEP does, and NCCL with PXN), so it never crosses from rail to rail
/// in the network: two nodes under the same leaves are of tier leaf, whatever the GPUs' indices.
class Topology {
public:
    [[nodiscard]] int gpus() const { return wiring_.nodes * node_.gpus; }
    /// Links that can hold traffic up: those with less capacity than the NICs under them. None on a
    /// non-blocking fabric.
    [[nodiscard]] std::span<const SharedLink> links() const { return links_; }
    /// The shared links that the GPU's network traffic climbs, its leaf's first; the peer's climb is the way
    /// down. Traffic of tier leaf takes none, of tier pod the leaf's, of tier core all.
    [[nodiscard]] std::span<const int> climb(int gpu) const;
    /// The part of climb(gpu) that traffic of this tier takes.
    [[nodiscard]] std::span<const int> climb(int gpu, Tier) const;

    [[nodiscard]] int node(int gpu) const { return gpu / node_.gpus; }
    /// The leaf of the GPU's (first) NIC, numbered through the cluster.
    [[nodiscard]] int leaf(int gpu) const;
    [[nodiscard]] int pod(int gpu) const;
    [[nodiscard]] int leaves() const { return wiring_.leaves(); }
    [[nodiscard]] int pods() const { return wiring_.pods; }
    [[nodiscard]] Tier tier(int a, int b) const;
    [[nodiscard]] Seconds latency(Tier) const;
    [[nodiscard]] Seconds latency(int a, int b) const { return a == b ? Seconds() : latency(tier(a, b)); }
    /// @throws std::invalid_argument if there are no members.
    [[nodiscard]] GroupExtent extent(std::span<const int> members) const;

    /// The most that the GPUs of `from` can send to those of `to` over the network at once: a maximum flow
    /// over leaves, pods and core.
    [[nodiscard]] BytesPerSecond max_flow(std::span<const int> from, std::span<const int> to) const;
    /// What the first half of the nodes can send to the second: neighbours fill leaves and pods first, so no
    /// other half has fewer cables out.
    [[nodiscard]] BytesPerSecond bisection() const;

private:
    friend class TopologyBuilder;
    /// The leaves that a GPU's NICs are plugged into: one where it has one NIC.
    struct Bundle {
        std::array<int, 2> climb{}; ///< links, the leaf's first
        std::size_t leaf_links = 0; ///< of climb: none or one
        std::size_t links = 0;      ///< of climb
        int uplinks = 0;            ///< cables
        int block = 0;
    };
    /// The spines that a bundle's uplinks lead to: a pod's.
    struct Block {
        int uplinks = 0; ///< cables to the cores
        int plane = 0;   ///< those of different planes have no way to each other
    };
    [[nodiscard]] int first_nic(int gpu) const;
    [[nodiscard]] int group(int gpu) const;
    [[nodiscard]] std::size_t bundle(int gpu) const;
    [[nodiscard]] std::vector<int> nics_per_bundle(std::span<const int> gpus) const;

    Wiring wiring_;
    Node node_;
    Fabric fabric_;
    int bundles_per_group_ = 1;
    std::vector<Bundle> bundles_;
    std::vector<Block> blocks_;
    std::vector<SharedLink> links_;
};

/// Which links the topology lists: those that can hold traffic up, or all of them (to degrade one, say).
enum class LinksKept { binding, all };

/// @throws std::invalid_argument with every fault of check_fabric().
Topology make_topology(const Cluster&, LinksKept = LinksKept::binding);

} // namespace chokepoint::hw
