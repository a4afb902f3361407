// SPDX-License-Identifier: Apache-2.0
// Finds the chain of tasks that set the step time and names the resource behind each of its seconds.
#include <chokepoint/sim/critical_path.hpp>

#include <boost/range/iterator_range.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <ranges>
#include <stdexcept>

namespace chokepoint::sim {

namespace {

constexpr std::array<std::string_view, 10> kResourceNames{
    "tensor_core", "attention",    "memory",    "nvlink", "nic",
    "latency",     "slowest_rank", "optimizer", "host",   "launch"};

constexpr work::TaskId kNone = std::numeric_limits<work::TaskId>::max();

auto successors(const work::TaskGraph& graph, work::TaskId task) {
    return boost::make_iterator_range(boost::adjacent_vertices(task, graph.dag()));
}

void expect_timeline_of(const work::TaskGraph& graph, const Timeline& timeline) {
    const std::size_t tasks = graph.tasks().size();
    if (timeline.start.size() != tasks || timeline.finish.size() != tasks) {
        throw std::invalid_argument(
            fmt::format("timeline holds {} starts and {} finishes; the graph has {} tasks",
                        timeline.start.size(), timeline.finish.size(), tasks));
    }
}

/// The predecessor of each task that finished last, the first in the graph's numbering among equals. One pass
/// over the out-edges: a reversed copy of the graph would cost more than it tells.
std::vector<work::TaskId> last_predecessors(const work::TaskGraph& graph, const Timeline& timeline) {
    std::vector<work::TaskId> last(graph.tasks().size(), kNone);
    for (work::TaskId task = 0; task < last.size(); ++task) {
        for (const work::TaskId next : successors(graph, task)) {
            if (last[next] == kNone || timeline.finish[task] > timeline.finish[last[next]]) {
                last[next] = task;
            }
        }
    }
    return last;
}

Resource resource_of(hw::KernelClass kernel) {
    switch (kernel) {
    case hw::KernelClass::gemm:
    case hw::KernelClass::gemm_wgrad:
    case hw::KernelClass::grouped_gemm:
    case hw::KernelClass::grouped_wgrad:
        return Resource::tensor_core;
    case hw::KernelClass::attention_fwd:
    case hw::KernelClass::attention_bwd:
        return Resource::attention;
    case hw::KernelClass::optimizer:
        return Resource::optimizer;
    default:
        return Resource::memory;
    }
}

Resource resource_of(hw::Port port) { return port == hw::Port::nvlink ? Resource::nvlink : Resource::nic; }

/// The port whose flow takes longest alone.
Resource slowest_port(const hw::TransferShape& shape, const StepCosts& costs) {
    Resource slowest = Resource::latency;
    hw::Seconds longest{0.0};
    for (const hw::PortFlow& flow : shape.flows) {
        const hw::BytesPerSecond port = flow.port == hw::Port::nvlink ? costs.nvlink : costs.nic;
        const hw::Seconds alone = flow.bytes / std::min(flow.rate_cap, port);
        if (alone > longest) {
            longest = alone;
            slowest = resource_of(flow.port);
        }
    }
    return slowest;
}

class Attribution {
public:
    Attribution(const work::TaskGraph& graph, const StepCosts& costs, const Timeline& timeline,
                const std::vector<std::vector<hw::Seconds>>& operator_seconds)
        : graph_(graph),
          costs_(costs),
          timeline_(timeline),
          operator_seconds_(operator_seconds) {}

    void add(const PathStep& step) {
        const work::Task& task = graph_.tasks()[step.task];
        const hw::Seconds time = step.finish - step.start;
        if (task.kind == work::TaskKind::compute) {
            const hw::Seconds lost = timeline_.lost.empty() ? hw::Seconds(0.0) : timeline_.lost[step.task];
            add_compute(static_cast<std::size_t>(task.work), time, lost);
        } else if (task.kind == work::TaskKind::transfer) {
            add_transfer(step.task, static_cast<std::size_t>(task.work), time);
        }
    }

    [[nodiscard]] std::vector<std::pair<Resource, hw::Seconds>> largest_first() const {
        std::vector<std::pair<Resource, hw::Seconds>> sorted;
        for (std::size_t i = 0; i < seconds_.size(); ++i) {
            if (seconds_[i] > hw::Seconds(0.0)) {
                sorted.emplace_back(static_cast<Resource>(i), seconds_[i]);
            }
        }
        std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
            return a.second != b.second ? a.second > b.second : a.first < b.first;
        });
        return sorted;
    }

private:
    void book(Resource resource, hw::Seconds time) { seconds_[static_cast<std::size_t>(resource)] += time; }

    void add_compute(std::size_t work, hw::Seconds time, hw::Seconds lost) {
        const work::ComputeWork& compute = graph_.computes()[work];
        if (waited_for_host(costs_, work, time - lost)) {
            book(Resource::launch, time);
            return;
        }
        const std::vector<hw::Seconds>& shares = operator_seconds_[work];
        hw::Seconds total{0.0};
        for (const hw::Seconds share : shares) {
            total += share;
        }
        if (!(total > hw::Seconds(0.0))) {
            book(resource_of(compute.representative), time);
            return;
        }
        for (std::size_t i = 0; i < shares.size(); ++i) {
            book(resource_of(compute.operators[i].kernel), time * (shares[i] / total));
        }
    }

    void add_transfer(work::TaskId task, std::size_t work, hw::Seconds time) {
        if (work::in_host(graph_.transfers()[work].kind)) {
            book(Resource::host, time);
            return;
        }
        const hw::TransferShape& shape = costs_.transfer[work];
        const hw::Seconds wait = std::min(costs_.straggler_wait[work], time);
        const hw::Seconds latency = std::min(shape.latency, time - wait);
        const Resource slowest = slowest_port(shape, costs_);
        const bool port_known = slowest != Resource::latency && !timeline_.last_port.empty();
        book(Resource::slowest_rank, wait);
        book(Resource::latency, latency);
        book(port_known ? resource_of(timeline_.last_port[task]) : slowest, time - wait - latency);
    }

    const work::TaskGraph& graph_;
    const StepCosts& costs_;
    const Timeline& timeline_;
    const std::vector<std::vector<hw::Seconds>>& operator_seconds_;
    std::array<hw::Seconds, kResourceNames.size()> seconds_{};
};

void expect_operator_seconds_of(const work::TaskGraph& graph,
                                const std::vector<std::vector<hw::Seconds>>& operator_seconds) {
    if (operator_seconds.size() != graph.computes().size()) {
        throw std::invalid_argument(fmt::format("operator times are given for {} works; the graph has {}",
                                                operator_seconds.size(), graph.computes().size()));
    }
    for (std::size_t i = 0; i < operator_seconds.size(); ++i) {
        const work::ComputeWork& compute = graph.computes()[i];
        if (operator_seconds[i].size() != compute.operators.size()) {
            throw std::invalid_argument(fmt::format("'{}' has {} operator times; it has {} operators",
                                                    compute.name, operator_seconds[i].size(),
                                                    compute.operators.size()));
        }
    }
}

} // namespace

std::string_view name(Resource resource) { return kResourceNames.at(static_cast<std::size_t>(resource)); }

CriticalPath critical_path(const work::TaskGraph& graph, const StepCosts& costs, const Timeline& timeline,
                           const std::vector<std::vector<hw::Seconds>>& operator_seconds) {
    expect_timeline_of(graph, timeline);
    expect_operator_seconds_of(graph, operator_seconds);
    CriticalPath path;
    if (graph.tasks().empty()) {
        return path;
    }
    const std::vector<work::TaskId> last = last_predecessors(graph, timeline);
    const auto latest = std::max_element(timeline.finish.begin(), timeline.finish.end());
    Attribution attribution(graph, costs, timeline, operator_seconds);
    for (auto task = static_cast<work::TaskId>(latest - timeline.finish.begin()); task != kNone;
         task = last[task]) {
        const hw::Seconds ready = last[task] == kNone ? hw::Seconds(0.0) : timeline.finish[last[task]];
        if (timeline.start[task] != ready) {
            throw std::invalid_argument(
                fmt::format("task {} ({}) starts at {} s; its last predecessor ended at {} s", task,
                            graph.describe(task), timeline.start[task].value(), ready.value()));
        }
        if (timeline.finish[task] > timeline.start[task]) {
            path.steps.push_back({task, timeline.start[task], timeline.finish[task]});
            attribution.add(path.steps.back());
        }
    }
    std::reverse(path.steps.begin(), path.steps.end());
    path.by_resource = attribution.largest_first();
    return path;
}

std::vector<hw::Seconds> slack(const work::TaskGraph& graph, const Timeline& timeline) {
    expect_timeline_of(graph, timeline);
    std::vector<hw::Seconds> latest_finish(graph.tasks().size(), timeline.makespan);
    for (const work::TaskId task : graph.order() | std::views::reverse) {
        for (const work::TaskId next : successors(graph, task)) {
            const hw::Seconds time = timeline.finish[next] - timeline.start[next];
            latest_finish[task] = std::min(latest_finish[task], latest_finish[next] - time);
        }
    }
    std::vector<hw::Seconds> slack(latest_finish.size());
    for (std::size_t i = 0; i < slack.size(); ++i) {
        // Rounding may leave a critical task a hair below zero.
        slack[i] = std::max(hw::Seconds(0.0), latest_finish[i] - timeline.finish[i]);
    }
    return slack;
}

} // namespace chokepoint::sim
