// SPDX-License-Identifier: Apache-2.0
// What collectives between nodes show of the network: the share of a NIC's rate that large transfers reach.
#include <chokepoint/hwmodels/transfer.hpp>

#include <algorithm>
#include <vector>

namespace chokepoint::hw {
namespace {

/// Below this, latencies decide.
constexpr Bytes kLarge{64.0 * 1024.0 * 1024.0};

/// What one NIC carries, which does not depend on how fast anything is.
Bytes nic_bytes(const CollectiveSeries& series, Bytes bytes, std::span<const CollectiveCurve> curves) {
    TransferRates rates;
    rates.nic = rates.nic_all_to_all = 1.0;
    rates.collectives.assign(curves.begin(), curves.end());
    const Cluster cluster{series.node, {}, series.nodes};
    Bytes sum;
    for (const PortFlow& flow :
         collective(rates, cluster, series.op, bytes, series.ranks, series.ranks / series.nodes).flows) {
        sum += flow.port == Port::nic ? flow.bytes : Bytes(0.0);
    }
    return sum;
}

std::optional<double> median_share(std::vector<double>& shares) {
    if (shares.empty()) {
        return std::nullopt;
    }
    const auto middle = shares.begin() + static_cast<std::ptrdiff_t>(shares.size() / 2);
    std::ranges::nth_element(shares, middle);
    return std::min(*middle, 1.0);
}

} // namespace

NicShares fit_nic_shares(std::span<const CollectiveSeries> all, std::span<const CollectiveCurve> curves) {
    std::vector<double> all_to_all, others; // from size to size, so that latencies cancel
    for (const CollectiveSeries& series : all) {
        std::vector<double>& shares = series.op == Collective::all_to_all ? all_to_all : others;
        for (std::size_t i = 1; series.nodes > 1 && i < series.points.size(); ++i) {
            const auto& [small, before] = series.points[i - 1];
            const auto& [large, after] = series.points[i];
            if (small >= kLarge && large > small && after > before) {
                const Bytes more = nic_bytes(series, large, curves) - nic_bytes(series, small, curves);
                shares.push_back(more / (after - before) / nic_per_gpu(series.node));
            }
        }
    }
    return {median_share(others), median_share(all_to_all)};
}

} // namespace chokepoint::hw
