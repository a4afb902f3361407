// SPDX-License-Identifier: Apache-2.0
// When each task ran: what every report, trace and picture is made from.
#pragma once

#include <chokepoint/workloads/task_graph.hpp>

#include <vector>

namespace chokepoint::sim {

/// What every distinct piece of work costs on one cluster, by the graph's indices.
struct StepCosts {
    std::vector<hw::Seconds> compute; ///< per ComputeWork
    std::vector<hw::Seconds> host;    ///< per ComputeWork: for the host to start it; empty: no time
    /// Per ComputeWork: how many times as long it takes while a data-parallel collective holds SMs; empty: as
    /// long.
    std::vector<double> beside;
    std::vector<hw::TransferShape> transfer; ///< per TransferWork
    std::vector<hw::Seconds> straggler_wait; ///< per TransferWork: until the slowest member is ready
    hw::BytesPerSecond nvlink;               ///< one direction of one GPU's port
    hw::BytesPerSecond nic;                  ///< one direction of one GPU's share of the node's NICs
    // For attribution and uncertainty; the engine needs neither.
    std::vector<std::vector<hw::Seconds>> operator_seconds; ///< per ComputeWork, of each of its operators
    std::vector<std::vector<double>> operator_sigma;        ///< likewise, relative standard deviation
    double framework_sigma = 0.0;                           ///< likewise, of what software adds to kernels
    double transfer_sigma = 0.0;                            ///< relative standard deviation of transfer rates
};

/// Whether a compute task that took `duration`, what it lost to collectives not counted, was done when the
/// host had started its kernels, and not when they had run: faster kernels would not have shortened it.
inline bool waited_for_host(const StepCosts& costs, std::size_t compute, hw::Seconds duration) {
    constexpr hw::Seconds kRounding(1e-9);
    return !costs.host.empty() && duration - costs.compute[compute] > kRounding;
}

struct EngineStats {
    std::int64_t activities = 0; ///< timers and flows
    std::int64_t flows = 0;
    double wall_seconds = 0.0;
};

/// Start and finish of every task, in the graph's numbering. A transfer's span includes its wait for
/// stragglers.
struct Timeline {
    std::vector<hw::Seconds> start;
    std::vector<hw::Seconds> finish;
    /// Tasks as they started, also those that started at one moment, in which their hosts took them up;
    /// empty: not known.
    std::vector<work::TaskId> order;
    std::vector<hw::Port>
        last_port; ///< of a transfer with flows: where its last flow ended; else without meaning
    /// Of a compute task, how much longer it took for the collectives beside it; empty: nothing.
    std::vector<hw::Seconds> lost;
    hw::Seconds makespan;
    EngineStats engine;
};

} // namespace chokepoint::sim
