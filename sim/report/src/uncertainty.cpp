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

/// How far a run of weeks may be from the clock of the benchmarks, in either direction, nine times in ten.
/// DeepGEMM's H800 rows lose 5% to 9% from kernels of 0.5 ms to kernels of 10 ms as power limits the clock
/// (hwmodels/measurements/published/gemm_fp8_block.json: 7168 x 16384 and 36864 x 7168 at M = 4,096 and
/// 32,768).
constexpr double kSustainedClock90 = 0.08;

/// Seconds on the critical path of what shares one error.
struct Term {
    Seconds on_path;
    double sigma = 0.0;
};
/// An input is known through several terms whose errors are independent: the operators of a class lie on
/// different sides of its fitted curve.
using Terms = std::map<std::string, Term>;
using Inputs = std::map<std::string, Terms>;

void add(Inputs& inputs, const std::string& input, const std::string& term, Seconds seconds, double sigma) {
    Term& entry = inputs[input][term];
    entry.on_path += seconds;
    entry.sigma = sigma;
}

bool is_arithmetic(hw::KernelClass kernel) { return !hw::is_memory_bound(kernel); }

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
        const double sigma = costs.operator_sigma[index][i];
        const Seconds seconds = costs.operator_seconds[index][i] * scale;
        add(inputs, fmt::format("{} kernels, {}", hw::name(op.kernel), hw::name(op.dtype)), op.name, seconds,
            sigma);
        add(inputs, "training software", "", seconds, costs.framework_sigma);
        if (is_arithmetic(op.kernel) && sigma > 0.0) { // a bound has no error of its own
            add(inputs, "sustained clock", "", seconds, kSustainedClock90 / kP95);
        }
    }
}

Driver driver(const std::string& input, const Terms& terms) {
    Seconds on_path;
    double variance = 0.0;
    for (const auto& [name, term] : terms) {
        on_path += term.on_path;
        variance += std::pow(term.sigma * term.on_path.value(), 2);
    }
    const double effect = std::sqrt(variance);
    return {input, on_path.value() > 0.0 ? effect / on_path.value() : 0.0, Seconds(effect)};
}

} // namespace

Uncertainty uncertainty(const work::TaskGraph& graph, const StepCosts& costs, const CriticalPath& path,
                        std::vector<Driver> others) {
    Inputs inputs;
    for (const PathStep& step : path.steps) {
        const work::Task& task = graph.tasks()[step.task];
        const auto index = static_cast<std::size_t>(task.work);
        const Seconds duration = step.finish - step.start;
        if (task.kind == work::TaskKind::compute) {
            add_compute(inputs, graph.computes()[index], costs, index, duration);
        } else if (task.kind == work::TaskKind::transfer) {
            const Seconds wait = std::min(costs.straggler_wait[index], duration);
            add(inputs, "transfer rates", std::string(name(graph.transfers()[index].kind)), duration - wait,
                costs.transfer_sigma);
        }
    }
    Uncertainty result;
    result.drivers = std::move(others);
    for (const auto& [name, terms] : inputs) {
        result.drivers.push_back(driver(name, terms));
    }
    std::erase_if(result.drivers, [](const Driver& d) { return d.effect.value() <= 0.0; });
    double variance = 0.0;
    for (const Driver& d : result.drivers) {
        variance += std::pow(d.effect.value(), 2);
    }
    std::ranges::stable_sort(result.drivers, std::greater{}, &Driver::effect);
    const double makespan = path.steps.empty() ? 0.0 : path.steps.back().finish.value();
    result.relative_sigma = makespan > 0.0 ? std::sqrt(variance) / makespan : 0.0;
    return result;
}

std::array<double, 2> Uncertainty::interval(double centre) const {
    const double factor = std::exp(kP95 * relative_sigma);
    return {centre / factor, centre * factor};
}

} // namespace chokepoint::sim
