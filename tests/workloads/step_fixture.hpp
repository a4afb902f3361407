// SPDX-License-Identifier: Apache-2.0
// Small models and plans for tests of the task graph, and ways to ask a graph what it holds.
#pragma once

#include <chokepoint/workloads/task_graph.hpp>

#include <string>
#include <vector>

namespace chokepoint::work::test {

/// Layer 0 dense, the rest MoE, an MTP module behind the head if asked for.
inline ModelArch small_moe(int layers, int mtp_modules = 0) {
    ModelArch model;
    model.id = "small-moe";
    model.layers = layers;
    model.dense_layers = 1;
    model.hidden = 1024;
    model.dense_ffn_hidden = 4096;
    model.vocabulary = 32000;
    model.mtp_modules = mtp_modules;
    model.attention = {.kind = AttentionKind::gqa, .heads = 16, .kv_heads = 4, .head_dim = 64};
    model.moe = {.experts = 16, .shared_experts = 1, .top_k = 2, .ffn_hidden = 512, .max_nodes = 0};
    return model;
}

inline ModelArch small_dense(int layers) {
    ModelArch model = small_moe(layers);
    model.id = "small-dense";
    model.dense_layers = layers;
    model.moe = {};
    return model;
}

/// 8 GPUs on every pipeline rank, all of them one expert group.
inline ParallelPlan small_plan(int ranks, int micro_batches) {
    ParallelPlan plan;
    plan.pipeline = ranks;
    plan.expert = 8;
    plan.data = 8;
    plan.global_batch = plan.data * micro_batches;
    return plan;
}

inline Schedule make_schedule(std::string_view id, int ranks, int micro_batches) {
    const ScheduleSize size{ranks, micro_batches};
    const ScheduleKind& kind = *find_schedule(id);
    // Interleaving needs at least two stages on a rank; the others have the stages that they have.
    return kind.make(kind.fault(size).empty() ? size : ScheduleSize{ranks, micro_batches, 2});
}

inline std::string_view work_name(const TaskGraph& graph, const Task& task) {
    if (task.kind == TaskKind::marker) {
        return "";
    }
    const auto work = static_cast<std::size_t>(task.work);
    return task.kind == TaskKind::compute ? std::string_view(graph.computes()[work].name)
                                          : std::string_view(graph.transfers()[work].name);
}

inline std::vector<TaskId> tasks_named(const TaskGraph& graph, std::string_view name) {
    std::vector<TaskId> found;
    for (TaskId id = 0; id < graph.tasks().size(); ++id) {
        if (work_name(graph, graph.tasks()[id]) == name) {
            found.push_back(id);
        }
    }
    return found;
}

/// Names of a stream's tasks on one rank, in order.
inline std::vector<std::string> stream_names(const TaskGraph& graph, Stream stream, int rank = 0) {
    std::vector<std::string> names;
    for (const Task& task : graph.tasks()) {
        if (task.kind != TaskKind::marker && task.stream == stream && task.rank == rank) {
            names.emplace_back(work_name(graph, task));
        }
    }
    return names;
}

inline std::vector<TaskId> successors(const TaskGraph& graph, TaskId id) {
    const auto [begin, end] = adjacent_vertices(id, graph.dag());
    return {begin, end};
}

/// Everything that can start only after `from`, itself included.
inline std::vector<bool> reached_from(const TaskGraph& graph, TaskId from) {
    std::vector<bool> reached(graph.tasks().size(), false);
    reached[from] = true;
    for (const TaskId id : graph.order()) {
        if (reached[id]) {
            for (const TaskId next : successors(graph, id)) {
                reached[next] = true;
            }
        }
    }
    return reached;
}

} // namespace chokepoint::work::test
