// SPDX-License-Identifier: Apache-2.0
// A ring over the holders: each sends its neighbour what a ring all-reduce would have it send.
#include "embedding_exchange.hpp"

#include <algorithm>

namespace chokepoint::work {
namespace {

bool holds_embedding(const RankParameters& rank, bool tied) {
    return std::ranges::any_of(rank.blocks, [tied](const HeldBlock& held) {
        return held.block.kind == BlockKind::embedding || held.block.kind == BlockKind::mtp_projection ||
               (tied && held.block.kind == BlockKind::head);
    });
}

/// The ranks with a copy each; of mirrored ranks, which reduce theirs together anyway, the first.
std::vector<Rank> holders(const DataTransfers& data, bool tied) {
    std::vector<Rank> found;
    for (std::size_t r = 0; r < data.ranks().size(); ++r) {
        const Rank rank{static_cast<int>(r)};
        const RankParameters& own = data.ranks()[r];
        const bool is_first = own.replicas.empty() || own.replicas.front() == rank;
        if (is_first && holds_embedding(own, tied)) {
            found.push_back(rank);
        }
    }
    return found;
}

} // namespace

void append_embedding_exchange(StepGraph& step, WorkTable& works, const ParallelPlan& plan,
                               const RankLayout& layout, const DataTransfers& data,
                               std::vector<std::vector<TaskId>>& reduced) {
    const std::vector<Rank> ring = holders(data, works.tied_embeddings());
    const std::size_t members = ring.size();
    if (members < 2) {
        return;
    }
    // Where gradients are shared out, each GPU exchanges its shard.
    const double parameters =
        static_cast<double>(works.embedding_parameters()) / (plan.zero >= 2 ? data.sharing(ring.front()) : 1);
    const double passes = 2.0 * static_cast<double>(members - 1) / static_cast<double>(members);
    std::vector<TaskId> sums;
    for (std::size_t i = 0; i < members; ++i) {
        const Rank from = ring[i];
        const Rank to = ring[(i + 1) % members];
        TransferWork work;
        work.name = "embedding gradient";
        work.kind = TransferKind::pipeline;
        work.bytes = passes * parameters * hw::element_bytes(plan.gradient_dtype);
        work.ranks = 2;
        work.group = Group::pipeline;
        work.ranks_per_node = layout.remote(from, to) ? 1 : 2;
        step.tasks.push_back({.kind = TaskKind::transfer,
                              .stream = Stream::data_comm,
                              .rank = static_cast<std::int16_t>(index(from)),
                              .peer = static_cast<std::int16_t>(index(to)),
                              .work = works.intern(std::move(work))});
        sums.push_back(static_cast<TaskId>(step.tasks.size() - 1));
        for (const Rank holder : {from, to}) {
            for (const TaskId ready : reduced[static_cast<std::size_t>(index(holder))]) {
                step.edges.emplace_back(ready, sums.back());
            }
        }
    }
    for (const Rank holder : ring) {
        std::vector<TaskId>& ends = reduced[static_cast<std::size_t>(index(holder))];
        ends.insert(ends.end(), sums.begin(), sums.end());
    }
}

} // namespace chokepoint::work
