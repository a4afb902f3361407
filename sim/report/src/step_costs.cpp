// SPDX-License-Identifier: Apache-2.0
// Asks the hardware models for the price of each distinct piece of work, once.
#include <chokepoint/sim/step_costs.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace chokepoint::sim {

namespace {

/// Standard deviation of the logarithm of what published software stacks add: the root mean square distance
/// of 43 medians, of a stack on an architecture, from their architecture's (docs/validation.md). Of 52 it is
/// 0.08; with 0.10 nine tenths of all published runs lie between p5 and p95, as they should.
constexpr double kFrameworkSigma = 0.10;

/// SMs of a GPU that NCCL's collectives hold: NVIDIA's submissions to MLPerf Training 5.1 let them have 16 to
/// 32 (config_common.sh: NCCL_MIN_CTAS, NCCL_MAX_CTAS).
constexpr int kCollectiveSms = 16;

/// What the operator takes on the SMs that a collective leaves, at least one of `sms`.
hw::Seconds beside_collective(const hw::Operator& op, hw::Occupancy occupancy, const hw::CostModel& model,
                              int sms) {
    const int spare = sms - 1 - occupancy.sms_held - op.sms_held;
    occupancy.sms_held += std::clamp(spare, 0, kCollectiveSms);
    return model.estimate(op, occupancy).time;
}

void add_compute(StepCosts& costs, const work::ComputeWork& compute, const hw::CostModel& model,
                 double overhead, int sms) {
    hw::Seconds total, alone, beside;
    std::vector<hw::Seconds> seconds;
    std::vector<double> sigma;
    for (const hw::Operator& op : compute.operators) {
        const hw::Estimate estimate = model.estimate(op, compute.occupancy);
        const hw::Seconds time = estimate.time * (1.0 + overhead);
        total += time;
        alone += estimate.time;
        beside += beside_collective(op, compute.occupancy, model, sms);
        seconds.push_back(time);
        sigma.push_back(estimate.relative_sigma);
    }
    costs.compute.push_back(total);
    costs.beside.push_back(alone > hw::Seconds(0.0) ? std::max(1.0, beside / alone) : 1.0);
    costs.operator_seconds.push_back(std::move(seconds));
    costs.operator_sigma.push_back(std::move(sigma));
}

/// Each GPU has its own link to the host and its share of the CPUs' memory, so nothing competes there: all of
/// the time is known beforehand.
hw::TransferShape in_host(const work::TransferWork& transfer, hw::BytesPerSecond rate,
                          std::string_view what) {
    if (!(rate > hw::BytesPerSecond(0.0))) {
        throw std::invalid_argument(fmt::format("'{}' moves {:.0f} B; the node has no {}", transfer.name,
                                                transfer.bytes.value(), what));
    }
    return {.flows = {}, .latency = transfer.bytes / rate};
}

hw::TransferShape transfer_shape(const work::TransferWork& transfer, const work::ModelArch& arch,
                                 const work::ParallelPlan& plan, const hw::Cluster& cluster,
                                 const hw::TransferRates& rates,
                                 const std::optional<hw::Distance>& distance) {
    const auto collective = [&](hw::Collective kind) {
        return hw::collective(rates, cluster, kind, transfer.bytes, transfer.ranks, transfer.ranks_per_node,
                              distance);
    };
    const auto moe = [&](hw::MoeDirection direction) {
        const hw::ExpertRouting routing{.experts = arch.moe.experts,
                                        .top_k = arch.moe.top_k,
                                        .ranks = transfer.ranks,
                                        .ranks_per_node = transfer.ranks_per_node,
                                        .max_nodes = arch.moe.max_nodes};
        return hw::moe_transfer(rates, cluster, routing, direction, transfer.tokens, transfer.per_token,
                                transfer.beside_compute, distance,
                                plan.dispatcher == work::Dispatcher::hybrid_ep ? hw::MoeLibrary::hybrid_ep
                                                                               : hw::MoeLibrary::deepep);
    };
    switch (transfer.kind) {
    case work::TransferKind::dispatch:
        return moe(hw::MoeDirection::dispatch);
    case work::TransferKind::combine:
        return moe(hw::MoeDirection::combine);
    case work::TransferKind::pipeline:
        return hw::point_to_point(rates, cluster, transfer.bytes, transfer.ranks_per_node == 1, distance);
    case work::TransferKind::reduce_scatter:
        return collective(hw::Collective::reduce_scatter);
    case work::TransferKind::all_gather:
        return collective(hw::Collective::all_gather);
    case work::TransferKind::all_reduce:
        return collective(hw::Collective::all_reduce);
    case work::TransferKind::all_to_all:
        return collective(hw::Collective::all_to_all);
    case work::TransferKind::ring_shift:
        return hw::point_to_point(rates, cluster, transfer.bytes, transfer.ranks > transfer.ranks_per_node,
                                  distance);
    case work::TransferKind::host_copy:
        return in_host(transfer, cluster.node.host_link, "host_link");
    case work::TransferKind::host_update:
        return in_host(transfer, cluster.node.host_memory, "host_memory");
    }
    throw std::logic_error(fmt::format("transfer '{}' is of kind {}, which nothing prices", transfer.name,
                                       static_cast<int>(transfer.kind)));
}

/// Seconds of the work that go with the rows routed to this GPU.
double routed_seconds(const work::TaskGraph& graph, const StepCosts& costs, std::int32_t compute) {
    const auto work = static_cast<std::size_t>(compute);
    const std::vector<hw::Operator>& operators = graph.computes()[work].operators;
    double seconds = 0.0;
    for (std::size_t i = 0; i < operators.size(); ++i) {
        if (is_routed(operators[i].kernel)) {
            seconds += costs.operator_seconds[work][i].value();
        }
    }
    return seconds;
}

/// Members' routed times scatter by the plan's coefficient of variation, independently from draw to draw; the
/// slowest of them sets the transfer's start.
hw::Seconds straggler_wait(const work::TransferWork& transfer, const work::TaskGraph& graph,
                           const work::ParallelPlan& plan, const StepCosts& costs) {
    double variance = 0.0;
    for (const auto& draw : transfer.uneven) {
        double seconds = 0.0;
        for (const std::int32_t compute : draw) {
            seconds += routed_seconds(graph, costs, compute);
        }
        variance += seconds * seconds;
    }
    return hw::Seconds(std::sqrt(variance) * plan.routing_imbalance * expected_maximum(transfer.ranks));
}

} // namespace

void pace_by_slowest(StepCosts& costs, const work::TaskGraph& graph, double variation, int gpus) {
    const double longer = variation * expected_maximum(gpus);
    for (std::size_t work = 0; work < graph.computes().size(); ++work) {
        const std::vector<hw::Operator>& operators = graph.computes()[work].operators;
        for (std::size_t i = 0; i < operators.size(); ++i) {
            if (!hw::is_memory_bound(operators[i].kernel)) {
                const hw::Seconds added = costs.operator_seconds[work][i] * longer;
                costs.operator_seconds[work][i] += added;
                costs.compute[work] += added;
            }
        }
    }
}

bool is_routed(hw::KernelClass kernel) {
    switch (kernel) {
    case hw::KernelClass::grouped_gemm:
    case hw::KernelClass::grouped_wgrad:
    case hw::KernelClass::permute:
    case hw::KernelClass::unpermute:
        return true;
    default:
        return false;
    }
}

double expected_maximum(int members) {
    if (members < 1) {
        throw std::invalid_argument(fmt::format("the maximum of {} values; expected at least 1", members));
    }
    if (members == 1) {
        return 0.0;
    }
    // E[max] = integral of x n phi(x) Phi(x)^(n-1) (H. A. David and H. N. Nagaraja, Order Statistics, 3rd
    // ed., 2003, section 3.1). The trapezoidal rule converges exponentially on such an integrand: this step
    // leaves 1e-12.
    constexpr int kStepsPerUnit = 32;
    constexpr int kReach = 9; // phi(9) is below 1e-18
    double sum = 0.0;
    for (int i = -kReach * kStepsPerUnit; i <= kReach * kStepsPerUnit; ++i) {
        const double x = static_cast<double>(i) / kStepsPerUnit;
        const double below = 0.5 * std::erfc(-x / std::numbers::sqrt2);
        const double density = std::exp(-0.5 * x * x) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
        sum += x * members * density * std::pow(below, members - 1);
    }
    return sum / kStepsPerUnit;
}

StepCosts cost_step(const work::TaskGraph& graph, const work::ModelArch& arch, const work::ParallelPlan& plan,
                    const hw::Cluster& cluster, const hw::CostModel& model) {
    return cost_step(graph, arch, plan, cluster, model, hw::load_transfer_rates());
}

StepCosts cost_step(const work::TaskGraph& graph, const work::ModelArch& arch, const work::ParallelPlan& plan,
                    const hw::Cluster& cluster, const hw::CostModel& model, const hw::TransferRates& rates,
                    const GroupDistances& distances) {
    StepCosts costs;
    for (const work::ComputeWork& compute : graph.computes()) {
        add_compute(costs, compute, model, plan.framework_overhead, cluster.node.gpu.sm_count);
        costs.host.push_back(compute.host_calls * cluster.node.host_call);
    }
    for (const work::TransferWork& transfer : graph.transfers()) {
        const std::size_t index = costs.transfer.size();
        costs.transfer.push_back(transfer_shape(transfer, arch, plan, cluster, rates,
                                                distances.empty() ? std::nullopt : distances.at(index)));
        costs.straggler_wait.push_back(straggler_wait(transfer, graph, plan, costs));
    }
    costs.transfer_sigma = rates.relative_sigma;
    costs.framework_sigma = plan.framework_overhead > 0.0 ? kFrameworkSigma : 0.0;
    costs.nvlink = hw::peer_link(cluster.node.gpu).rate / 2.0; // the part's figure counts both directions
    costs.nic = hw::nic_per_gpu(cluster.node);
    return costs;
}

} // namespace chokepoint::sim
