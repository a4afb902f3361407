// SPDX-License-Identifier: Apache-2.0
// Checks what the flows of a step share before the platform is built from it.
#include "timed_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace chokepoint::sim {

namespace {

void check_profile(const std::string& what, const CapacityProfile& profile) {
    for (std::size_t i = 0; i < profile.size(); ++i) {
        const CapacityChange& change = profile[i];
        if (!(change.factor > 0.0) || !std::isfinite(change.factor)) {
            throw std::invalid_argument(
                fmt::format("{} has a capacity of {} times its own; expected above 0", what, change.factor));
        }
        if (!std::isfinite(change.at.value()) || (i > 0 && change.at < profile[i - 1].at)) {
            throw std::invalid_argument(
                fmt::format("the capacity of {} changes at {} s; expected finite, ascending times", what,
                            change.at.value()));
        }
    }
}

void check_crossings(const std::string& what, const std::vector<Crossing>& crossings, std::size_t links) {
    for (const Crossing& crossing : crossings) {
        if (crossing.link >= static_cast<int>(links) || crossing.weight < 1) {
            throw std::invalid_argument(
                fmt::format("{} crosses link {} with weight {}; expected one of {} links and at least 1",
                            what, crossing.link, crossing.weight, links));
        }
    }
}

double least_factor(const CapacityProfile& profile) {
    double least = 1.0;
    for (const CapacityChange& change : profile) {
        least = std::min(least, change.factor);
    }
    return least;
}

} // namespace

void check_network(const work::TaskGraph& graph, const Network& network) {
    for (const SharedLink& link : network.links) {
        if (!(link.capacity > hw::BytesPerSecond(0.0)) || !std::isfinite(link.capacity.value())) {
            throw std::invalid_argument(
                fmt::format("link '{}' carries {} B/s; expected above 0", link.name, link.capacity.value()));
        }
        check_profile(fmt::format("link '{}'", link.name), link.profile);
    }
    if (!network.ranks.empty() && network.ranks.size() != static_cast<std::size_t>(graph.ranks())) {
        throw std::invalid_argument(fmt::format("the network has ports for {} ranks; the graph has {}",
                                                network.ranks.size(), graph.ranks()));
    }
    for (std::size_t rank = 0; rank < network.ranks.size(); ++rank) {
        const RankPorts& ports = network.ranks[rank];
        check_profile(fmt::format("the NVLink port of rank {}", rank), ports.nvlink);
        check_profile(fmt::format("the NIC of rank {}", rank), ports.nic);
        check_crossings(fmt::format("rank {}", rank), ports.rail, network.links.size());
        check_crossings(fmt::format("rank {}", rank), ports.climb, network.links.size());
    }
}

double worst_slowdown(const TimedWork& timed, const Network& network) {
    hw::BytesPerSecond fastest{0.0};
    for (const TimedTransfer& transfer : timed.transfer) {
        for (const TimedFlow& flow : transfer.flows) {
            fastest = std::max(fastest, flow.rate);
        }
    }
    double worst = 1.0;
    for (const RankPorts& ports : network.ranks) {
        worst = std::max({worst, 1.0 / least_factor(ports.nvlink), 1.0 / least_factor(ports.nic)});
        for (const std::vector<Crossing>* crossings : {&ports.rail, &ports.climb}) {
            for (const Crossing& crossing : *crossings) {
                if (crossing.link < 0) {
                    continue;
                }
                const SharedLink& link = network.links[static_cast<std::size_t>(crossing.link)];
                const hw::BytesPerSecond least = link.capacity * least_factor(link.profile) / crossing.weight;
                worst = std::max(worst, fastest / least);
            }
        }
    }
    return worst;
}

} // namespace chokepoint::sim
