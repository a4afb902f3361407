// SPDX-License-Identifier: Apache-2.0
// First-order error of the step time: an input's relative error times its seconds on the critical path.
#include <chokepoint/sim/report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace chokepoint::sim {

using hw::Seconds;

namespace {

/// 90% of a normal lies within this many standard deviations.
constexpr double kP95 = 1.6448536269514722;

struct Input {
    Seconds on_path;
    double weighted_sigma = 0.0; ///< sum of sigma x seconds: errors within one input are fully correlated
};
using Inputs = std::map<std::string, Input>;

void add(Inputs& inputs, const std::string& name, Seconds seconds, double sigma) {
    Input& input = inputs[name];
    input.on_path += seconds;
    input.weighted_sigma += sigma * seconds.value();
}

void add_compute(Inputs& inputs, const work::ComputeWork& work, const StepCosts& costs, std::size_t index,
                 Seconds duration) {
    Seconds total;
    for (const Seconds s : costs.operator_seconds[index]) {
        total += s;
    }
    if (total.value() <= 0.0) {
        return;
    }
    const double scale = duration / total;
    for (std::size_t i = 0; i < work.operators.size(); ++i) {
        const hw::Operator& op = work.operators[i];
        add(inputs, fmt::format("{} kernels, {}", hw::name(op.kernel), hw::name(op.dtype)),
            costs.operator_seconds[index][i] * scale, costs.operator_sigma[index][i]);
    }
}

} // namespace

Uncertainty uncertainty(const work::TaskGraph& graph, const StepCosts& costs, const CriticalPath& path) {
    Inputs inputs;
    for (const PathStep& step : path.steps) {
        const work::Task& task = graph.tasks()[step.task];
        const auto index = static_cast<std::size_t>(task.work);
        const Seconds duration = step.finish - step.start;
        if (task.kind == work::TaskKind::compute) {
            add_compute(inputs, graph.computes()[index], costs, index, duration);
        } else if (task.kind == work::TaskKind::transfer) {
            const Seconds wait = std::min(costs.straggler_wait[index], duration);
            // The wait for the slowest rank is a guess about routing: as uncertain as it is long.
            add(inputs, "routing imbalance", wait, 1.0);
            add(inputs, "transfer rates", duration - wait, costs.transfer_sigma);
        }
    }
    Uncertainty result;
    double variance = 0.0;
    const double makespan = path.steps.empty() ? 0.0 : path.steps.back().finish.value();
    for (const auto& [name, input] : inputs) {
        variance += input.weighted_sigma * input.weighted_sigma;
        if (input.weighted_sigma > 0.0) {
            result.drivers.push_back(
                {name, input.weighted_sigma / input.on_path.value(), Seconds(input.weighted_sigma)});
        }
    }
    std::ranges::stable_sort(result.drivers, std::greater{}, &Driver::effect);
    result.relative_sigma = makespan > 0.0 ? std::sqrt(variance) / makespan : 0.0;
    return result;
}

std::array<double, 2> Uncertainty::interval(double centre) const {
    const double factor = std::exp(kP95 * relative_sigma);
    return {centre / factor, centre * factor};
}

} // namespace chokepoint::sim
