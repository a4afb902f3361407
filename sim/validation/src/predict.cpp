// SPDX-License-Identifier: Apache-2.0
// What the program predicts for a published run: its scenario goes through the ordinary loader and the
// engine.
#include <chokepoint/sim/validation.hpp>

#include <chokepoint/sim/run.hpp>
#include <chokepoint/workloads/memory.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::sim {
namespace {

/// FLOPs of one token as the source of a rate counts them.
hw::Flops counted_flops(const work::ModelArch& model, std::int64_t sequence, FlopConvention convention) {
    const hw::Flops full = work::training_flops_per_token(model, sequence, false);
    switch (convention) {
    case FlopConvention::causal:
        return work::training_flops_per_token(model, sequence, true);
    case FlopConvention::full:
        return full;
    case FlopConvention::full_recompute: {
        // Another forward pass of the layers, not of the head: arXiv 2104.04473, equation 3.
        const hw::Flops head(6.0 * static_cast<double>(work::count_parameters(model).embedding));
        return full + (full - head) / 3.0;
    }
    }
    return full;
}

hw::Seconds implied_seconds(const PublishedRun& run, const Scenario& scenario) {
    const work::ParallelPlan& plan = scenario.plan();
    const double tokens = static_cast<double>(plan.global_batch) * static_cast<double>(plan.sequence);
    const hw::Flops flops = tokens * counted_flops(scenario.model(), plan.sequence, run.flops);
    return flops / (static_cast<double>(scenario.cluster().gpus()) * *run.rate);
}

/// A pipeline is periodic: once every rank is busy, each further round of micro-batches adds the same time. A
/// long step is simulated for two lengths a round apart, and continued from there; 0.02% from the whole
/// simulation or less over plans from 1 to 64 ranks (see the tests). Under interleaved-1f1b the first rank
/// warms up for more than a round, so that a step of one has no steady state yet.
struct StepTime {
    hw::Seconds seconds;
    Percentiles sure{}; ///< as sure as the longest step simulated
};

StepTime step_time(const Scenario& scenario) {
    const work::ParallelPlan& plan = scenario.plan();
    const auto simulated = [&](int micro_batches) {
        work::ParallelPlan shorter = plan;
        shorter.global_batch = micro_batches * plan.data * plan.micro_batch;
        return run_step(scenario, shorter);
    };
    const auto all_of = [&](const StepRun& step) {
        return StepTime{step.timeline.makespan, step_percentiles(scenario, step)};
    };
    constexpr int kShortestRound = 4;
    const int all = plan.micro_batches();
    const int group = std::max(plan.pipeline, plan.micro_batch_group.value_or(1));
    const int round = group * ((kShortestRound + group - 1) / group);
    const bool interleaved = plan.schedule == "interleaved-1f1b";
    const bool periodic = interleaved || plan.schedule == "1f1b";
    if (!periodic || all <= 3 * round || all % group != 0) {
        return all_of(simulated(all));
    }
    const int first = (interleaved ? 2 : 1) * round;
    const StepRun shorter = simulated(first);
    const StepRun longer = simulated(first + round);
    const double rounds = static_cast<double>(all - first - round) / static_cast<double>(round);
    const auto continued = [&](hw::Seconds at_first, hw::Seconds then) {
        return then + (then - at_first) * rounds;
    };
    StepTime time = all_of(longer);
    time.seconds = std::max(continued(shorter.timeline.makespan, longer.timeline.makespan),
                            continued(busiest_host(shorter), busiest_host(longer)));
    for (double& each : time.sure) {
        each *= time.seconds / longer.timeline.makespan;
    }
    return time;
}

hw::Bytes peak_memory(const Scenario& scenario, const PublishedRun& run) {
    const work::ParallelPlan& plan = scenario.plan();
    const std::vector<work::MemoryUse> ranks =
        work::memory_per_rank(scenario.model(), plan, work::make_schedule(plan));
    const auto reading = [&](const work::MemoryUse& use) {
        return run.memory_kind == MemoryKind::reserved ? use.reserved() : use.allocated();
    };
    if (run.memory_rank == MemoryRank::last) {
        return reading(ranks.back());
    }
    hw::Bytes most;
    for (const work::MemoryUse& use : ranks) {
        most = std::max(most, reading(use));
    }
    return most;
}

} // namespace

std::optional<double> Prediction::error() const {
    if (!measured || !predicted) {
        return std::nullopt;
    }
    return *predicted / *measured - 1.0;
}

std::optional<double> Prediction::memory_error(const PublishedRun& run) const {
    if (!memory || !run.memory) {
        return std::nullopt;
    }
    return *memory / *run.memory - 1.0;
}

Prediction predict(const PublishedRun& run) {
    Prediction prediction;
    prediction.measured = run.seconds;
    if (run.score == Score::hold) {
        prediction.reason = run.note.empty() ? "held back by its file" : run.note;
        return prediction;
    }
    try {
        std::string name = run.id;
        std::ranges::replace(name, '/', '_');
        const Scenario scenario = parse_scenario(scenario_text(run), (run.folder / name).string());
        prediction.gpus = scenario.cluster().gpus();
        prediction.moe = scenario.model().moe.experts > 0;
        prediction.tokens =
            static_cast<double>(scenario.plan().global_batch) * static_cast<double>(scenario.plan().sequence);
        if (run.rate) {
            prediction.measured = implied_seconds(run, scenario);
        }
        prediction.memory = peak_memory(scenario, run);
        if (run.score == Score::memory) {
            return prediction;
        }
        const StepTime time = step_time(scenario);
        prediction.predicted = time.seconds;
        prediction.interval = {time.sure.front(), time.sure.back()};
    } catch (const ScenarioError& wrong) {
        prediction.reason = one_line(wrong);
    } catch (const std::exception& failure) {
        prediction.reason = fmt::format("not simulated: {}", failure.what());
    }
    return prediction;
}

} // namespace chokepoint::sim
