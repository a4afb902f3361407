// SPDX-License-Identifier: Apache-2.0
// What folding buys and what it costs: the same answer from one GPU of each class, against every GPU.
#include "cost.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/run.hpp>

#include <benchmark/benchmark.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint {
namespace {

constexpr hw::BytesPerSecond kNic{50e9};
const hw::Bytes kMessage{64.0 * 1024.0 * 1024.0};

/// One all-to-all among all GPUs of a single pipeline rank.
sim::FoldedStep all_to_all(int gpus, sim::Fold fold) {
    work::ParallelPlan plan;
    plan.data = gpus;
    plan.expert = gpus;
    work::StepGraph parts;
    parts.ranks = 1;
    work::TransferWork transfer;
    transfer.name = "all-to-all";
    transfer.ranks = gpus;
    transfer.ranks_per_node = 1;
    parts.transfers.push_back(std::move(transfer));
    work::Task task;
    task.kind = work::TaskKind::transfer;
    task.work = 0;
    parts.tasks.push_back(task);
    sim::StepCosts costs;
    costs.nvlink = costs.nic = kNic;
    costs.transfer.push_back({{{hw::Port::nic, kMessage, kNic}}, hw::Seconds(5e-6)});
    costs.straggler_wait.emplace_back();
    return sim::fold_step(work::TaskGraph(std::move(parts)), std::move(costs), work::RankLayout(plan, 1), {},
                          fold);
}

void all_to_all_step(benchmark::State& state) {
    const auto gpus = static_cast<int>(state.range(0));
    const sim::Fold fold = state.range(1) != 0 ? sim::Fold::automatic : sim::Fold::none;
    hw::Seconds makespan;
    sim::EngineStats engine;
    bench::Cost best;
    for (auto _ : state) {
        state.SetIterationTime(bench::measure(best, [&] {
            const sim::FoldedStep step = all_to_all(gpus, fold);
            const sim::Timeline timeline = sim::simulate(step.graph, step.costs, step.network);
            makespan = timeline.makespan;
            engine = timeline.engine;
        }));
    }
    state.counters["activities"] = static_cast<double>(engine.activities);
    state.counters["over_injection_floor"] = makespan / (kMessage / kNic);
    state.counters["peak_MiB"] = best.mebibytes;
}
BENCHMARK(all_to_all_step)
    ->ArgNames({"gpus", "folded"})
    ->Args({1024, 1})
    ->Args({1024, 0})
    ->Args({16384, 0}) // mostly the building of the platform
    ->Iterations(3)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

/// The published scenario with other values, and with `more` at its end.
sim::Scenario deepseek_v3(std::vector<std::string> overrides, std::string_view more = "") {
    sim::LoadOptions options;
    options.overrides = std::move(overrides);
    const std::filesystem::path file = hw::data_directory() / "scenarios" / "deepseek-v3-h800.toml";
    std::ifstream in(file);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    return sim::parse_scenario(text + std::string(more), file.string(), options);
}

/// One micro-batch through every stage, on all 2,048 GPUs.
void unfolded_deepseek_v3(benchmark::State& state) {
    const sim::Scenario scenario =
        deepseek_v3({"plan.schedule=1f1b", "plan.global_batch=128", "campaign.ramp_from=128"});
    sim::EngineStats engine;
    double makespan = 0.0;
    for (auto _ : state) {
        const sim::StepRun run =
            sim::run_step(scenario, scenario.plan(), {.progress = {}, .fold = sim::Fold::none});
        engine = run.timeline.engine;
        makespan = run.timeline.makespan.value();
    }
    const double folded = sim::run_step(scenario, scenario.plan()).timeline.makespan.value();
    state.counters["activities"] = static_cast<double>(engine.activities);
    state.counters["activities/s"] = static_cast<double>(engine.activities) / engine.wall_seconds;
    state.counters["over_folded"] = makespan / folded;
}
BENCHMARK(unfolded_deepseek_v3)->Iterations(1)->Unit(benchmark::kMillisecond);

/// 131,072 GPUs, one of them slow, against all alike.
void one_slow_gpu(benchmark::State& state) {
    const std::vector<std::string> size{"cluster.nodes=16384", "plan.global_batch=983040",
                                        "campaign.ramp_from=196608"};
    bench::Cost base;
    bench::Cost perturbed;
    std::size_t classes = 0;
    for (auto _ : state) {
        bench::measure(base, [&] {
            const sim::Scenario scenario = deepseek_v3(size);
            benchmark::DoNotOptimize(sim::run_step(scenario, scenario.plan()).timeline.makespan);
        });
        state.SetIterationTime(bench::measure(perturbed, [&] {
            const sim::Scenario scenario = deepseek_v3(size, "\n[[perturb]]\ngpu = 17\nspeed = 0.9\n");
            const sim::StepRun run = sim::run_step(scenario, scenario.plan());
            classes = run.classes.size();
        }));
    }
    state.counters["classes"] = static_cast<double>(classes);
    state.counters["time_over_symmetric"] = perturbed.seconds / base.seconds;
    state.counters["memory_over_symmetric"] = perturbed.mebibytes / base.mebibytes;
}
BENCHMARK(one_slow_gpu)->Iterations(5)->UseManualTime()->Unit(benchmark::kMillisecond);

} // namespace
} // namespace chokepoint
