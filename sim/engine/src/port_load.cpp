// SPDX-License-Identifier: Apache-2.0
// Keeps the few flows of each direction in a list: their rates are added up afresh, so that nothing drifts.
#include "port_load.hpp"

#include <algorithm>

namespace chokepoint::sim {

namespace {

std::size_t direction(hw::Port port, int rank, hw::Way way) {
    return 4 * static_cast<std::size_t>(rank) + (port == hw::Port::nic ? 2U : 0U) +
           (way == hw::Way::in ? 1U : 0U);
}

} // namespace

PortLoad::PortLoad(int ranks, const StepCosts& costs, const Network& network)
    : network_(network),
      directions_(4 * static_cast<std::size_t>(ranks)) {
    for (int rank = 0; rank < ranks; ++rank) {
        for (const hw::Way way : {hw::Way::out, hw::Way::in}) {
            directions_[direction(hw::Port::nvlink, rank, way)].capacity = costs.nvlink;
            directions_[direction(hw::Port::nic, rank, way)].capacity = costs.nic;
        }
    }
}

bool PortLoad::is_plain(hw::Port port, int rank) const {
    if (network_.ranks.empty()) {
        return true;
    }
    const RankPorts& ports = network_.ranks[static_cast<std::size_t>(rank)];
    return port == hw::Port::nvlink ? ports.nvlink.empty() : ports.nic.empty() && ports.rail.empty();
}

void PortLoad::place(LoadingFlow& flow, const PortPlatform::Lane& lane, int from_rank, int to_rank) const {
    flow.rate = lane.rate;
    flow.way_count = 0;
    flow.predictable = lane.climbs == 0 && lane.descends == 0 && is_plain(lane.port, from_rank) &&
                       is_plain(lane.port, to_rank);
    const auto take = [&](int rank, hw::Way way) {
        flow.ways[static_cast<std::size_t>(flow.way_count++)] =
            static_cast<int>(direction(lane.port, rank, way));
    };
    if (lane.way != hw::Way::in) {
        take(from_rank, hw::Way::out);
    }
    if (lane.way != hw::Way::out) {
        take(to_rank, hw::Way::in);
    }
}

void PortLoad::add(LoadingFlow& flow) {
    for (int i = 0; i < flow.way_count; ++i) {
        directions_[static_cast<std::size_t>(flow.ways[static_cast<std::size_t>(i)])].flows.push_back(&flow);
    }
}

void PortLoad::remove(const LoadingFlow& flow) {
    for (int i = 0; i < flow.way_count; ++i) {
        auto& flows = directions_[static_cast<std::size_t>(flow.ways[static_cast<std::size_t>(i)])].flows;
        flows.erase(std::ranges::find(flows, &flow));
    }
}

bool PortLoad::Direction::is_crowded() const {
    if (flows.size() == 1) {
        return false; // no flow is faster than its port
    }
    hw::BytesPerSecond asked;
    for (const LoadingFlow* flow : flows) {
        asked += flow->rate;
    }
    return asked > capacity;
}

bool PortLoad::is_crowded(const LoadingFlow& flow) const {
    const auto ways = std::span(flow.ways).first(static_cast<std::size_t>(flow.way_count));
    return std::ranges::any_of(
        ways, [&](int way) { return directions_[static_cast<std::size_t>(way)].is_crowded(); });
}

std::vector<LoadingFlow*> PortLoad::crowd(const LoadingFlow& flow) const {
    std::vector<LoadingFlow*> crowd;
    for (const int way : std::span(flow.ways).first(static_cast<std::size_t>(flow.way_count))) {
        const Direction& taken = directions_[static_cast<std::size_t>(way)];
        if (taken.is_crowded()) {
            crowd.insert(crowd.end(), taken.flows.begin(), taken.flows.end());
        }
    }
    return crowd;
}

} // namespace chokepoint::sim
