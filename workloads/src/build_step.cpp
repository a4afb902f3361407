// SPDX-License-Identifier: Apache-2.0
// Expands a schedule into the tasks of one optimizer step, rank by rank in the order in which they can run.
#include "schedules/orders.hpp"
#include "step/action_tasks.hpp"
#include "step/optimizer_tasks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <tuple>

namespace chokepoint::work {

namespace {

using Blocks = std::vector<Block>;

/// Copies of action tasks, and the edges between them.
class StepBuilder {
public:
    StepBuilder(const ModelArch& model, const ParallelPlan& plan, int gpus_per_node,
                std::vector<RankParameters> ranks)
        : plan_(plan),
          layout_(plan, gpus_per_node),
          works_(model, plan, layout_),
          // Sequence parallelism leaves each tensor-parallel GPU its share of the boundary activations.
          boundary_(boundary_bytes(model, plan) / plan.tensor),
          last_exit_(ranks.size()),
          last_send_(ranks.size()),
          data_(step_, works_, plan, layout_, std::move(ranks)) {
        step_.ranks = static_cast<int>(last_exit_.size());
    }

    /// A task of another rank that wants an action's output.
    struct Send {
        Side side = Side::forward;
        Rank to{0};
    };
    /// What the receiver of `side` waits for.
    struct Outputs {
        std::vector<TaskId> forward, backward;
    };

    /// Appends the tasks of `action` on `rank`; they wait for the rank's previous action and for `inputs`.
    Outputs run(Rank rank, const Action& action, const Blocks& forward_blocks, const Blocks& backward_blocks,
                std::span<const TaskId> inputs, std::span<const Send> sends) {
        const ActionTasks& tasks = tasks_of(action, forward_blocks, backward_blocks);
        const auto number = static_cast<std::int32_t>(step_.actions.size());
        const TaskId entry = add(marker(rank, action, number));
        auto& last_exit = last_exit_[static_cast<std::size_t>(index(rank))];
        if (last_exit) {
            step_.edges.emplace_back(*last_exit, entry);
        }
        for (const TaskId input : inputs) {
            step_.edges.emplace_back(input, entry);
        }
        copy(tasks, rank, action, number, entry);
        data_.accompany(rank, tasks, entry);
        Outputs outputs{global(entry, tasks.forward_output), global(entry, tasks.backward_output)};
        std::vector<TaskId> ends;
        for (const LocalId last : tasks.last) {
            ends.push_back(entry + last);
        }
        const std::vector<TaskId> sent = append_sends(rank, action, number, sends, ends, outputs);
        const TaskId exit = add(marker(rank, action, number));
        if (ends.empty()) {
            ends.push_back(entry);
        }
        if (plan_.pipeline_send == PipelineSend::blocking) {
            ends.insert(ends.end(), sent.begin(), sent.end());
        }
        for (const TaskId end : ends) {
            step_.edges.emplace_back(end, exit);
        }
        last_exit = exit;
        step_.actions.push_back({rank, action, entry, exit});
        return outputs;
    }

    void finish() {
        for (std::size_t rank = 0; rank < last_exit_.size(); ++rank) {
            data_.set_last(Rank{static_cast<int>(rank)}, last_exit_[rank]);
        }
        append_optimizer(step_, works_, plan_, data_);
    }

    StepGraph take() {
        step_.computes = works_.take_computes();
        step_.transfers = works_.take_transfers();
        return std::move(step_);
    }

    void reserve(std::size_t tasks) {
        step_.tasks.reserve(tasks);
        step_.edges.reserve(2 * tasks);
    }

private:
    /// An action's tasks by their numbers in the step; its entry if there are none.
    static std::vector<TaskId> global(TaskId entry, std::span<const LocalId> local) {
        std::vector<TaskId> ids;
        for (const LocalId id : local) {
            ids.push_back(entry + id);
        }
        if (ids.empty()) {
            ids.push_back(entry);
        }
        return ids;
    }

    static int micro_batch(const Action& action, Side side) {
        return side == Side::forward ? action.forward_micro_batch : action.backward_micro_batch;
    }
    static Task marker(Rank rank, const Action& action, std::int32_t number) {
        const Side side = runs_forward(action.kind) ? Side::forward : Side::backward;
        return {.rank = static_cast<std::int16_t>(index(rank)),
                .micro_batch = micro_batch(action, side),
                .action = number};
    }
    TaskId add(const Task& task) {
        step_.tasks.push_back(task);
        return static_cast<TaskId>(step_.tasks.size() - 1);
    }

    const ActionTasks& tasks_of(const Action& action, const Blocks& forward_blocks,
                                const Blocks& backward_blocks) {
        const auto key = std::tuple(action.kind, runs_forward(action.kind) ? index(action.forward_stage) : -1,
                                    action.kind == ActionKind::forward ? -1 : index(action.backward_stage));
        const auto [entry, is_new] = templates_.try_emplace(key);
        if (is_new) {
            entry->second = action_tasks(action.kind, forward_blocks, backward_blocks, plan_, works_);
        }
        return entry->second;
    }

    void copy(const ActionTasks& tasks, Rank rank, const Action& action, std::int32_t number, TaskId entry) {
        for (const ActionTasks::Entry& source : tasks.tasks) {
            Task task = source.task;
            task.rank = static_cast<std::int16_t>(index(rank));
            task.micro_batch = micro_batch(action, source.side);
            task.action = number;
            step_.tasks.push_back(task);
        }
        for (const auto& [from, to] : tasks.edges) {
            step_.edges.emplace_back(entry + from, entry + to);
        }
    }

    /// A blocking send is issued when the whole action is done: the published DualPipe code queues its sends
    /// and commits them at the start of the rank's next chunk (dualpipe.py, _commit_and_wait_comm). An
    /// overlapped one starts as soon as its output exists. Sends of one rank go out one after another either
    /// way.
    std::vector<TaskId> append_sends(Rank rank, const Action& action, std::int32_t number,
                                     std::span<const Send> sends, std::span<const TaskId> ends,
                                     Outputs& outputs) {
        std::vector<TaskId> sent;
        auto& last_send = last_send_[static_cast<std::size_t>(index(rank))];
        for (const Send& send : sends) {
            std::vector<TaskId>& output = send.side == Side::forward ? outputs.forward : outputs.backward;
            const TaskId task = add(send_task(rank, send, micro_batch(action, send.side), number));
            for (const TaskId produced : output) {
                step_.edges.emplace_back(produced, task);
            }
            if (plan_.pipeline_send == PipelineSend::blocking) {
                for (const TaskId end : ends) {
                    step_.edges.emplace_back(end, task);
                }
            }
            if (last_send) {
                step_.edges.emplace_back(*last_send, task);
            }
            last_send = task;
            output = {task};
            sent.push_back(task);
        }
        return sent;
    }

    bool remote(Rank from, Rank to) {
        const auto [entry, is_new] = remote_.try_emplace({from, to}, false);
        if (is_new) {
            entry->second = layout_.remote(from, to);
        }
        return entry->second;
    }

    Task send_task(Rank rank, const Send& send, int micro_batch, std::int32_t number) {
        TransferWork work;
        work.name = send.side == Side::forward ? "send(F)" : "send(B)";
        work.kind = TransferKind::pipeline;
        work.bytes = boundary_;
        work.ranks = 2;
        work.group = Group::pipeline;
        work.ranks_per_node = remote(rank, send.to) ? 1 : 2;
        return {.kind = TaskKind::transfer,
                .stream = Stream::pipeline_send,
                .rank = static_cast<std::int16_t>(index(rank)),
                .peer = static_cast<std::int16_t>(index(send.to)),
                .micro_batch = micro_batch,
                .work = works_.intern(std::move(work)),
                .action = number};
    }

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

/// What each stage has produced for each micro-batch so far.
class Products {
public:
    explicit Products(const Schedule& s)
        : micro_batches_(s.micro_batches),
          tasks_(static_cast<std::size_t>(s.stages * s.micro_batches)) {}
    std::vector<TaskId>& at(Stage stage, int micro_batch) {
        return tasks_[static_cast<std::size_t>(index(stage) * micro_batches_ + micro_batch)];
    }

private:
    int micro_batches_;
    std::vector<std::vector<TaskId>> tasks_;
};

/// Runs the schedule's actions as their inputs come to exist, which numbers the tasks in the order they are
/// issued.
class ScheduleRunner {
public:
    ScheduleRunner(const Schedule& schedule, const std::vector<Blocks>& stages, StepBuilder& builder)
        : schedule_(schedule),
          stages_(stages),
          builder_(builder),
          forwards_(schedule),
          gradients_(schedule) {}

    void run() {
        std::vector<std::size_t> done(schedule_.order.size(), 0);
        for (bool moved = true; moved;) {
            moved = false;
            for (std::size_t rank = 0; rank < done.size(); ++rank) {
                while (done[rank] < schedule_.order[rank].size() &&
                       run_if_ready(Rank{static_cast<int>(rank)}, schedule_.order[rank][done[rank]])) {
                    ++done[rank];
                    moved = true;
                }
            }
        }
    }

private:
    /// False if an input does not exist yet.
    bool run_if_ready(Rank rank, const Action& action) {
        std::vector<TaskId> inputs;
        std::vector<StepBuilder::Send> sends;
        const Stage f = action.forward_stage;
        const Stage b = action.backward_stage;
        if (runs_forward(action.kind)) {
            if (index(f) > 0 &&
                !collect(forwards_.at(Stage{index(f) - 1}, action.forward_micro_batch), inputs)) {
                return false;
            }
            if (index(f) + 1 < schedule_.stages) {
                send(Side::forward, rank, Stage{index(f) + 1}, action.forward_micro_batch, sends);
            }
        }
        if (runs_input_gradient(action.kind)) {
            if (index(b) + 1 < schedule_.stages &&
                !collect(gradients_.at(Stage{index(b) + 1}, action.backward_micro_batch), inputs)) {
                return false;
            }
            if (index(b) > 0) {
                send(Side::backward, rank, Stage{index(b) - 1}, action.backward_micro_batch, sends);
            }
        }
        const auto outputs = builder_.run(rank, action, blocks(f), blocks(b), inputs, sends);
        if (runs_forward(action.kind)) {
            forwards_.at(f, action.forward_micro_batch) = outputs.forward;
        }
        if (runs_input_gradient(action.kind)) {
            gradients_.at(b, action.backward_micro_batch) = outputs.backward;
        }
        return true;
    }

    static bool collect(const std::vector<TaskId>& product, std::vector<TaskId>& inputs) {
        inputs.insert(inputs.end(), product.begin(), product.end());
        return !product.empty();
    }
    void send(Side side, Rank from, Stage to, int micro_batch, std::vector<StepBuilder::Send>& sends) const {
        if (const Rank host = schedule_.host(to, micro_batch); host != from) {
            sends.push_back({side, host});
        }
    }
    [[nodiscard]] const Blocks& blocks(Stage stage) const {
        return stages_[static_cast<std::size_t>(index(stage))];
    }

    const Schedule& schedule_;
    const std::vector<Blocks>& stages_;
    StepBuilder& builder_;
    Products forwards_, gradients_;
};

/// Parameters of all stages that a rank hosts, counted together so that what they share is counted once; and
/// the ranks that host the same.
std::vector<RankParameters> rank_parameters(const ModelArch& model, const ParallelPlan& plan,
                                            const Schedule& schedule, const std::vector<Blocks>& stages) {
    std::vector<RankParameters> ranks(static_cast<std::size_t>(schedule.ranks));
    std::vector<Blocks> hosted(ranks.size());
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
        std::vector<Rank> hosts = schedule.hosts[stage];
        std::ranges::sort(hosts);
        hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
        for (const Rank host : hosts) {
            const auto rank = static_cast<std::size_t>(index(host));
            hosted[rank].insert(hosted[rank].end(), stages[stage].begin(), stages[stage].end());
            ranks[rank].replicas = hosts;
        }
    }
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
        Blocks before;
        StageParameters counted;
        for (const Block& block : hosted[rank]) {
            before.push_back(block);
            const StageParameters sum = stage_parameters(model, plan, before);
            ranks[rank].blocks.push_back(
                {block,
                 {.expert = sum.expert - counted.expert, .replicated = sum.replicated - counted.replicated}});
            counted = sum;
        }
        ranks[rank].held = counted;
    }
    return ranks;
}

} // namespace

TaskGraph build_step(const ModelArch& model, const ParallelPlan& plan, const Schedule& schedule,
                     int gpus_per_node) {
    if (const auto faults = check(schedule); !faults.empty()) {
        throw std::invalid_argument(
            fmt::format("schedule '{}' cannot run: {}", schedule.id, fmt::join(faults, "; ")));
    }
    const std::vector<Blocks> stages = split_stages(model, plan, schedule.stages);
    StepBuilder builder(model, plan, gpus_per_node, rank_parameters(model, plan, schedule, stages));
    ScheduleRunner(schedule, stages, builder).run();
    builder.finish();
    return TaskGraph(builder.take());
}

TaskGraph build_pair(const ModelArch& model, const ParallelPlan& plan, int layers, int gpus_per_node) {
    if (layers < 1) {
        throw std::invalid_argument(fmt::format("a pair of {} layers; expected at least 1", layers));
    }
    if (model.moe.experts == 0) {
        throw std::invalid_argument(fmt::format("a pair of MoE layers: {} has no experts", model.id));
    }
    Blocks blocks;
    for (int layer = 0; layer < layers; ++layer) {
        blocks.push_back({BlockKind::moe_layer, model.dense_layers + layer});
    }
    StepBuilder builder(model, plan, gpus_per_node, std::vector<RankParameters>(1));
    builder.run(Rank{0}, overlapped(forward(0, 0), backward(ActionKind::backward, 0, 1)), blocks, blocks, {},
                {});
    return TaskGraph(builder.take());
}

} // namespace chokepoint::work
