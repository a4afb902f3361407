// SPDX-License-Identifier: Apache-2.0
// Turns lists of tasks and edges into a graph that is known to be acyclic, or names the tasks of a cycle.
#include <chokepoint/workloads/task_graph.hpp>

#include <boost/graph/topological_sort.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <stdexcept>

namespace chokepoint::work {

namespace {

using Edge = std::pair<TaskId, TaskId>;

void check_edges(const std::vector<Edge>& edges, std::size_t tasks) {
    for (const auto& [from, to] : edges) {
        if (from >= tasks || to >= tasks) {
            throw std::logic_error(
                fmt::format("edge from task {} to task {}: the graph has {} tasks", from, to, tasks));
        }
    }
}

void check_works(std::span<const Task> tasks, std::size_t computes, std::size_t transfers) {
    for (std::size_t id = 0; id < tasks.size(); ++id) {
        const Task& task = tasks[id];
        if (task.kind == TaskKind::marker) {
            continue;
        }
        const std::size_t works = task.kind == TaskKind::compute ? computes : transfers;
        if (task.work < 0 || static_cast<std::size_t>(task.work) >= works) {
            throw std::logic_error(fmt::format("task {} refers to work {} of {}", id, task.work, works));
        }
    }
}

/// Edges in the order the compressed rows need, each once: counted by source, then each row sorted.
std::vector<Edge> by_source(const std::vector<Edge>& edges, std::size_t tasks) {
    std::vector<std::uint32_t> row(tasks + 1, 0);
    for (const Edge& edge : edges) {
        ++row[edge.first + 1];
    }
    for (std::size_t task = 0; task < tasks; ++task) {
        row[task + 1] += row[task];
    }
    std::vector<Edge> sorted(edges.size());
    std::vector<std::uint32_t> next(row.begin(), row.end() - 1);
    for (const Edge& edge : edges) {
        sorted[next[edge.first]++] = edge;
    }
    for (std::size_t task = 0; task < tasks; ++task) {
        std::sort(sorted.begin() + row[task], sorted.begin() + row[task + 1]);
    }
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    return sorted;
}

/// Tasks of one cycle, in order. Every task left over when tasks without predecessors are peeled off has a
/// predecessor that is left over too, so walking backwards among them must come round.
std::vector<TaskId> find_cycle(const Dag& dag) {
    std::vector<std::uint32_t> open(num_vertices(dag), 0);
    for (auto [edge, end] = edges(dag); edge != end; ++edge) {
        ++open[target(*edge, dag)];
    }
    std::vector<TaskId> peeled;
    for (TaskId task = 0; task < open.size(); ++task) {
        if (open[task] == 0) {
            peeled.push_back(task);
        }
    }
    for (std::size_t i = 0; i < peeled.size(); ++i) {
        for (auto [next, end] = adjacent_vertices(peeled[i], dag); next != end; ++next) {
            if (--open[*next] == 0) {
                peeled.push_back(*next);
            }
        }
    }
    std::vector<TaskId> predecessor(open.size(), 0);
    TaskId at = 0;
    for (auto [edge, end] = edges(dag); edge != end; ++edge) {
        if (open[source(*edge, dag)] > 0 && open[target(*edge, dag)] > 0) {
            predecessor[target(*edge, dag)] = source(*edge, dag);
            at = target(*edge, dag);
        }
    }
    std::vector<TaskId> cycle;
    while (std::ranges::find(cycle, at) == cycle.end()) {
        cycle.push_back(at);
        at = predecessor[at];
    }
    cycle.erase(cycle.begin(), std::ranges::find(cycle, at));
    std::ranges::reverse(cycle);
    return cycle;
}

} // namespace

std::string_view name(Stream stream) {
    constexpr std::array<std::string_view, kStreams> kNames{"compute",   "expert_comm", "pipeline_send",
                                                            "data_comm", "tensor_comm", "context_comm",
                                                            "host_out",  "host_in"};
    return kNames.at(static_cast<std::size_t>(stream));
}

TaskGraph::TaskGraph(StepGraph&& step)
    : tasks_(std::move(step.tasks)),
      computes_(std::move(step.computes)),
      transfers_(std::move(step.transfers)),
      actions_(std::move(step.actions)),
      ranks_(step.ranks) {
    check_edges(step.edges, tasks_.size());
    check_works(tasks_, computes_.size(), transfers_.size());
    const std::vector<Edge> sorted = by_source(step.edges, tasks_.size());
    dag_ = Dag(boost::edges_are_sorted, sorted.begin(), sorted.end(), static_cast<TaskId>(tasks_.size()));
    order_.reserve(tasks_.size());
    try {
        boost::topological_sort(dag_, std::back_inserter(order_));
    } catch (const boost::not_a_dag&) {
        std::vector<std::string> names;
        for (const TaskId task : find_cycle(dag_)) {
            names.push_back(fmt::format("task {} ({})", task, describe(task)));
        }
        throw std::logic_error(fmt::format("tasks wait for each other: {}", fmt::join(names, " -> ")));
    }
    std::ranges::reverse(order_); // Boost writes the last task first
}

std::string TaskGraph::describe(TaskId id) const {
    const Task& task = tasks_.at(id);
    std::string text = fmt::format("rank {}", task.rank);
    if (task.kind == TaskKind::marker) {
        if (task.work >= 0) {
            return fmt::format("members of {}", transfers_.at(static_cast<std::size_t>(task.work)).name);
        }
        if (task.rank == kNoRank) {
            return "all ranks' gradient norms";
        }
        if (task.action < 0) {
            return text + " holders of its parameters";
        }
        const ActionSpan& span = actions_.at(static_cast<std::size_t>(task.action));
        return fmt::format("{} {} of {}", text, id == span.entry ? "entry" : "exit", to_text(span.action));
    }
    if (task.micro_batch >= 0) {
        text += fmt::format(" mb {}", task.micro_batch);
    }
    if (task.layer >= 0) {
        text += fmt::format(" layer {}", task.layer);
    }
    const auto work = static_cast<std::size_t>(task.work);
    return text + " " + (task.kind == TaskKind::compute ? computes_.at(work).name : transfers_.at(work).name);
}

} // namespace chokepoint::work
