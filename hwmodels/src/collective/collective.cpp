// SPDX-License-Identifier: Apache-2.0
// Collectives as flows on one GPU's ports: the algorithm is chosen here, and the nodes are joined here.
#include <chokepoint/hwmodels/transfer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <stdexcept>
#include <string>
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

/// What one NIC carries, what passes before it does, and at which share of its rate.
struct BetweenNodes {
    Bytes bytes;
    Seconds latency;
    double share = 1.0;
    std::string protocol = "simple";
};

/// What one NIC's flow reaches alone.
BytesPerSecond nic_rate(const TransferRates& rates, const Node& node, Collective op,
                        const BetweenNodes& moved) {
    const double share = op == Collective::all_to_all ? rates.nic_all_to_all : rates.nic;
    return nic_per_gpu(node) * (share * moved.share);
}

/// A step over the network takes no less than the fabric's own latency.
BetweenNodes by_protocol(const NetworkProtocol& protocol, Bytes bytes, double nvlink_steps,
                         double network_steps, Seconds network) {
    return {bytes,
            protocol.start + protocol.nvlink_step * nvlink_steps +
                std::max(protocol.network_step, network) * network_steps,
            protocol.share, protocol.name};
}

BetweenNodes between_nodes(const CollectiveCall& call, const Layout& layout, const Distance& distance,
                           const NetworkProtocol& protocol) {
    const double nodes = layout.nodes;
    const Bytes part = call.bytes / layout.members; // a node has as many rings as GPUs, each through one NIC
    // NCCL's rings are flat: they pass all ranks, so that a link between two nodes carries every rank's piece
    // but one's, and that a step of each waits for NVLink inside the nodes. Rings over nodes alone would
    // carry half of it for two nodes (nccl-tests, doc/PERFORMANCE.md: the bus bandwidth of n ranks is that of
    // the slowest link they pass).
    const double passed = 1.0 - 1.0 / layout.ranks();
    const double inside = layout.ranks() - nodes;
    switch (call.op) {
    case Collective::all_reduce:
        if (protocol.algorithm == Algorithm::tree) { // up and down a binary tree, every byte once each way
            const double depth = std::bit_width(static_cast<unsigned>(layout.nodes - 1));
            return by_protocol(protocol, part * 2.0, 2.0 * (layout.members - 1.0), 2.0 * depth,
                               distance.farthest);
        }
        return by_protocol(protocol, part * (2.0 * passed), 2.0 * inside, 2.0 * (nodes - 1.0), distance.hop);
    case Collective::reduce_scatter:
    case Collective::all_gather:
        return by_protocol(protocol, part * passed, inside, nodes - 1.0, distance.hop);
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
                              const Layout& layout, const BetweenNodes& moved, Algorithm algorithm) {
    CollectiveChoice choice{{node_part(rates, cluster.node, call, layout), {}},
                            algorithm,
                            fmt::format("network {}", moved.protocol)};
    if (moved.bytes > Bytes(0.0)) {
        choice.shape.flows.push_back({Port::nic, moved.bytes, nic_rate(rates, cluster.node, call.op, moved)});
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
    const auto network_time = [&](const BetweenNodes& moved) {
        return moved.bytes / nic_rate(rates, cluster.node, call.op, moved) + moved.latency;
    };
    std::optional<BetweenNodes> best;
    Algorithm algorithm = Algorithm::ring;
    for (const NetworkProtocol& protocol : rates.between_nodes) {
        if (protocol.algorithm == Algorithm::tree && call.op != Collective::all_reduce) {
            continue; // NCCL has trees for sums of whole vectors only
        }
        BetweenNodes moved = between_nodes(call, layout, distance, protocol);
        if (!best || network_time(moved) < network_time(*best)) {
            best = std::move(moved);
            algorithm = protocol.algorithm;
        }
    }
    return across_nodes(rates, cluster, call, layout, *best, algorithm);
}

} // namespace

std::vector<NetworkProtocol> nccl_protocols() {
    const auto micro = [](double value) { return Seconds(value * 1e-6); };
    constexpr double kBesideNetwork = 1.8; // LL's NVLink steps where a network is part of the way
    return {
        {"ll", Algorithm::ring, micro(3.6), micro(0.47 * kBesideNetwork), micro(2.7), 0.25},
        {"ll128", Algorithm::ring, micro(10.0), micro(1.9), micro(4.0), 0.92},
        {"simple", Algorithm::ring, micro(8.4), micro(3.4), micro(9.6), 1.0},
        {"ll", Algorithm::tree, micro(4.4), micro(0.52 * kBesideNetwork), micro(5.0), 0.25},
        {"ll128", Algorithm::tree, micro(4.4), micro(1.2), micro(8.5), 0.915},
        {"simple", Algorithm::tree, micro(0.0), micro(28.0), micro(50.0), 1.0},
    };
}

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
