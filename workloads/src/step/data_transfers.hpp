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

/// Parameters of one kind with the GPUs that hold copies of them.
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
        std::vector<TaskId> uses;                                      ///< last kernels of the uses so far
        std::optional<TaskId> last_gather, last_reduction;
    };

    RankParameters& at(Rank rank) { return ranks_[static_cast<std::size_t>(index(rank))]; }
    State& state(Rank rank) { return states_[static_cast<std::size_t>(index(rank))]; }
    /// Appends one collective per bucket in a chain behind `last`; true if there was any.
    bool chain(Rank, TransferKind, std::string_view name, const StageParameters&, hw::DType element,
               std::span<const TaskId> after, std::optional<TaskId>& last);
    void gather(Rank, const ActionTasks::Use&, TaskId entry);
    [[nodiscard]] TransferKind reduction() const {
        return plan_.zero > 0 ? TransferKind::reduce_scatter : TransferKind::all_reduce;
    }

    StepGraph& step_;
    WorkTable& works_;
    const ParallelPlan& plan_;
    std::vector<RankParameters> ranks_;
    std::vector<State> states_;
    std::vector<std::array<RankLayout::Shape, 2>> shapes_; ///< per rank: of expert data, of data
};

} // namespace chokepoint::work
