// SPDX-License-Identifier: Apache-2.0
// Sums the time of extrapolated kernels over the tasks that run them, and looks how wide their collectives
// are.
#include "extrapolation.hpp"

#include <chokepoint/hwmodels/measured_reach.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace chokepoint::sim {
namespace {

constexpr double kWorthSaying = 0.01;

/// How many tasks run each piece of compute work.
std::vector<int> uses(const work::TaskGraph& graph) {
    std::vector<int> counts(graph.computes().size());
    for (const work::Task& task : graph.tasks()) {
        if (task.kind == work::TaskKind::compute) {
            ++counts[static_cast<std::size_t>(task.work)];
        }
    }
    return counts;
}

std::string label(const hw::Operator& op) {
    if (hw::is_memory_bound(op.kernel)) {
        return std::string(hw::name(op.kernel));
    }
    return op.scaling == hw::Scaling::none
               ? fmt::format("{} {}", hw::name(op.kernel), hw::name(op.dtype))
               : fmt::format("{} {} {}", hw::name(op.kernel), hw::name(op.dtype), hw::name(op.scaling));
}

/// The widest exchange inside one NVLink domain that a task makes by NCCL.
int widest_domain(const work::TaskGraph& graph) {
    int widest = 0;
    for (const work::Task& task : graph.tasks()) {
        if (task.kind == work::TaskKind::transfer) {
            const work::TransferWork& transfer = graph.transfers()[static_cast<std::size_t>(task.work)];
            const bool deepep =
                transfer.kind == work::TransferKind::dispatch || transfer.kind == work::TransferKind::combine;
            if (!deepep && transfer.kind != work::TransferKind::pipeline) {
                widest = std::max(widest, std::min(transfer.ranks, transfer.ranks_per_node));
            }
        }
    }
    return widest;
}

} // namespace

std::vector<ExtrapolatedKernels> extrapolated_kernels(const work::TaskGraph& graph, const StepCosts& costs,
                                                      const hw::CostModel& model) {
    const std::vector<int> counts = uses(graph);
    std::map<std::string, double> extrapolated;
    double all = 0.0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const work::ComputeWork& compute = graph.computes()[i];
        for (std::size_t k = 0; k < compute.operators.size(); ++k) {
            const hw::Operator& op = compute.operators[k];
            const double seconds = counts[i] * costs.operator_seconds[i][k].value();
            all += seconds;
            if (counts[i] > 0 && model.estimate(op, compute.occupancy).extrapolated) {
                extrapolated[label(op)] += seconds;
            }
        }
    }
    std::vector<ExtrapolatedKernels> kernels;
    for (const auto& [name, seconds] : extrapolated) {
        kernels.push_back({name, seconds / all});
    }
    std::ranges::sort(kernels, std::greater{}, &ExtrapolatedKernels::share);
    return kernels;
}

std::vector<std::string> extrapolation_warnings(const work::TaskGraph& graph,
                                                const std::vector<ExtrapolatedKernels>& extrapolated) {
    std::vector<std::string> warnings;
    for (const auto& [kernels, share] : extrapolated) {
        if (share > kWorthSaying) {
            warnings.push_back(fmt::format(
                "{:.0f}% of the kernel time is {} outside what was measured on this part; `show gpu` "
                "says what it rests on",
                100.0 * share, kernels));
        }
    }
    if (const int gpus = widest_domain(graph); gpus > hw::kMeasuredDomain) {
        warnings.push_back(
            fmt::format("collectives among {} GPUs of one NVLink domain are extrapolated: nothing is "
                        "published for more than {}",
                        gpus, hw::kMeasuredDomain));
    }
    return warnings;
}

} // namespace chokepoint::sim
