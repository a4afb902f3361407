// SPDX-License-Identifier: Apache-2.0
// Summarises the switch graph in levels: leaves, pods, core.
#include <chokepoint/hwmodels/topology.hpp>

#include <chokepoint/hwmodels/switch_graph.hpp>

#include "max_flow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

/// Ordered pairs of different members with equal keys.
double equal_pairs(std::vector<std::int64_t> keys) {
    if (!std::ranges::is_sorted(keys)) { // members in order have theirs in order, or nearly
        std::ranges::sort(keys);
    }
    double pairs = 0.0;
    for (auto begin = keys.begin(); begin != keys.end();) {
        const auto end = std::find_if(begin, keys.end(), [&](std::int64_t key) { return key != *begin; });
        const auto count = static_cast<double>(end - begin);
        pairs += count * (count - 1.0);
        begin = end;
    }
    return pairs;
}

std::int64_t both(int a, int b) { return (std::int64_t{a} << 32) + b; }

struct NodePlace {
    int node = 0;
    int group = 0;
    int pod = 0;
};

Tier tier_between(const NodePlace& a, const NodePlace& b) {
    return a.node == b.node     ? Tier::node
           : a.group == b.group ? Tier::leaf
           : a.pod == b.pod     ? Tier::pod
                                : Tier::core;
}

} // namespace

class TopologyBuilder {
public:
    TopologyBuilder(const Cluster& cluster, LinksKept kept) : graph_(cluster), kept_(kept) {
        topology_.wiring_ = graph_.wiring();
        topology_.node_ = cluster.node;
        topology_.fabric_ = cluster.fabric;
        const Wiring& wiring = topology_.wiring_;
        const int per_gpu = std::max(1, cluster.node.nics / cluster.node.gpus);
        const bool apart = per_gpu <= wiring.lanes && wiring.lanes % per_gpu == 0;
        topology_.bundles_per_group_ = apart ? wiring.lanes / per_gpu : 1;
        lanes_per_bundle_ = wiring.lanes / topology_.bundles_per_group_;
    }

    Topology build() {
        const Wiring& wiring = topology_.wiring_;
        for (int group = 0; group < wiring.groups; ++group) {
            for (int bundle = 0; bundle < topology_.bundles_per_group_; ++bundle) {
                add_bundle(group, bundle);
            }
        }
        add_blocks();
        return std::move(topology_);
    }

private:
    /// Adds the link to the climb of `bundle` if it can hold traffic up.
    int add_link(std::string name, int uplinks, int nics) {
        if (uplinks == 0 || (kept_ == LinksKept::binding && uplinks >= nics)) {
            return -1;
        }
        topology_.links_.push_back({std::move(name), topology_.node_.nic * static_cast<double>(uplinks)});
        return static_cast<int>(topology_.links_.size()) - 1;
    }

    [[nodiscard]] std::string lane_name(int bundle) const {
        const bool planes = topology_.wiring_.planes > 1;
        return topology_.bundles_per_group_ == 1 ? ""
                                                 : fmt::format("{} {} ", planes ? "plane" : "rail", bundle);
    }

    void add_bundle(int group, int bundle) {
        const Wiring& wiring = topology_.wiring_;
        const int first = group * wiring.lanes + bundle * lanes_per_bundle_;
        Topology::Bundle out;
        int nics = 0;
        for (int leaf = first; leaf < first + lanes_per_bundle_; ++leaf) {
            out.uplinks += graph_.uplinks_of_leaf(leaf);
            nics += wiring.nics_of_leaf(leaf);
        }
        const int planes = wiring.planes > 1 ? topology_.bundles_per_group_ : 1;
        out.block = wiring.pod(first) * planes + (planes > 1 ? bundle : 0);
        const int link =
            add_link(fmt::format("{}leaf {} uplink", lane_name(bundle), group), out.uplinks, nics);
        if (link >= 0) {
            out.climb[0] = link;
            out.leaf_links = out.links = 1;
        }
        topology_.bundles_.push_back(out);
        nics_.push_back(nics);
    }

    void add_blocks() {
        const Wiring& wiring = topology_.wiring_;
        const int planes = wiring.planes > 1 ? topology_.bundles_per_group_ : 1;
        std::vector<int> nics(static_cast<std::size_t>(wiring.pods) * planes, 0);
        for (std::size_t i = 0; i < topology_.bundles_.size(); ++i) {
            nics[static_cast<std::size_t>(topology_.bundles_[i].block)] += nics_[i];
        }
        std::vector<int> links;
        for (int block = 0; block < static_cast<int>(nics.size()); ++block) {
            const int plane = block % planes;
            int uplinks = 0;
            const int merged = wiring.planes / planes; // planes that each GPU has a NIC in
            for (int p = plane * merged; p < (plane + 1) * merged; ++p) {
                uplinks += graph_.uplinks_of_pod(p, block / planes);
            }
            const std::string name = planes > 1 ? lane_name(plane) : "";
            links.push_back(add_link(fmt::format("{}pod {} uplink", name, block / planes), uplinks,
                                     nics[static_cast<std::size_t>(block)]));
            topology_.blocks_.push_back({uplinks, plane});
        }
        for (Topology::Bundle& bundle : topology_.bundles_) {
            const int link = links[static_cast<std::size_t>(bundle.block)];
            if (link >= 0) {
                bundle.climb.at(bundle.links++) = link;
            }
        }
    }

    SwitchGraph graph_;
    LinksKept kept_;
    Topology topology_;
    int lanes_per_bundle_ = 1;
    std::vector<int> nics_; ///< of each bundle
};

std::string_view name(Tier tier) {
    constexpr std::array<std::string_view, kTiers> kNames{"node", "leaf", "pod", "core"};
    return kNames.at(static_cast<std::size_t>(tier));
}

int Topology::first_nic(int gpu) const {
    return static_cast<int>(static_cast<std::int64_t>(gpu % node_.gpus) * node_.nics / node_.gpus);
}

int Topology::group(int gpu) const { return wiring_.group(node(gpu), first_nic(gpu)); }

int Topology::leaf(int gpu) const { return wiring_.leaf(node(gpu), first_nic(gpu)); }

int Topology::pod(int gpu) const { return wiring_.pod(leaf(gpu)); }

std::size_t Topology::bundle(int gpu) const {
    const int lane = first_nic(gpu) % wiring_.lanes / (wiring_.lanes / bundles_per_group_);
    return static_cast<std::size_t>(group(gpu)) * static_cast<std::size_t>(bundles_per_group_) +
           static_cast<std::size_t>(lane);
}

std::span<const int> Topology::climb(int gpu) const {
    const Bundle& leaves = bundles_[bundle(gpu)];
    return std::span(leaves.climb).first(leaves.links);
}

std::span<const int> Topology::climb(int gpu, Tier tier) const {
    const Bundle& leaves = bundles_[bundle(gpu)];
    const std::size_t taken = tier == Tier::core ? leaves.links : tier == Tier::pod ? leaves.leaf_links : 0;
    return std::span(leaves.climb).first(taken);
}

Tier Topology::tier(int a, int b) const {
    return tier_between({node(a), group(a), pod(a)}, {node(b), group(b), pod(b)});
}

Seconds Topology::latency(Tier tier) const {
    switch (tier) {
    case Tier::node:
        return node_.nvlink_latency;
    case Tier::leaf:
        return fabric_.latency_same_leaf;
    case Tier::pod:
        return fabric_.latency_cross_leaf;
    case Tier::core:
        return fabric_.latency_cross_pod;
    }
    throw std::logic_error("Topology::latency(): a tier without a latency");
}

GroupExtent Topology::extent(std::span<const int> members) const {
    if (members.empty()) {
        throw std::invalid_argument("the extent of a group of 0 GPUs; expected at least 1");
    }
    GroupExtent out;
    const auto count = static_cast<double>(members.size());
    if (members.size() == 1) {
        return out;
    }
    std::vector<NodePlace> places;
    places.reserve(members.size());
    for (const int gpu : members) {
        places.push_back({node(gpu), group(gpu), pod(gpu)});
    }
    const auto pairs = [&](auto key) {
        std::vector<std::int64_t> keys;
        keys.reserve(places.size());
        std::ranges::transform(places, std::back_inserter(keys), key);
        return equal_pairs(std::move(keys));
    };
    // A leaf may hold less than a node, so that nodes lie across leaves.
    const double in_node = pairs([](const NodePlace& p) { return std::int64_t{p.node}; });
    const double in_leaf = pairs([](const NodePlace& p) { return std::int64_t{p.group}; }) -
                           pairs([](const NodePlace& p) { return both(p.node, p.group); });
    const double in_pod = pairs([](const NodePlace& p) { return std::int64_t{p.pod}; }) -
                          pairs([](const NodePlace& p) { return both(p.node, p.pod); }) - in_leaf;
    const double all = count * (count - 1.0);
    out.all_to_all = {in_node / all, in_leaf / all, in_pod / all, (all - in_node - in_leaf - in_pod) / all};
    for (std::size_t i = 0; i < members.size(); ++i) {
        const Tier step = tier_between(places[i], places[(i + 1) % places.size()]);
        out.ring.at(static_cast<std::size_t>(step)) += 1.0 / count;
    }
    double away = 0.0;
    for (std::size_t t = static_cast<std::size_t>(Tier::leaf); t < kTiers; ++t) {
        out.hop += latency(static_cast<Tier>(t)) * out.ring.at(t);
        away += out.ring.at(t);
    }
    out.hop = away > 0.0 ? out.hop / away : Seconds();
    for (std::size_t t = 0; t < kTiers; ++t) {
        out.worst = out.all_to_all.at(t) > 0.0 ? static_cast<Tier>(t) : out.worst;
    }
    out.latency = latency(out.worst);
    return out;
}

std::vector<int> Topology::nics_per_bundle(std::span<const int> gpus) const {
    std::vector<int> nics(bundles_.size(), 0);
    std::set<std::pair<int, int>> seen; // NICs that several GPUs share count once
    const int per_gpu = std::max(1, node_.nics / node_.gpus);
    for (const int gpu : gpus) {
        if (seen.emplace(node(gpu), first_nic(gpu)).second) {
            nics[bundle(gpu)] += per_gpu;
        }
    }
    return nics;
}

BytesPerSecond Topology::max_flow(std::span<const int> from, std::span<const int> to) const {
    const auto bundles = static_cast<int>(bundles_.size());
    const auto blocks = static_cast<int>(blocks_.size());
    const int planes = blocks_.back().plane + 1;
    const int source = bundles + blocks + planes;
    const std::vector<int> out = nics_per_bundle(from);
    const std::vector<int> in = nics_per_bundle(to);
    FlowNetwork network(source + 2);
    for (int i = 0; i < bundles; ++i) {
        const Bundle& leaves = bundles_[static_cast<std::size_t>(i)];
        network.join(i, bundles + leaves.block, leaves.uplinks);
        network.add(source, i, out[static_cast<std::size_t>(i)]);
        network.add(i, source + 1, in[static_cast<std::size_t>(i)]);
    }
    for (int i = 0; i < blocks; ++i) {
        const Block& spines = blocks_[static_cast<std::size_t>(i)];
        network.join(bundles + i, bundles + blocks + spines.plane, spines.uplinks);
    }
    return node_.nic * static_cast<double>(network.max_flow(source, source + 1));
}

BytesPerSecond Topology::bisection() const {
    std::vector<int> all(static_cast<std::size_t>(gpus()));
    std::iota(all.begin(), all.end(), 0);
    const std::size_t half =
        static_cast<std::size_t>(wiring_.nodes / 2) * static_cast<std::size_t>(node_.gpus);
    return max_flow(std::span(all).first(half), std::span(all).subspan(half));
}

Topology make_topology(const Cluster& cluster, LinksKept kept) {
    return TopologyBuilder(cluster, kept).build();
}

} // namespace chokepoint::hw
