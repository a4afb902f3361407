// SPDX-License-Identifier: Apache-2.0
// Copies the tasks of actions into a step, and joins them with sends, gathers, reductions and the optimizer.
#pragma once

#include "data_transfers.hpp"
#include "rank_parameters.hpp"

#include <map>
#include <optional>
#include <tuple>

namespace chokepoint::work {

class StepBuilder {
public:
    StepBuilder(const ModelArch&, const ParallelPlan&, int gpus_per_node, std::vector<RankParameters>);

    /// A task of another rank that wants an action's output.
    struct Send {
        Side side = Side::forward;
        Rank to{0};
        int streams = 1; ///< hidden states of a token that cross the boundary
    };
    /// What the receiver of `side` waits for.
    struct Outputs {
        std::vector<TaskId> forward, backward;
    };

    /// Appends the tasks of `action` on `rank`; they wait for the rank's previous action and for `inputs`.
    Outputs run(Rank, const Action&, const Blocks& forward_blocks, const Blocks& backward_blocks,
                std::span<const TaskId> inputs, std::span<const Send> sends);

    /// Appends what follows the last actions.
    void finish();
    StepGraph take();

private:
    TaskId add(const Task&);
    const ActionTasks& tasks_of(const Action&, const Blocks& forward_blocks, const Blocks& backward_blocks);
    void copy(const ActionTasks&, Rank, const Action&, std::int32_t number, TaskId entry);
    /// A blocking send is issued when the whole action is done: the published DualPipe code queues its sends
    /// and commits them at the start of the rank's next chunk (dualpipe.py, _commit_and_wait_comm). An
    /// overlapped one starts as soon as its output exists. Sends of one rank go out one after another either
    /// way.
    std::vector<TaskId> append_sends(Rank, const Action&, std::int32_t number, std::span<const Send>,
                                     std::span<const TaskId> ends, Outputs&);
    bool remote(Rank from, Rank to);
    Task send_task(Rank, const Send&, int micro_batch, std::int32_t number);

    const ParallelPlan& plan_;
    RankLayout layout_;
    std::map<std::pair<Rank, Rank>, bool> remote_;
    WorkTable works_;
    hw::Bytes boundary_;
    StepGraph step_;
    std::map<std::tuple<ActionKind, int, int>, ActionTasks> templates_;
    std::vector<std::optional<TaskId>> last_exit_, last_send_;
    DataTransfers data_;
};

} // namespace chokepoint::work
