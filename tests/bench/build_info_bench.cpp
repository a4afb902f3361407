// SPDX-License-Identifier: Apache-2.0
// placeholder until the engine is written
#include <chokepoint/hwmodels/build_info.hpp>

#include <benchmark/benchmark.h>

static void build_info(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(chokepoint::hw::version());
    }
}
BENCHMARK(build_info);
