// SPDX-License-Identifier: Apache-2.0
// Collects groups, pipeline partners and shared links, each once, however many tasks use them.
#include "relations.hpp"
#include "../index.hpp"

#include <boost/range/iterator_range.hpp>

#include <algorithm>
#include <bit>
#include <set>

namespace chokepoint::sim::folding {

namespace {

std::vector<work::Rank> hosts_of(const work::Task& task, const work::TransferWork& transfer) {
    return transfer.hosts.empty() ? std::vector{work::Rank{task.rank}} : transfer.hosts;
}

/// Whether groups that `rank` forms with `hosts` can be kept with the relation's others.
bool admits(const GroupRelation& relation, const work::TransferWork& transfer, work::Rank rank,
            const std::vector<work::Rank>& hosts) {
    if (relation.group != transfer.group || relation.ranks_per_node != transfer.ranks_per_node) {
        return false;
    }
    const auto& own = relation.hosts[index(work::index(rank))];
    return own == hosts || std::ranges::all_of(hosts, [&](work::Rank host) {
               return relation.hosts[index(work::index(host))].empty();
           });
}

int relation_for(Relations& relations, const work::Task& task, const work::TransferWork& transfer,
                 int ranks) {
    const std::vector<work::Rank> hosts = hosts_of(task, transfer);
    const work::Rank rank{task.rank};
    auto found = std::ranges::find_if(relations.groups, [&](const GroupRelation& relation) {
        return admits(relation, transfer, rank, hosts);
    });
    if (found == relations.groups.end()) {
        relations.groups.push_back({transfer.group, transfer.ranks_per_node, {}, {}});
        found = relations.groups.end() - 1;
        found->hosts.resize(index(ranks));
    }
    for (const work::Rank host : hosts) {
        found->hosts[index(work::index(host))] = hosts;
    }
    return static_cast<int>(found - relations.groups.begin());
}

void add_partner(Relations& relations, int a, int b) {
    const auto add = [&](int from, int to) {
        auto& partners = relations.partners[index(from)];
        if (std::ranges::find(partners, work::Rank{to}) == partners.end()) {
            partners.push_back(work::Rank{to});
        }
    };
    add(a, b);
    add(b, a);
}

void find_group_blocks(GroupRelation& relation, const work::RankLayout& layout) {
    Blocks& blocks = relation.blocks;
    blocks.block.assign(index(layout.gpus()), kNone);
    for (Gpu gpu = 0; gpu < layout.gpus(); ++gpu) {
        const auto& hosts = relation.hosts[index(layout.pipeline_rank(gpu))];
        if (blocks.block[index(gpu)] != kNone || hosts.empty()) {
            continue;
        }
        for (const Gpu member : layout.members(relation.group, gpu, hosts)) {
            blocks.block[index(member)] = blocks.count();
        }
        blocks.colour.push_back(0);
    }
    index_members(blocks);
}

} // namespace

std::uint64_t mix(std::uint64_t value) {
    // The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
}
std::uint64_t mix(std::uint64_t a, std::uint64_t b) { return mix(mix(a) ^ b); }
std::uint64_t colour_of(double value) { return mix(std::bit_cast<std::uint64_t>(value)); }
std::uint64_t colour_of(const CapacityProfile& profile) {
    std::uint64_t colour = 1;
    for (const CapacityChange& change : profile) {
        colour = mix(mix(colour, colour_of(change.at.value())), colour_of(change.factor));
    }
    return colour;
}

void index_members(Blocks& blocks) {
    blocks.first.assign(blocks.colour.size() + 1, 0);
    for (const int b : blocks.block) {
        if (b != kNone) {
            ++blocks.first[index(b) + 1];
        }
    }
    for (std::size_t b = 1; b < blocks.first.size(); ++b) {
        blocks.first[b] += blocks.first[b - 1];
    }
    std::vector<std::uint32_t> next(blocks.first.begin(), blocks.first.end() - 1);
    blocks.member.resize(blocks.first.back());
    for (std::size_t gpu = 0; gpu < blocks.block.size(); ++gpu) {
        if (const int b = blocks.block[gpu]; b != kNone) {
            blocks.member[next[index(b)]++] = static_cast<Gpu>(gpu);
        }
    }
}

Blocks blocks_of(std::span<const Conditions::Shared> shared, int gpus) {
    Blocks blocks;
    blocks.block.assign(index(gpus), kNone);
    for (const Conditions::Shared& one : shared) {
        for (const Gpu gpu : one.gpus) {
            blocks.block[index(gpu)] = blocks.count();
        }
        blocks.colour.push_back(mix(colour_of(one.link.capacity.value()), colour_of(one.link.profile)));
    }
    index_members(blocks);
    return blocks;
}

Relations find_relations(const work::TaskGraph& graph, const work::RankLayout& layout,
                         const Conditions& conditions) {
    Relations relations;
    relations.partners.resize(index(graph.ranks()));
    for (work::TaskId id = 0; id < graph.tasks().size(); ++id) {
        const work::Task& task = graph.tasks()[id];
        for (const work::TaskId next :
             boost::make_iterator_range(boost::adjacent_vertices(id, graph.dag()))) {
            const int other = graph.tasks()[next].rank;
            if (other != task.rank && other >= 0 && task.rank >= 0) {
                add_partner(relations, task.rank, other);
            }
        }
        if (task.kind != work::TaskKind::transfer) {
            continue;
        }
        const work::TransferWork& transfer = graph.transfers()[index(task.work)];
        if (transfer.kind == work::TransferKind::pipeline) {
            add_partner(relations, task.rank, task.peer);
        } else if (!relations.group_of.contains({task.rank, task.work})) {
            const int relation = relation_for(relations, task, transfer, graph.ranks());
            relations.group_of.emplace(std::pair(task.rank, task.work), relation);
        }
    }
    for (GroupRelation& relation : relations.groups) {
        find_group_blocks(relation, layout);
    }
    relations.rails = blocks_of(conditions.rails, layout.gpus());
    for (const Conditions::Tier& tier : conditions.uplinks) {
        relations.uplinks.push_back(blocks_of(tier.links, layout.gpus()));
    }
    return relations;
}

} // namespace chokepoint::sim::folding
