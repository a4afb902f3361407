// SPDX-License-Identifier: Apache-2.0
// Decides when each block's parameters are gathered and its gradients reduced.
#include "data_transfers.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace chokepoint::work {
namespace {

/// Takes a block's entry out, so that the next one is the latest.
template <typename Key, typename Value>
void forget(std::vector<std::pair<Key, Value>>& entries, const Key& key) {
    std::erase_if(entries, [&](const auto& entry) { return entry.first == key; });
}

} // namespace

DataTransfers::DataTransfers(StepGraph& step, WorkTable& works, const ParallelPlan& plan,
                             const RankLayout& layout, std::vector<RankParameters> ranks)
    : step_(step),
      works_(works),
      plan_(plan),
      ranks_(std::move(ranks)),
      states_(ranks_.size()) {
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
        const Rank own{static_cast<int>(rank)};
        const std::vector<Rank>& hosts = ranks_[rank].replicas;
        shapes_.push_back(
            {Shapes{layout.shape(Group::expert_shard, own, hosts), layout.shape(Group::expert_replicas, own)},
             Shapes{layout.shape(Group::shard, own, hosts), layout.shape(Group::replicas, own)}});
        for (const HeldBlock& held : ranks_[rank].blocks) {
            StageParameters& sum = states_[rank].blocks[key(held.block)];
            sum.expert += held.held.expert;
            sum.replicated += held.held.replicated;
        }
    }
}

std::vector<Bucket> DataTransfers::buckets(Rank rank, const StageParameters& held) const {
    const std::vector<Rank>& hosts = at(rank).replicas;
    const auto& [experts, others] = shapes_[static_cast<std::size_t>(index(rank))];
    const bool cut = plan_.shard_group.has_value();
    return {
        Bucket{static_cast<double>(held.expert), cut ? Group::expert_shard : Group::expert_data, hosts,
               experts.shard},
        Bucket{static_cast<double>(held.replicated), cut ? Group::shard : Group::data, hosts, others.shard}};
}

std::vector<Bucket> DataTransfers::shards(Rank rank, const StageParameters& held) const {
    if (!plan_.shard_group) {
        return {};
    }
    const auto& [experts, others] = shapes_[static_cast<std::size_t>(index(rank))];
    return {
        Bucket{static_cast<double>(held.expert) / experts.shard.ranks,
               Group::expert_replicas,
               {},
               experts.replicas},
        Bucket{
            static_cast<double>(held.replicated) / others.shard.ranks, Group::replicas, {}, others.replicas}};
}

bool DataTransfers::chain(Rank rank, TransferKind kind, std::string_view name,
                          std::span<const Bucket> buckets, hw::DType element, std::span<const TaskId> after,
                          std::optional<TaskId>& last) {
    bool any = false;
    for (const Bucket& bucket : buckets) {
        if (bucket.shape.ranks == 1 || bucket.parameters == 0.0) {
            continue;
        }
        TransferWork work;
        work.name = name;
        work.kind = kind;
        work.bytes = bucket.parameters * hw::element_bytes(element);
        work.ranks = bucket.shape.ranks;
        work.ranks_per_node = bucket.shape.ranks_per_node;
        work.group = bucket.group;
        work.hosts = bucket.hosts;
        step_.tasks.push_back({.kind = TaskKind::transfer,
                               .stream = Stream::data_comm,
                               .rank = static_cast<std::int16_t>(index(rank)),
                               .work = works_.intern(std::move(work))});
        const auto task = static_cast<TaskId>(step_.tasks.size() - 1);
        for (const TaskId wanted : after) {
            step_.edges.emplace_back(wanted, task);
        }
        if (last && std::ranges::find(after, *last) == after.end()) {
            step_.edges.emplace_back(*last, task);
        }
        last = task;
        any = true;
    }
    return any;
}

void DataTransfers::accompany(Rank rank, const ActionTasks& tasks, TaskId entry) {
    if (plan_.zero < 2 && !plan_.overlap_gradients && !plan_.overlap_parameters) {
        return;
    }
    State& s = state(rank);
    for (const ActionTasks::Use& use : tasks.uses) {
        if (use.first != kEntry) {
            gather(rank, use, entry);
        }
        if (use.weights_done != kEntry) {
            std::vector<TaskId> done{entry + use.weights_done};
            if (plan_.zero >= 2) {
                // Gradients that no GPU keeps whole leave after every micro-batch.
                reduce_block(rank, s.blocks[key(use.block)], done);
                if (s.last_reduction) {
                    forget(s.reduced, key(use.block));
                    s.reduced.emplace_back(key(use.block), *s.last_reduction);
                }
            } else {
                forget(s.weights_done, key(use.block));
                s.weights_done.emplace_back(key(use.block), std::move(done));
            }
        }
    }
}

void DataTransfers::gather(Rank rank, const ActionTasks::Use& use, TaskId entry) {
    State& s = state(rank);
    const bool every_use = plan_.zero >= 3;
    const bool first_use = plan_.overlap_parameters && use.side == Side::forward &&
                           !std::exchange(s.gathered[key(use.block)], true);
    if ((every_use && use.reads_weights) || first_use) {
        // Only the next block's parameters are fetched ahead: a gather starts when the block before the one
        // that now computes is done (FSDP's prefetch, arXiv 2304.11277, 3.3.2). Parameters that stay are
        // fetched as fast as they come.
        std::vector<TaskId> after;
        if (every_use && s.uses.size() >= 2) {
            after.push_back(s.uses[s.uses.size() - 2]);
        }
        if (chain(rank, TransferKind::all_gather, "parameter gathering",
                  buckets(rank, s.blocks[key(use.block)]), plan_.gathered_dtype(), after, s.last_gather)) {
            step_.edges.emplace_back(*s.last_gather, entry + use.first);
        }
    }
    s.uses.push_back(entry + use.last);
}

void DataTransfers::reduce_block(Rank rank, const StageParameters& held, std::span<const TaskId> after) {
    chain(rank, reduction(), "gradient reduction", buckets(rank, held), plan_.gradient_dtype, after,
          state(rank).last_reduction);
}

void DataTransfers::reduce_replicas(Rank rank, const StageParameters& held, TaskId reduced) {
    const std::array behind{reduced};
    chain(rank, TransferKind::all_reduce, "replica reduction", shards(rank, held), plan_.gradient_dtype,
          behind, state(rank).last_replicas);
}

std::vector<TaskId> DataTransfers::done_everywhere(Rank rank, const Key& block) const {
    std::vector<TaskId> done;
    for (const Rank replica : at(rank).replicas) {
        const auto& theirs = state(replica).weights_done;
        const auto found = std::ranges::find(theirs, block, &std::pair<Key, std::vector<TaskId>>::first);
        if (found != theirs.end()) {
            done.insert(done.end(), found->second.begin(), found->second.end());
        }
    }
    return done;
}

std::vector<TaskId> DataTransfers::reduce(Rank rank, TaskId ready) {
    State& s = state(rank);
    if (plan_.zero >= 2) {
        // Shards are summed over micro-batches first, and cross to their replicas once a step, as FSDP2's
        // gradient accumulation (set_requires_all_reduce) and Megatron-FSDP do.
        for (const auto& [block, reduced] : s.reduced) {
            reduce_replicas(rank, s.blocks[block], reduced);
        }
    } else if (plan_.overlap_gradients) {
        for (const auto& [block, own] : s.weights_done) {
            reduce_block(rank, s.blocks[block], done_everywhere(rank, block));
            reduce_replicas(rank, s.blocks[block], s.last_reduction.value_or(ready));
        }
    } else {
        const std::array behind{ready};
        reduce_block(rank, at(rank).held, behind);
        reduce_replicas(rank, at(rank).held, s.last_reduction.value_or(ready));
    }
    std::vector<TaskId> ends{ready};
    for (const std::optional<TaskId>& last : {s.last_reduction, s.last_replicas}) {
        if (last) {
            ends.push_back(*last);
        }
    }
    return ends;
}

void DataTransfers::gather_updated(Rank rank, TaskId update) {
    if (plan_.zero == 0 || plan_.zero >= 3 || plan_.overlap_parameters) {
        return;
    }
    std::optional<TaskId> last;
    const std::array behind{update};
    chain(rank, TransferKind::all_gather, "parameter gathering", buckets(rank, at(rank).held),
          plan_.gathered_dtype(), behind, last);
}

} // namespace chokepoint::work
