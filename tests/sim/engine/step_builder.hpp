// SPDX-License-Identifier: Apache-2.0
// Small steps written by hand, so that a test can state what the engine must make of them.
#pragma once

#include <chokepoint/sim/engine.hpp>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace chokepoint::test {

/// Collects tasks with their costs; every task gets a work entry of its own, named after its number.
class StepBuilder {
public:
    StepBuilder(int ranks, hw::BytesPerSecond nvlink, hw::BytesPerSecond nic) {
        graph_.ranks = ranks;
        costs_.nvlink = nvlink;
        costs_.nic = nic;
    }

    using After = std::vector<work::TaskId>;

    work::TaskId marker(const After& after = {}) { return add({}, after); }

    work::TaskId compute(int rank, hw::Seconds time, const After& after = {},
                         hw::KernelClass kernel = hw::KernelClass::gemm) {
        return kernels(rank, {{kernel, time}}, after);
    }

    /// Kernels one after another in a single task.
    work::TaskId kernels(int rank, const std::vector<std::pair<hw::KernelClass, hw::Seconds>>& parts,
                         const After& after = {}) {
        work::ComputeWork work;
        work.name = "compute " + std::to_string(graph_.tasks.size());
        hw::Seconds total;
        auto& seconds = costs_.operator_seconds.emplace_back();
        for (const auto& [kernel, time] : parts) {
            work.representative = kernel;
            work.operators.push_back(hw::streaming(work.name, kernel, {}, {}));
            seconds.push_back(time);
            total += time;
        }
        costs_.compute.push_back(total);
        graph_.computes.push_back(work);
        work::Task task;
        task.kind = work::TaskKind::compute;
        task.rank = static_cast<std::int16_t>(rank);
        task.work = static_cast<std::int32_t>(graph_.computes.size()) - 1;
        return add(task, after);
    }

    /// A transfer on the rank's own ports, in both directions.
    work::TaskId transfer(int rank, hw::TransferShape shape, const After& after = {},
                          hw::Seconds wait = hw::Seconds(0.0)) {
        return add_transfer(work::TransferKind::dispatch, rank, -1, std::move(shape), after, wait);
    }

    /// A data-parallel collective on the rank's own ports, which holds SMs while it flows.
    work::TaskId reduction(int rank, hw::TransferShape shape, const After& after = {}) {
        const work::TaskId id = add_transfer(work::TransferKind::reduce_scatter, rank, -1, std::move(shape),
                                             after, hw::Seconds(0.0));
        graph_.tasks[id].stream = work::Stream::data_comm;
        return id;
    }

    /// A transfer out of the rank and into its peer.
    work::TaskId send(int rank, int peer, hw::TransferShape shape, const After& after = {}) {
        return add_transfer(work::TransferKind::pipeline, rank, peer, std::move(shape), after,
                            hw::Seconds(0.0));
    }

    /// Each compute task so far takes the host that long to start.
    void host(hw::Seconds time) { costs_.host.assign(costs_.compute.size(), time); }
    /// Each compute task so far takes so many times as long beside a collective.
    void beside(double times) { costs_.beside.assign(costs_.compute.size(), times); }
    /// The host reads a result in front of the transfer.
    void host_waits(work::TaskId transfer) {
        graph_.transfers.at(static_cast<std::size_t>(graph_.tasks.at(transfer).work)).host_waits = true;
    }

    void depend(work::TaskId before, work::TaskId after) { graph_.edges.emplace_back(before, after); }

    StepBuilder& multiply_rates(double factor) {
        costs_.nvlink *= factor;
        costs_.nic *= factor;
        for (hw::TransferShape& shape : costs_.transfer) {
            for (hw::PortFlow& flow : shape.flows) {
                flow.rate_cap *= factor;
            }
        }
        for (hw::Seconds& time : costs_.compute) {
            time *= 1.0 / factor;
        }
        return *this;
    }

    [[nodiscard]] const work::StepGraph& parts() const { return graph_; }
    [[nodiscard]] const sim::StepCosts& costs() const { return costs_; }
    [[nodiscard]] sim::StepCosts& costs() { return costs_; }
    [[nodiscard]] work::TaskGraph graph() const { return work::TaskGraph(work::StepGraph(graph_)); }
    sim::Timeline simulate(const sim::SimulateOptions& options = {}) const {
        return sim::simulate(graph(), costs_, options);
    }
    sim::Timeline longest_path() const { return sim::longest_path(graph(), costs_); }

private:
    work::TaskId add(const work::Task& task, const After& after) {
        const auto id = static_cast<work::TaskId>(graph_.tasks.size());
        graph_.tasks.push_back(task);
        for (const work::TaskId before : after) {
            depend(before, id);
        }
        return id;
    }

    work::TaskId add_transfer(work::TransferKind kind, int rank, int peer, hw::TransferShape shape,
                              const After& after, hw::Seconds wait) {
        work::TransferWork work;
        work.name = "transfer " + std::to_string(graph_.tasks.size());
        work.kind = kind;
        graph_.transfers.push_back(work);
        costs_.transfer.push_back(std::move(shape));
        costs_.straggler_wait.push_back(wait);
        work::Task task;
        task.kind = work::TaskKind::transfer;
        task.rank = static_cast<std::int16_t>(rank);
        task.peer = static_cast<std::int16_t>(peer);
        task.work = static_cast<std::int32_t>(graph_.transfers.size()) - 1;
        return add(task, after);
    }

    work::StepGraph graph_;
    sim::StepCosts costs_;
};

} // namespace chokepoint::test
