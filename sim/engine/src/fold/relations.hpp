// SPDX-License-Identifier: Apache-2.0
// Who waits for whom, and who shares a link with whom, among all GPUs of a cluster.
#pragma once

#include <chokepoint/sim/fold.hpp>

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace chokepoint::sim::folding {

using Gpu = int;
constexpr int kNone = -1;

/// Disjoint sets of GPUs: the groups of one kind, or those below each link of one tier.
struct Blocks {
    std::vector<int> block;            ///< by GPU; kNone: in no set
    std::vector<std::uint64_t> colour; ///< by block: what tells blocks apart beside their members
    std::vector<std::uint32_t> first;  ///< by block, and one more: into `member`
    std::vector<Gpu> member;           ///< ascending within a block

    [[nodiscard]] int count() const { return static_cast<int>(colour.size()); }
    [[nodiscard]] std::span<const Gpu> members(int b) const {
        const auto begin = first[static_cast<std::size_t>(b)];
        return std::span(member).subspan(begin, first[static_cast<std::size_t>(b) + 1] - begin);
    }
};
/// Fills in `first` and `member` from `block` and `colour`.
void index_members(Blocks&);

/// Blocks from lists of members, all of the colour given for their list.
Blocks blocks_of(std::span<const Conditions::Shared>, int gpus);

/// The groups of one kind that transfers use: for each pipeline rank, those that it forms with `hosts`.
struct GroupRelation {
    work::Group group = work::Group::data;
    int ranks_per_node = 1;
    std::vector<std::vector<work::Rank>> hosts; ///< by pipeline rank; empty: not used there
    Blocks blocks;
};

/// How a step ties the GPUs of a cluster together.
struct Relations {
    std::vector<GroupRelation> groups;
    std::map<std::pair<int, std::int32_t>, int> group_of; ///< by pipeline rank and transfer: into groups
    std::vector<std::vector<work::Rank>>
        partners; ///< by pipeline rank: ranks it waits for or sends to, or they it
    Blocks rails;
    std::vector<Blocks> uplinks; ///< by tier
};
Relations find_relations(const work::TaskGraph&, const work::RankLayout&, const Conditions&);

/// Order-independent, so that sets can be compared by the sum of their members' colours.
std::uint64_t mix(std::uint64_t value);
std::uint64_t mix(std::uint64_t a, std::uint64_t b);
std::uint64_t colour_of(double);
std::uint64_t colour_of(const CapacityProfile&);

} // namespace chokepoint::sim::folding
