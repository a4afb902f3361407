// SPDX-License-Identifier: Apache-2.0
// What DeepSeek-V3's step costs to simulate, and that more data parallel replicas cost nothing.
#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/run.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <limits>
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

/// Linux counts the peak from the last write of 5 to clear_refs.
void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << 5; }

double peak_mebibytes() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word == "VmHWM:") {
            double kibibytes = 0.0;
            status >> kibibytes;
            return kibibytes / 1024.0;
        }
    }
    return std::numeric_limits<double>::quiet_NaN();
}

struct Cost {
    double seconds = std::numeric_limits<double>::infinity();
    double mebibytes = std::numeric_limits<double>::infinity();
};

/// Scenario to timeline, the best of what was seen so far. CPU time: the simulator has one thread, and what
/// else runs on the machine is not its cost.
sim::EngineStats measure(int factor, Cost& best) {
    reset_peak_memory();
    const std::clock_t start = std::clock();
    const sim::Scenario scenario = deepseek_v3(factor);
    const sim::StepRun run = sim::run_step(scenario, scenario.plan());
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    best.seconds = std::min(best.seconds, seconds);
    best.mebibytes = std::min(best.mebibytes, peak_mebibytes());
    return run.timeline.engine;
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

} // namespace
} // namespace chokepoint
