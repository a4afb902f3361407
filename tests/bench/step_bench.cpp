// SPDX-License-Identifier: Apache-2.0
// What DeepSeek-V3's step costs to simulate, and that more data parallel replicas cost nothing.
#include "cost.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/run.hpp>

#include <benchmark/benchmark.h>

#include <string>

namespace chokepoint {
namespace {

constexpr int kBaseNodes = 256;   // 2,048 GPUs
constexpr int kBaseBatch = 15360; // sequences
constexpr int kBaseRamp = 3072;   // sequences at the start of the batch ramp

/// The published scenario on `factor` times the GPUs, with as many micro-batches per replica.
sim::Scenario deepseek_v3(int factor) {
    sim::LoadOptions options;
    options.overrides = {"cluster.nodes=" + std::to_string(kBaseNodes * factor),
                         "plan.global_batch=" + std::to_string(kBaseBatch * factor),
                         "campaign.ramp_from=" + std::to_string(kBaseRamp * factor)};
    return sim::load_scenario(hw::data_directory() / "scenarios" / "deepseek-v3-h800.toml", options);
}

using bench::Cost;

/// Scenario to timeline, the best of what was seen so far.
sim::EngineStats measure(int factor, Cost& best) {
    sim::EngineStats engine;
    bench::measure(best, [&] {
        const sim::Scenario scenario = deepseek_v3(factor);
        engine = sim::run_step(scenario, scenario.plan()).timeline.engine;
    });
    return engine;
}

void deepseek_v3_step(benchmark::State& state) {
    const int factor = static_cast<int>(state.range(0)) / 2048;
    Cost warm_up; // fills the allocator's pools, which would count for whichever comes second
    measure(1, warm_up);
    measure(factor, warm_up);
    Cost base;
    Cost scaled;
    sim::EngineStats engine;
    for (auto _ : state) {
        measure(1, base);
        engine = measure(factor, scaled);
        state.SetIterationTime(scaled.seconds);
    }
    state.counters["activities"] = static_cast<double>(engine.activities);
    state.counters["peak_MiB"] = scaled.mebibytes;
    state.counters["time_over_2048"] = scaled.seconds / base.seconds;
    state.counters["memory_over_2048"] = scaled.mebibytes / base.mebibytes;
}
BENCHMARK(deepseek_v3_step)
    ->ArgName("gpus")
    ->RangeMultiplier(4)
    ->Range(2048, 131072)
    ->Iterations(5)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

/// A whole training with its interval, critical path and memory over time, and without.
void deepseek_v3_interval(benchmark::State& state) {
    const sim::Scenario scenario =
        sim::load_scenario(hw::data_directory() / "scenarios" / "deepseek-v3-campaign.toml");
    Cost plain;
    Cost whole;
    for (auto _ : state) {
        bench::measure(plain, [&] { benchmark::DoNotOptimize(sim::run_headline(scenario)); });
        bench::measure(whole, [&] { benchmark::DoNotOptimize(sim::run(scenario)); });
        state.SetIterationTime(whole.seconds);
    }
    state.counters["time_over_without"] = whole.seconds / plain.seconds;
}
BENCHMARK(deepseek_v3_interval)->Iterations(5)->UseManualTime()->Unit(benchmark::kMillisecond);

} // namespace
} // namespace chokepoint
