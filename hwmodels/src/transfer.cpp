// SPDX-License-Identifier: Apache-2.0
// Turns transfers into the bytes, rates and latencies of one GPU's ports.
#include <chokepoint/hwmodels/transfer.hpp>

#include <algorithm>
#include <cmath>

namespace chokepoint::hw {
namespace {

/// A share of the link in one direction, never more than a part's link is known to carry.
BytesPerSecond nvlink_rate(const GpuSpec& gpu, double share) {
    const PeerLink link = peer_link(gpu);
    return std::min(link.rate / 2.0 * share, link.achievable);
}

double nic_share(const MoeRates& rates, int nodes) {
    const auto above = std::ranges::lower_bound(rates.nic, nodes, {}, &MoeRates::NicShare::nodes);
    if (above == rates.nic.begin()) {
        return above->share;
    }
    const auto below = above - 1;
    if (above == rates.nic.end()) {
        return below->share;
    }
    const double way = std::log(static_cast<double>(nodes) / below->nodes) /
                       std::log(static_cast<double>(above->nodes) / below->nodes);
    return below->share + way * (above->share - below->share);
}

const MoeRates& rates_of(const TransferRates& rates, MoeDirection direction, MoeLibrary library) {
    if (library == MoeLibrary::hybrid_ep) {
        return direction == MoeDirection::dispatch ? rates.hybrid_dispatch : rates.hybrid_combine;
    }
    return direction == MoeDirection::dispatch ? rates.dispatch : rates.combine;
}

} // namespace

Seconds uncontended_time(const TransferShape& shape) {
    Seconds slowest;
    for (const PortFlow& flow : shape.flows) {
        slowest = std::max(slowest, flow.bytes / flow.rate_cap);
    }
    return shape.latency + slowest;
}

TransferShape moe_transfer(const TransferRates& rates, const Cluster& cluster, const ExpertRouting& routing,
                           MoeDirection direction, std::int64_t tokens, Bytes per_token, bool beside_compute,
                           const std::optional<Distance>& distance, MoeLibrary library) {
    const Spread spread = expected_spread(routing);
    const MoeRates& moe = rates_of(rates, direction, library);
    const double slowdown = beside_compute ? moe.beside_compute : 1.0;
    const Bytes payload = static_cast<double>(tokens) * per_token;
    const int members = std::min(routing.ranks, routing.ranks_per_node);
    const int nodes = routing.ranks / members;

    TransferShape shape;
    if (members > 1) {
        // A copy reaches its node at the GPU of the sender's index, which is the wanted one in 1 of `members`
        // cases; otherwise it takes one more hop over NVLink. The sender's own node works the same way.
        const double handed_on = spread.ranks * (members - 1) / members;
        const BytesPerSecond rate =
            nodes == 1 ? std::min(nvlink_rate(cluster.node.gpu, moe.nvlink_within_node), moe.within_node_most)
                       : nvlink_rate(cluster.node.gpu, moe.nvlink_forwarding);
        shape.flows.push_back({Port::nvlink, payload * handed_on, rate / slowdown});
        shape.latency += cluster.node.nvlink_latency;
    }
    if (nodes > 1) {
        shape.flows.push_back({Port::nic, payload * spread.remote_nodes,
                               nic_per_gpu(cluster.node) * (nic_share(moe, nodes) / slowdown)});
        shape.latency += distance.value_or(longest_distance(cluster.fabric)).farthest;
    }
    return shape;
}

} // namespace chokepoint::hw
