// SPDX-License-Identifier: Apache-2.0
// Checks the costs of a step once, so that neither the engine nor its bound meets an impossible one half way.
#include "timed_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace chokepoint::sim {

namespace {

/// 9 PB through one port: above it a double no longer counts single bytes.
constexpr hw::Bytes kLargestFlow{0x1p53};

void expect_count(std::string_view what, std::size_t found, std::size_t expected) {
    if (found != expected) {
        throw std::invalid_argument(
            fmt::format("costs hold {} {} entries; the graph has {}", found, what, expected));
    }
}

void expect_duration(std::string_view what, std::string_view work, hw::Seconds found) {
    if (!(found >= hw::Seconds(0.0)) || !std::isfinite(found.value())) {
        throw std::invalid_argument(fmt::format("{} of '{}' is {} s; expected a finite time of at least 0",
                                                what, work, found.value()));
    }
}

TimedFlow timed_flow(const hw::PortFlow& flow, const StepCosts& costs, std::string_view work) {
    const hw::BytesPerSecond port = flow.port == hw::Port::nvlink ? costs.nvlink : costs.nic;
    const hw::BytesPerSecond rate = std::min(flow.rate_cap, port);
    const std::string_view name = flow.port == hw::Port::nvlink ? "nvlink" : "nic";
    if (!(flow.bytes >= hw::Bytes(0.0) && flow.bytes <= kLargestFlow)) {
        throw std::invalid_argument(fmt::format("{} flow of '{}' has {} B; expected 0 to {} B", name, work,
                                                flow.bytes.value(), kLargestFlow.value()));
    }
    if (flow.bytes > hw::Bytes(0.0) &&
        !(flow.rate_cap > hw::BytesPerSecond(0.0) && port > hw::BytesPerSecond(0.0))) {
        throw std::invalid_argument(
            fmt::format("{} flow of '{}' has {} B at {} B/s on a port of {} B/s; expected rates above 0",
                        name, work, flow.bytes.value(), flow.rate_cap.value(), port.value()));
    }
    return {flow.port, flow.bytes, rate, flow.way, flow.climbs, flow.descends};
}

TimedTransfer timed_transfer(const hw::TransferShape& shape, hw::Seconds wait, const StepCosts& costs,
                             std::string_view work) {
    expect_duration("straggler wait", work, wait);
    expect_duration("latency", work, shape.latency);
    TimedTransfer timed{.delay = wait + shape.latency, .flows = {}, .alone = wait + shape.latency};
    hw::Seconds longest{0.0};
    for (const hw::PortFlow& flow : shape.flows) {
        const TimedFlow candidate = timed_flow(flow, costs, work);
        // Nothing to send, or an unlimited network.
        if (candidate.bytes == hw::Bytes(0.0) || std::isinf(candidate.rate.value())) {
            continue;
        }
        timed.flows.push_back(candidate);
        if (candidate.alone() > longest) {
            longest = candidate.alone();
            timed.last_port = candidate.port;
        }
    }
    timed.alone += longest;
    expect_duration("time", work, timed.alone);
    return timed;
}

void expect_within(const work::TaskGraph& graph, work::TaskId id, std::string_view what, int found,
                   int limit) {
    if (found < 0 || found >= limit) {
        throw std::invalid_argument(fmt::format("task {} ({}): {} is {}; expected 0 to {}", id,
                                                graph.describe(id), what, found, limit - 1));
    }
}

void check_tasks(const work::TaskGraph& graph) {
    const std::span<const work::Task> tasks = graph.tasks();
    for (work::TaskId id = 0; id < tasks.size(); ++id) {
        const work::Task& task = tasks[id];
        if (task.kind == work::TaskKind::marker) {
            continue;
        }
        expect_within(graph, id, "rank", task.rank, graph.ranks());
        if (task.kind == work::TaskKind::transfer &&
            graph.transfers()[static_cast<std::size_t>(task.work)].kind == work::TransferKind::pipeline) {
            expect_within(graph, id, "peer", task.peer, graph.ranks());
        }
    }
}

} // namespace

TimedWork timed_work(const work::TaskGraph& graph, const StepCosts& costs) {
    expect_count("compute", costs.compute.size(), graph.computes().size());
    expect_count("transfer", costs.transfer.size(), graph.transfers().size());
    expect_count("straggler wait", costs.straggler_wait.size(), graph.transfers().size());
    check_tasks(graph);

    TimedWork timed{.compute = costs.compute, .host = costs.host, .beside = costs.beside, .transfer = {}};
    if (timed.host.empty()) {
        timed.host.assign(costs.compute.size(), hw::Seconds(0.0));
    }
    expect_count("host", timed.host.size(), graph.computes().size());
    if (timed.beside.empty()) {
        timed.beside.assign(costs.compute.size(), 1.0);
    }
    expect_count("beside", timed.beside.size(), graph.computes().size());
    for (std::size_t i = 0; i < costs.compute.size(); ++i) {
        expect_duration("compute time", graph.computes()[i].name, costs.compute[i]);
        expect_duration("host time", graph.computes()[i].name, timed.host[i]);
        if (!(timed.beside[i] >= 1.0) || !std::isfinite(timed.beside[i])) {
            throw std::invalid_argument(
                fmt::format("'{}' takes {} times as long beside a collective; expected at least 1",
                            graph.computes()[i].name, timed.beside[i]));
        }
    }
    timed.transfer.reserve(costs.transfer.size());
    for (std::size_t i = 0; i < costs.transfer.size(); ++i) {
        timed.transfer.push_back(
            timed_transfer(costs.transfer[i], costs.straggler_wait[i], costs, graph.transfers()[i].name));
    }
    return timed;
}

hw::Seconds serial_time(const work::TaskGraph& graph, const TimedWork& timed) {
    hw::Seconds total{0.0};
    for (const work::Task& task : graph.tasks()) {
        const auto work = static_cast<std::size_t>(task.work);
        if (task.kind == work::TaskKind::compute) {
            total += timed.compute[work] * timed.beside[work] + timed.host[work];
        } else if (task.kind == work::TaskKind::transfer) {
            total += timed.transfer[work].delay;
            for (const TimedFlow& flow : timed.transfer[work].flows) {
                total += flow.alone();
            }
        }
    }
    return total;
}

EngineStats count_activities(const work::TaskGraph& graph, const TimedWork& timed) {
    EngineStats stats;
    for (const work::Task& task : graph.tasks()) {
        const auto work = static_cast<std::size_t>(task.work);
        if (task.kind == work::TaskKind::compute) {
            stats.activities += timed.compute[work] > hw::Seconds(0.0) ? 1 : 0;
        } else if (task.kind == work::TaskKind::transfer) {
            const TimedTransfer& transfer = timed.transfer[work];
            stats.activities += transfer.delay > hw::Seconds(0.0) ? 1 : 0;
            stats.flows += static_cast<std::int64_t>(transfer.flows.size());
        }
    }
    stats.activities += stats.flows;
    return stats;
}

} // namespace chokepoint::sim
