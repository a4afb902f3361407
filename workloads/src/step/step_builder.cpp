// SPDX-License-Identifier: Apache-2.0
// Numbers tasks as they are issued, and keeps what the next ones of a rank wait for.
#include "step_builder.hpp"

#include "../schedules/orders.hpp"
#include "optimizer_tasks.hpp"

namespace chokepoint::work {
namespace {

/// An action's tasks by their numbers in the step; its entry if there are none.
std::vector<TaskId> global(TaskId entry, std::span<const LocalId> local) {
    std::vector<TaskId> ids;
    for (const LocalId id : local) {
        ids.push_back(entry + id);
    }
    if (ids.empty()) {
        ids.push_back(entry);
    }
    return ids;
}

int micro_batch(const Action& action, Side side) {
    return side == Side::forward ? action.forward_micro_batch : action.backward_micro_batch;
}
Task marker(Rank rank, const Action& action, std::int32_t number) {
    const Side side = runs_forward(action.kind) ? Side::forward : Side::backward;
    return {.rank = static_cast<std::int16_t>(index(rank)),
            .micro_batch = micro_batch(action, side),
            .action = number};
}
} // namespace

StepBuilder::StepBuilder(const ModelArch& model, const ParallelPlan& plan, int gpus_per_node,
                         std::vector<RankParameters> ranks)
    : plan_(plan),
      layout_(plan, gpus_per_node),
      works_(model, plan, layout_),
      boundary_(boundary_bytes(model, plan)),
      last_exit_(ranks.size()),
      last_send_(ranks.size()),
      data_(step_, works_, plan, layout_, std::move(ranks)) {
    step_.ranks = static_cast<int>(last_exit_.size());
}

StepBuilder::Outputs StepBuilder::run(Rank rank, const Action& action, const Blocks& forward_blocks,
                                      const Blocks& backward_blocks, std::span<const TaskId> inputs,
                                      std::span<const Send> sends) {
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

void StepBuilder::finish() {
    for (std::size_t rank = 0; rank < last_exit_.size(); ++rank) {
        data_.set_last(Rank{static_cast<int>(rank)}, last_exit_[rank]);
    }
    append_optimizer(step_, works_, plan_, layout_, data_);
}

StepGraph StepBuilder::take() {
    step_.computes = works_.take_computes();
    step_.transfers = works_.take_transfers();
    return std::move(step_);
}

TaskId StepBuilder::add(const Task& task) {
    step_.tasks.push_back(task);
    return static_cast<TaskId>(step_.tasks.size() - 1);
}

const ActionTasks& StepBuilder::tasks_of(const Action& action, const Blocks& forward_blocks,
                                         const Blocks& backward_blocks) {
    const auto key = std::tuple(action.kind, runs_forward(action.kind) ? index(action.forward_stage) : -1,
                                action.kind == ActionKind::forward ? -1 : index(action.backward_stage));
    const auto [entry, is_new] = templates_.try_emplace(key);
    if (is_new) {
        entry->second = action_tasks(action.kind, forward_blocks, backward_blocks, plan_, works_);
    }
    return entry->second;
}

void StepBuilder::copy(const ActionTasks& tasks, Rank rank, const Action& action, std::int32_t number,
                       TaskId entry) {
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

std::vector<TaskId> StepBuilder::append_sends(Rank rank, const Action& action, std::int32_t number,
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

bool StepBuilder::remote(Rank from, Rank to) {
    const auto [entry, is_new] = remote_.try_emplace({from, to}, false);
    if (is_new) {
        entry->second = layout_.remote(from, to);
    }
    return entry->second;
}

Task StepBuilder::send_task(Rank rank, const Send& send, int micro_batch, std::int32_t number) {
    TransferWork work;
    work.name = send.side == Side::forward ? "send(F)" : "send(B)";
    work.kind = TransferKind::pipeline;
    work.bytes = boundary_ * static_cast<double>(send.streams);
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

} // namespace chokepoint::work
