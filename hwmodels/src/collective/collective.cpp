// SPDX-License-Identifier: Apache-2.0
// Collectives as flows on one GPU's ports: the algorithm is chosen here, and the nodes are joined here.
#include <chokepoint/hwmodels/transfer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <utility>

namespace chokepoint::hw {
namespace {

/// How the group lies: `members` GPUs in each of `nodes` nodes.
struct Layout {
    int members = 1;
    int nodes = 1;
    [[nodiscard]] int ranks() const { return members * nodes; }
};

Layout layout_of(const CollectiveCall& call) {
    if (call.ranks < 1 || call.ranks_per_node < 1 ||
        call.ranks % std::min(call.ranks, call.ranks_per_node) != 0) {
        throw std::invalid_argument(fmt::format("collective: {} ranks do not fill nodes of {} ranks",
                                                call.ranks, call.ranks_per_node));
    }
    const int members = std::min(call.ranks, call.ranks_per_node);
    return {members, call.ranks / members};
}

/// Its flow's rate is what the kernel reaches alone: its own copies and reductions count as if they ran
/// between transfers.
CollectiveChoice inside_node(const TransferRates& rates, const Node& node, const CollectiveCall& call,
                             Algorithm algorithm, int members) {
    const CollectiveCurve* curve = find_curve(rates.collectives, node.gpu.architecture, call.op, algorithm);
    if (curve == nullptr) {
        throw std::invalid_argument(fmt::format("no curve for {} by {} on {}", name(call.op), name(algorithm),
                                                node.gpu.architecture));
    }
    const CollectivePoint point = evaluate(*curve, call.op, node, call.bytes, members);
    const Bytes wire = call.bytes * traffic(call.op, algorithm, members).wire;
    TransferShape shape{.flows = {}, .latency = point.latency};
    if (wire > Bytes(0.0)) {
        shape.flows.push_back({Port::nvlink, wire, wire / point.moving});
    }
    return {std::move(shape), algorithm, point.protocol};
}

bool has_nvls(const TransferRates& rates, const Node& node, Collective op) {
    return op == Collective::all_reduce && node.nvls &&
           find_curve(rates.collectives, node.gpu.architecture, op, Algorithm::nvls) != nullptr;
}

CollectiveChoice best_inside_node(const TransferRates& rates, const Node& node, const CollectiveCall& call,
                                  int members) {
    CollectiveChoice ring = inside_node(rates, node, call, Algorithm::ring, members);
    if (!has_nvls(rates, node, call.op)) {
        return ring;
    }
    CollectiveChoice nvls = inside_node(rates, node, call, Algorithm::nvls, members);
    return uncontended_time(nvls.shape) < uncontended_time(ring.shape) ? nvls : ring;
}

/// What one NIC carries, and the network latencies that follow one another.
struct BetweenNodes {
    Bytes bytes;
    Seconds latency;
};

BetweenNodes between_nodes(const CollectiveCall& call, const Layout& layout, const Distance& distance,
                           Algorithm algorithm) {
    const double nodes = layout.nodes;
    const Bytes part = call.bytes / layout.members; // a node has as many rings as GPUs, each through one NIC
    // NCCL's rings are flat: they pass all ranks, so that a link between two nodes carries every rank's piece
    // but one's. Rings over nodes alone would carry half of it for two nodes (nccl-tests, doc/PERFORMANCE.md:
    // the bus bandwidth of n ranks is that of the slowest link they pass).
    const double passed = 1.0 - 1.0 / layout.ranks();
    switch (call.op) {
    case Collective::all_reduce:
        if (algorithm == Algorithm::tree) { // up and down a binary tree, every byte once each way
            return {part * 2.0,
                    distance.farthest * (2.0 * std::bit_width(static_cast<unsigned>(layout.nodes - 1)))};
        }
        return {part * (2.0 * passed), distance.hop * (2.0 * (nodes - 1.0))};
    case Collective::reduce_scatter:
    case Collective::all_gather:
        return {part * passed, distance.hop * (nodes - 1.0)};
    case Collective::broadcast:
        return {part, distance.hop * (nodes - 1.0)};
    case Collective::all_to_all: // every rank has a piece for each rank of the other nodes; all in flight
        return {call.bytes * ((nodes - 1.0) / nodes), distance.farthest};
    case Collective::send_recv:
        break;
    }
    return {call.bytes, distance.farthest};
}

/// The exchange inside each node, if there is one: the whole vector, or of an all-to-all the node's own part.
/// It runs in chunks beside the exchange between nodes, so its latency counts against its own flow.
std::vector<PortFlow> node_part(const TransferRates& rates, const Node& node, CollectiveCall call,
                                const Layout& layout) {
    if (layout.members == 1 || call.op == Collective::send_recv) {
        return {};
    }
    if (call.op == Collective::all_to_all) {
        call.bytes = call.bytes / layout.nodes;
    }
    TransferShape shape = inside_node(rates, node, call, Algorithm::ring, layout.members).shape;
    for (PortFlow& flow : shape.flows) {
        flow.rate_cap = flow.bytes / uncontended_time(shape);
    }
    return shape.flows;
}

CollectiveChoice across_nodes(const TransferRates& rates, const Cluster& cluster, const CollectiveCall& call,
                              const Layout& layout, const Distance& distance, Algorithm algorithm) {
    const BetweenNodes moved = between_nodes(call, layout, distance, algorithm);
    CollectiveChoice choice{{node_part(rates, cluster.node, call, layout), {}}, algorithm, "network"};
    if (moved.bytes > Bytes(0.0)) {
        choice.shape.flows.push_back({Port::nic, moved.bytes, nic_per_gpu(cluster.node) * rates.nic});
    }
    choice.shape.latency = moved.latency;
    return choice;
}

CollectiveChoice chosen(const TransferRates& rates, const Cluster& cluster, const CollectiveCall& call) {
    const Layout layout = layout_of(call);
    if (layout.ranks() == 1) {
        return {};
    }
    if (layout.nodes == 1) {
        return best_inside_node(rates, cluster.node, call, layout.members);
    }
    const Distance distance = call.distance.value_or(longest_distance(cluster.fabric));
    const auto network_time = [&](Algorithm algorithm) {
        const BetweenNodes moved = between_nodes(call, layout, distance, algorithm);
        return moved.bytes / (nic_per_gpu(cluster.node) * rates.nic) + moved.latency;
    };
    const bool tree =
        call.op == Collective::all_reduce && network_time(Algorithm::tree) < network_time(Algorithm::ring);
    return across_nodes(rates, cluster, call, layout, distance, tree ? Algorithm::tree : Algorithm::ring);
}

} // namespace

CollectiveChoice choose_collective(const TransferRates& rates, const Cluster& cluster,
                                   const CollectiveCall& call) {
    CollectiveChoice choice = chosen(rates, cluster, call);
    if (call.beside_compute) {
        for (PortFlow& flow : choice.shape.flows) {
            flow.rate_cap = flow.rate_cap / rates.collective_beside_compute;
        }
    }
    return choice;
}

TransferShape collective(const TransferRates& rates, const Cluster& cluster, Collective op, Bytes bytes,
                         int ranks, int ranks_per_node, const std::optional<Distance>& distance) {
    return choose_collective(rates, cluster, {op, bytes, ranks, ranks_per_node, false, distance}).shape;
}

TransferShape point_to_point(const TransferRates& rates, const Cluster& cluster, Bytes bytes, bool remote,
                             const std::optional<Distance>& distance) {
    return collective(rates, cluster, Collective::send_recv, bytes, 2, remote ? 1 : 2, distance);
}

} // namespace chokepoint::hw
