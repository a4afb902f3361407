// SPDX-License-Identifier: Apache-2.0
// Gradients and parameters between the GPUs that share out their states: layer by layer beside compute, or
// all at the end.
#pragma once

#include "action_tasks.hpp"

#include <array>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace chokepoint::work {

/// A block of a rank with what one GPU holds of it.
struct HeldBlock {
    Block block;
    StageParameters held;
};

/// A pipeline rank as data parallelism sees it.
struct RankParameters {
    StageParameters held;          ///< of all stages the rank hosts
    std::vector<HeldBlock> blocks; ///< the same, block by block; what blocks share is with the first of them
    std::vector<Rank> replicas;    ///< ranks of one pipeline that host the same stages, itself included
    std::optional<TaskId> last;    ///< exit of its last action
};

/// Parameters of one kind with the GPUs that share out their states, or that reduce them as one.
struct Bucket {
    double parameters = 0.0;
    Group group = Group::data;
    std::vector<Rank> hosts;
    RankLayout::Shape shape;
    [[nodiscard]] double shard(int zero) const { return zero == 0 ? parameters : parameters / shape.ranks; }
};

class DataTransfers {
public:
    DataTransfers(StepGraph&, WorkTable&, const ParallelPlan&, const RankLayout&,
                  std::vector<RankParameters>);

    /// Adds the transfers that an action's blocks need while the step runs: gathered parameters in front of
    /// their first kernels, reduced gradients behind the last. `entry` is the action's, already copied.
    void accompany(Rank, const ActionTasks&, TaskId entry);

    void set_last(Rank rank, std::optional<TaskId> last) { at(rank).last = last; }
    [[nodiscard]] std::span<const RankParameters> ranks() const { return ranks_; }
    /// Routed experts, then the rest, of all blocks of a rank.
    [[nodiscard]] std::vector<Bucket> buckets(Rank, const StageParameters&) const;
    /// Their shards, with the GPUs that hold the same; empty where each shard exists once.
    [[nodiscard]] std::vector<Bucket> shards(Rank, const StageParameters&) const;
    /// GPUs that share out the states of a rank's unrouted parameters.
    [[nodiscard]] int sharing(Rank rank) const {
        return shapes_[static_cast<std::size_t>(index(rank))][1].shard.ranks;
    }
    /// Reduces what is not reduced yet, behind `ready` or, overlapped, behind each block's weight gradients.
    /// The tasks that the gradient norm waits for.
    std::vector<TaskId> reduce(Rank, TaskId ready);
    /// Gathers all parameters behind the update, unless they are gathered where they are used.
    void gather_updated(Rank, TaskId update);

private:
    using Key = std::pair<BlockKind, int>;
    static Key key(const Block& block) { return {block.kind, block.layer}; }

    /// What one rank has under way; each kind of transfer runs in order.
    struct State {
        std::map<Key, StageParameters> blocks;
        std::map<Key, bool> gathered;
        std::vector<std::pair<Key, std::vector<TaskId>>> weights_done; ///< in order, the latest of each block
        std::vector<std::pair<Key, TaskId>> reduced;                   ///< likewise; zero of at least 2
        std::vector<TaskId> uses;                                      ///< last kernels of the uses so far
        std::optional<TaskId> last_gather, last_reduction, last_replicas;
    };

    /// How the holders of experts, or of the rest, lie on nodes.
    struct Shapes {
        RankLayout::Shape shard, replicas;
    };

    RankParameters& at(Rank rank) { return ranks_[static_cast<std::size_t>(index(rank))]; }
    [[nodiscard]] const RankParameters& at(Rank rank) const {
        return ranks_[static_cast<std::size_t>(index(rank))];
    }
    State& state(Rank rank) { return states_[static_cast<std::size_t>(index(rank))]; }
    [[nodiscard]] const State& state(Rank rank) const {
        return states_[static_cast<std::size_t>(index(rank))];
    }
    /// Appends one collective per bucket in a chain behind `last`; true if there was any.
    bool chain(Rank, TransferKind, std::string_view name, std::span<const Bucket>, hw::DType element,
               std::span<const TaskId> after, std::optional<TaskId>& last);
    void gather(Rank, const ActionTasks::Use&, TaskId entry);
    /// Appends the reduction of `held`, and notes it as the latest of its kind.
    void reduce_block(Rank, const StageParameters& held, std::span<const TaskId> after);
    /// The shards of `held` over their replicas, behind a reduction.
    void reduce_replicas(Rank, const StageParameters& held, TaskId reduced);
    /// When all holders of a block have its last weight gradient.
    [[nodiscard]] std::vector<TaskId> done_everywhere(Rank, const Key&) const;
    [[nodiscard]] TransferKind reduction() const {
        return plan_.zero > 0 ? TransferKind::reduce_scatter : TransferKind::all_reduce;
    }

    StepGraph& step_;
    WorkTable& works_;
    const ParallelPlan& plan_;
    std::vector<RankParameters> ranks_;
    std::vector<State> states_;
    std::vector<std::array<Shapes, 2>> shapes_; ///< per rank: of experts, of the rest
};

} // namespace chokepoint::work
