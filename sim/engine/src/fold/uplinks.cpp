// SPDX-License-Identifier: Apache-2.0
// Reads a topology level by level, and degrades the uplinks that perturbations name.
#include "uplinks.hpp"

#include "capacity_windows.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace chokepoint::sim {

namespace {

struct Level {
    hw::Tier below; ///< GPUs no farther apart than this share a place
    hw::Tier above; ///< traffic that goes this far climbs the level's link
};

Conditions::Tier read_level(const hw::Topology& topology, const Level& level) {
    Conditions::Tier tier;
    std::map<int, std::size_t> known;
    int place = 0;
    for (int gpu = 0; gpu < topology.gpus(); ++gpu) {
        // Neighbours fill leaves and pods, so a new place begins where two nodes in a row are farther apart.
        if (gpu > 0 && topology.node(gpu) != topology.node(gpu - 1) &&
            topology.tier(gpu - 1, gpu) > level.below) {
            ++place;
        }
        tier.place.push_back(place);
        const auto nearer = topology.climb(gpu, level.below).size();
        for (const int link : topology.climb(gpu, level.above).subspan(nearer)) {
            const auto [entry, is_new] = known.try_emplace(link, tier.links.size());
            if (is_new) {
                const hw::SharedLink& found = topology.links()[static_cast<std::size_t>(link)];
                Conditions::Shared uplink;
                uplink.link = {found.name, found.capacity, {}};
                tier.links.push_back(std::move(uplink));
            }
            tier.links[entry->second].gpus.push_back(gpu);
        }
    }
    return tier;
}

void degrade(Conditions::Tier& leaves, const hw::Topology& topology,
             std::span<const Perturbation> perturbations) {
    for (Conditions::Shared& uplink : leaves.links) {
        std::vector<CapacityWindow> windows;
        for (const Perturbation& perturbation : perturbations) {
            if (perturbation.link == PerturbedLink::uplink &&
                perturbation.leaf == topology.leaf(uplink.gpus.front())) {
                windows.push_back(window_of(perturbation));
            }
        }
        uplink.link.profile = profile_of(windows);
    }
}

} // namespace

std::vector<Conditions::Tier> uplink_tiers(const hw::Cluster& cluster,
                                           std::span<const Perturbation> perturbations) {
    const bool degraded = std::ranges::any_of(
        perturbations, [](const Perturbation& one) { return one.link == PerturbedLink::uplink; });
    const hw::Topology topology =
        hw::make_topology(cluster, degraded ? hw::LinksKept::all : hw::LinksKept::binding);
    if (topology.links().empty()) {
        return {};
    }
    std::vector<Conditions::Tier> tiers{read_level(topology, {hw::Tier::leaf, hw::Tier::pod}),
                                        read_level(topology, {hw::Tier::pod, hw::Tier::core})};
    degrade(tiers.front(), topology, perturbations);
    return tiers;
}

} // namespace chokepoint::sim
