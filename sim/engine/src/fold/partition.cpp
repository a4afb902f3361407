// SPDX-License-Identifier: Apache-2.0
// Colour refinement by hashing (B. Weisfeiler, A. Leman, 1968): linear in GPUs and relations each round, and
// only as many rounds as still split something.
#include "partition.hpp"
#include "../index.hpp"

#include <algorithm>
#include <unordered_map>

namespace chokepoint::sim::folding {

namespace {

using Colours = std::vector<std::uint64_t>;

template <class ColourOf> Partition collect(const work::RankLayout& layout, int ranks, ColourOf colour_of) {
    Partition partition;
    std::vector<std::unordered_map<std::uint64_t, int>> number(index(ranks));
    std::vector<std::vector<GpuClass>> found(index(ranks));
    partition.class_of.resize(index(layout.gpus()));
    for (Gpu gpu = 0; gpu < layout.gpus(); ++gpu) {
        const int rank = layout.pipeline_rank(gpu);
        auto& classes = found[index(rank)];
        const auto [entry, is_new] =
            number[index(rank)].try_emplace(colour_of(gpu), static_cast<int>(classes.size()));
        if (is_new) {
            classes.push_back({work::Rank{rank}, gpu, 0, {}});
        }
        ++classes[index(entry->second)].gpus;
        partition.class_of[index(gpu)] = entry->second;
    }
    std::vector<int> first;
    for (const auto& classes : found) {
        first.push_back(static_cast<int>(partition.classes.size()));
        partition.classes.insert(partition.classes.end(), classes.begin(), classes.end());
    }
    for (Gpu gpu = 0; gpu < layout.gpus(); ++gpu) {
        partition.class_of[index(gpu)] += first[index(layout.pipeline_rank(gpu))];
    }
    return partition;
}

std::size_t distinct(const Colours& colours) {
    std::unordered_map<std::uint64_t, int> seen;
    std::uint64_t last = colours.empty() ? 0 : ~colours.front();
    for (const std::uint64_t colour : colours) {
        if (colour != last) { // neighbours are mostly alike
            seen.try_emplace(colour, 0);
            last = colour;
        }
    }
    return seen.size();
}

template <class Map, class Use> void each(const Map& map, Use use) {
    for (const auto& [gpu, value] : map) {
        use(index(gpu), value);
    }
}

Colours initial(const work::RankLayout& layout, const Relations& relations, const Uplinks& uplinks,
                const Conditions& conditions, const std::vector<std::vector<Reach>>& reach,
                const std::vector<double>& load) {
    Colours colours(index(layout.gpus()));
    for (Gpu gpu = 0; gpu < layout.gpus(); ++gpu) {
        colours[index(gpu)] = mix(static_cast<std::uint64_t>(layout.pipeline_rank(gpu)));
        if (!load.empty()) {
            colours[index(gpu)] = mix(colours[index(gpu)], colour_of(load[index(gpu)]));
        }
        if (uplinks.any()) {
            for (const auto& of_relation : reach) {
                colours[index(gpu)] = mix(colours[index(gpu)], colour_of(of_relation[index(gpu)]));
            }
            for (const work::Rank partner : relations.partners[index(layout.pipeline_rank(gpu))]) {
                const Gpu other = layout.counterpart(gpu, partner);
                const auto climbs = 16 * uplinks.climbs(gpu, other) + uplinks.climbs(other, gpu);
                colours[index(gpu)] = mix(colours[index(gpu)], static_cast<std::uint64_t>(climbs));
            }
        }
    }
    each(conditions.speed, [&](std::size_t gpu, double speed) {
        colours[gpu] = speed == 1.0 ? colours[gpu] : mix(colours[gpu], colour_of(speed));
    });
    each(conditions.nvlink, [&](std::size_t gpu, const CapacityProfile& profile) {
        colours[gpu] = mix(colours[gpu] + 1, colour_of(profile));
    });
    each(conditions.nic, [&](std::size_t gpu, const CapacityProfile& profile) {
        colours[gpu] = mix(colours[gpu] + 2, colour_of(profile));
    });
    return colours;
}

/// @param mixed what each GPU adds to its block's sum
void see_blocks(const Colours& mixed, const Blocks& blocks, std::uint64_t salt, Colours& next) {
    Colours sum(blocks.colour);
    for (std::size_t gpu = 0; gpu < mixed.size(); ++gpu) {
        if (blocks.block[gpu] != kNone) {
            sum[index(blocks.block[gpu])] += mixed[gpu];
        }
    }
    for (std::size_t gpu = 0; gpu < mixed.size(); ++gpu) {
        if (blocks.block[gpu] != kNone) {
            next[gpu] = mix(next[gpu] + salt, sum[index(blocks.block[gpu])]);
        }
    }
}

Colours look_around(const Colours& now, const Relations& relations, const Uplinks& uplinks) {
    Colours next = now;
    Colours mixed(now.size());
    std::ranges::transform(now, mixed.begin(), [](std::uint64_t colour) { return mix(colour); });
    std::uint64_t salt = 0;
    for (const GroupRelation& relation : relations.groups) {
        see_blocks(mixed, relation.blocks, ++salt, next);
    }
    if (relations.rails.count() > 0) {
        see_blocks(mixed, relations.rails, ++salt, next);
    }
    for (std::size_t tier = 0; uplinks.any() && tier < uplinks.binding().size(); ++tier) {
        see_blocks(mixed, uplinks.binding()[tier], ++salt, next);
    }
    return next;
}

using GpusByRank = std::vector<std::vector<Gpu>>;

GpusByRank by_rank(const work::RankLayout& layout, std::size_t ranks) {
    GpusByRank gpus(ranks);
    for (Gpu gpu = 0; gpu < layout.gpus(); ++gpu) {
        gpus[index(layout.pipeline_rank(gpu))].push_back(gpu);
    }
    return gpus;
}

/// Rank after rank, down the pipeline and back up, so that what sets a GPU apart reaches all its counterparts
/// in one round. All GPUs of a rank look at their partners at the same time, which keeps equals equal.
void look_along_pipeline(Colours& colours, const work::RankLayout& layout, const Relations& relations,
                         const GpusByRank& gpus) {
    const auto ranks = static_cast<int>(gpus.size());
    const auto look = [&](int rank) {
        for (const work::Rank partner : relations.partners[index(rank)]) {
            for (const Gpu gpu : gpus[index(rank)]) {
                colours[index(gpu)] =
                    mix(colours[index(gpu)], colours[index(layout.counterpart(gpu, partner))]);
            }
        }
    };
    for (int rank = 0; rank < ranks; ++rank) {
        look(rank);
    }
    for (int rank = ranks - 1; rank >= 0; --rank) {
        look(rank);
    }
}

} // namespace

Partition by_stage(const work::RankLayout& layout, int ranks) {
    return collect(layout, ranks, [](Gpu) { return std::uint64_t{0}; });
}

Partition one_by_one(const work::RankLayout& layout, int ranks) {
    return collect(layout, ranks, [](Gpu gpu) { return static_cast<std::uint64_t>(gpu); });
}

Partition refine(const work::RankLayout& layout, const Relations& relations, const Uplinks& uplinks,
                 const Conditions& conditions, const std::vector<std::vector<Reach>>& reach,
                 const std::vector<double>& load) {
    const GpusByRank gpus = by_rank(layout, relations.partners.size());
    Colours colours = initial(layout, relations, uplinks, conditions, reach, load);
    for (std::size_t before = 0, now = distinct(colours); now > before; now = distinct(colours)) {
        before = now;
        colours = look_around(colours, relations, uplinks);
        look_along_pipeline(colours, layout, relations, gpus);
    }
    return collect(layout, static_cast<int>(relations.partners.size()),
                   [&](Gpu gpu) { return colours[index(gpu)]; });
}

bool symmetric(const Conditions& conditions, hw::BytesPerSecond nic) {
    const bool bound = std::ranges::any_of(conditions.uplinks, [&](const auto& tier) {
        return std::ranges::any_of(tier.links, [&](const auto& uplink) { return binds(uplink, nic); });
    });
    return conditions.speed.empty() && conditions.nvlink.empty() && conditions.nic.empty() &&
           conditions.rails.empty() && conditions.load.empty() && !bound;
}

} // namespace chokepoint::sim::folding
