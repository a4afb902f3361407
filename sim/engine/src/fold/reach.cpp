// SPDX-License-Identifier: Apache-2.0
// Counts, group by group, how many members lie below the same uplinks: linear in GPUs, never pair by pair.
#include "reach.hpp"
#include "../index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace chokepoint::sim::folding {

namespace {

// Sums of equal capacities differ from their product in the last digits.
constexpr double kRounding = 1e-9;

/// Members of one group by the places they share, cleared after each group.
class Census {
public:
    explicit Census(std::size_t places) : count_(places, 0) {}
    void add(int place) { ++count_[index(place)]; }
    void clear(int place) { count_[index(place)] = 0; }
    [[nodiscard]] std::int32_t at(int place) const { return count_[index(place)]; }

private:
    std::vector<std::int32_t> count_;
};

} // namespace

Uplinks::Uplinks(const Relations& relations, const Conditions& conditions, hw::BytesPerSecond nic)
    : conditions_(conditions) {
    if (conditions.uplinks.size() > kTiers) {
        throw std::invalid_argument(fmt::format("the fabric has {} tiers of uplinks; expected at most {}",
                                                conditions.uplinks.size(), kTiers));
    }
    for (std::size_t tier = 0; tier < conditions.uplinks.size(); ++tier) {
        binding_.push_back(relations.uplinks[tier]);
        std::vector<bool> kept;
        for (const Conditions::Shared& uplink : conditions.uplinks[tier].links) {
            kept.push_back(binds(uplink, nic));
            any_ = any_ || kept.back();
        }
        for (int& link : binding_.back().block) {
            link = link != kNone && kept[index(link)] ? link : kNone;
        }
    }
}

bool Uplinks::matter_to(Gpu gpu) const {
    return any_ &&
           std::ranges::any_of(binding_, [&](const Blocks& tier) { return tier.block[index(gpu)] != kNone; });
}

int Uplinks::distance(Gpu a, Gpu b) const {
    const auto together = [&](const Conditions::Tier& tier) {
        return tier.place[index(a)] == tier.place[index(b)];
    };
    return static_cast<int>(std::ranges::find_if(conditions_.uplinks, together) -
                            conditions_.uplinks.begin());
}

int Uplinks::climbs(Gpu from, Gpu to) const { return matter_to(from) ? distance(from, to) : 0; }

std::vector<Reach> Uplinks::reach(const GroupRelation& relation, const work::RankLayout& layout) const {
    std::vector<Reach> reach(relation.blocks.block.size());
    const std::size_t tiers = conditions_.uplinks.size();
    Census nodes(index(layout.node(layout.gpus() - 1)) + 1);
    std::vector<Census> below;
    for (const Conditions::Tier& tier : conditions_.uplinks) {
        below.emplace_back(index(std::ranges::max(tier.place)) + 1);
    }
    const auto each_place = [&](Gpu gpu, auto use) {
        use(nodes, layout.node(gpu));
        for (std::size_t tier = 0; tier < tiers; ++tier) {
            use(below[tier], conditions_.uplinks[tier].place[index(gpu)]);
        }
    };
    for (int b = 0; b < relation.blocks.count(); ++b) {
        const std::span<const Gpu> members = relation.blocks.members(b);
        for (const Gpu gpu : members) {
            each_place(gpu, [](Census& census, int place) { census.add(place); });
        }
        const std::size_t stride = index(relation.ranks_per_node);
        for (std::size_t i = 0; i < members.size(); ++i) {
            const Gpu gpu = members[i];
            if (!matter_to(gpu)) {
                continue;
            }
            Reach& own = reach[index(gpu)];
            std::int32_t nearer = nodes.at(layout.node(gpu));
            own.remote = static_cast<std::int32_t>(members.size()) - nearer;
            for (std::size_t tier = 0; tier <= tiers; ++tier) {
                const std::int32_t within = tier < tiers
                                                ? below[tier].at(conditions_.uplinks[tier].place[index(gpu)])
                                                : static_cast<std::int32_t>(members.size());
                own.members[tier] = std::max(0, within - nearer);
                nearer = std::max(nearer, within);
            }
            const Gpu next = members[(i + stride) % members.size()];
            const Gpu previous = members[(i + members.size() - stride % members.size()) % members.size()];
            own.to_next = static_cast<std::int8_t>(distance(gpu, next));
            own.from_previous = static_cast<std::int8_t>(distance(previous, gpu));
        }
        for (const Gpu gpu : members) {
            each_place(gpu, [](Census& census, int place) { census.clear(place); });
        }
    }
    return reach;
}

bool binds(const Conditions::Shared& uplink, hw::BytesPerSecond nic) {
    double least = 1.0;
    for (const CapacityChange& change : uplink.link.profile) {
        least = std::min(least, change.factor);
    }
    const double gpus = static_cast<double>(uplink.gpus.size()) * (1.0 - kRounding);
    return uplink.link.capacity * least < nic * gpus;
}

std::uint64_t colour_of(const Reach& reach) {
    std::uint64_t colour =
        mix(static_cast<std::uint64_t>(reach.to_next), static_cast<std::uint64_t>(reach.from_previous));
    for (const std::int32_t members : reach.members) {
        colour = mix(colour, static_cast<std::uint64_t>(members));
    }
    return colour;
}

} // namespace chokepoint::sim::folding
