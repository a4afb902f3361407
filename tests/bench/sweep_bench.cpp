// SPDX-License-Identifier: Apache-2.0
// What a point of a sweep and a bound of a plan cost, how much two processes gain, and what MPI adds.
#include "cost.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/optimize.hpp>
#include <chokepoint/sim/run_sweep.hpp>

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace chokepoint {
namespace {

using Clock = std::chrono::steady_clock;

std::string scenario_file() {
    return (hw::data_directory() / "scenarios" / "deepseek-v3-h800.toml").string();
}

sim::Grid grid_over(const sim::ScenarioTemplate& source, const std::vector<std::string>& axes) {
    std::vector<sim::Axis> made;
    for (const std::string& text : axes) {
        made.push_back(source.axis(text));
    }
    return {std::move(made), sim::kMostPoints};
}

/// The plans of DeepSeek-V3 that docs/sweeps.md varies, and as many again.
sim::Grid plans(const sim::ScenarioTemplate& source) {
    const sim::Scenario given = source.with({});
    std::vector<sim::Axis> axes;
    for (const char* key :
         {"plan.pipeline", "plan.expert", "plan.schedule", "plan.recompute", "plan.micro_batch=1,2"}) {
        axes.push_back(sim::vary_axis(source, given, key));
    }
    return {std::move(axes), sim::kMostPoints};
}

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Seconds of processor that ended child processes have taken.
double children_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Folder {
public:
    Folder()
        : path_(std::filesystem::temp_directory_path() / ("chokepoint-bench-" + std::to_string(::getpid()))) {
        std::filesystem::create_directory(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    /// A store that is not there yet.
    [[nodiscard]] std::string fresh() { return (path_ / (std::to_string(++made_) + ".db")).string(); }

private:
    std::filesystem::path path_;
    int made_ = 0;
};

// CPU time of the one thread that simulates: issue 7 asks for 15 points a second.
void deepseek_v3_points(benchmark::State& state) {
    const auto source = sim::ScenarioTemplate::load(scenario_file());
    const sim::Grid grid = grid_over(source, {"cluster.caps.nvlink=log:50 GB/s:400 GB/s:20"});
    const sim::Work work = sim::point_work(source);
    for (auto _ : state) {
        for (std::int64_t i = 0; i < grid.points(); ++i) {
            benchmark::DoNotOptimize(work(sim::point_task(grid.overrides(i))));
        }
    }
    state.counters["points"] =
        benchmark::Counter(static_cast<double>(grid.points()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(deepseek_v3_points)->Iterations(2)->Unit(benchmark::kMillisecond);

// The same points by one process and by two. Only on a machine that has nothing else to do is it the
// efficiency; `busy` is the share of the two processes' time in which they computed.
void parallel_efficiency(benchmark::State& state) {
    const auto source = sim::ScenarioTemplate::load(scenario_file());
    const sim::Grid grid = grid_over(source, {"cluster.caps.nvlink=log:50 GB/s:400 GB/s:40"});
    Folder folder;
    const auto swept = [&](int processes) {
        sim::ResultStore store = sim::ResultStore::open_to_write(folder.fresh());
        const auto workers = sim::process_workers(processes, sim::point_work(source));
        return sim::run_sweep(source, grid, store, store.enter(sim::sweep_record(source, {}, grid)),
                              *workers);
    };
    double efficiency = 0.0;
    double busy = 0.0;
    for (auto _ : state) {
        const double one = swept(1).wall.value();
        const sim::SweepOutcome two = swept(2);
        efficiency = one / (2.0 * two.wall.value());
        busy = two.worked.value() / (2.0 * two.wall.value());
    }
    state.counters["efficiency"] = efficiency;
    state.counters["busy"] = busy;
}
BENCHMARK(parallel_efficiency)->Iterations(1)->Unit(benchmark::kMillisecond);

// Processor and wall time of a sweep under mpirun over those of one with as many local workers.
void mpi_overhead(benchmark::State& state) {
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1); // containers have no other user
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    if (std::system("mpirun --version >/dev/null 2>&1") != 0) { // NOLINT(concurrency-mt-unsafe)
        state.SkipWithError("no mpirun here");
        return;
    }
    Folder folder;
    const std::string sweep = std::string(CHOKEPOINT_CLI) + " sweep '" + scenario_file() +
                              "' --axis 'cluster.caps.nvlink=log:50 GB/s:400 GB/s:500' --store ";
    struct Taken {
        double wall, processor;
    };
    const auto timed = [](const std::string& command) {
        const Clock::time_point start = Clock::now();
        const double before = children_seconds();
        if (std::system((command + " >/dev/null").c_str()) != 0) { // NOLINT(concurrency-mt-unsafe)
            throw std::runtime_error("failed: " + command);
        }
        return Taken{seconds_since(start), children_seconds() - before};
    };
    Taken ratio{};
    for (auto _ : state) {
        const Taken local = timed(sweep + folder.fresh() + " --jobs 2");
        const Taken ranks = timed("mpirun --oversubscribe --bind-to none -n 3 " + sweep + folder.fresh());
        ratio = {ranks.wall / local.wall, ranks.processor / local.processor};
    }
    state.counters["wall_over_local"] = ratio.wall;
    state.counters["processor_over_local"] = ratio.processor;
}
BENCHMARK(mpi_overhead)->Iterations(1)->Unit(benchmark::kMillisecond);

// Bounds of every plan that the loader lets pass, on one thread; `candidates` also counts those it refuses.
void plan_bounds(benchmark::State& state) {
    const auto source = sim::ScenarioTemplate::load(scenario_file(), {{}, {}, false});
    const sim::Grid grid = plans(source);
    std::vector<sim::Scenario> feasible;
    for (std::int64_t i = 0; i < grid.points(); ++i) {
        try {
            feasible.push_back(source.with(grid.overrides(i)));
        } catch (const sim::ScenarioError&) {
            continue;
        }
    }
    sim::StepBounder bounder;
    for (auto _ : state) {
        for (const sim::Scenario& scenario : feasible) {
            benchmark::DoNotOptimize(bounder.bound(scenario));
        }
    }
    state.counters["plans"] = static_cast<double>(grid.points());
    state.counters["feasible"] = static_cast<double>(feasible.size());
    state.counters["bounds"] = benchmark::Counter(static_cast<double>(feasible.size()),
                                                  benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(plan_bounds)->Iterations(2)->Unit(benchmark::kMillisecond);

// From the plans to the certificate.
void optimize_deepseek_v3(benchmark::State& state) {
    const auto source = sim::ScenarioTemplate::load(scenario_file());
    const sim::Grid grid = plans(source);
    sim::OptimizeOutcome outcome;
    for (auto _ : state) {
        const auto workers = sim::process_workers(2, sim::optimize_work(source));
        outcome = sim::optimize(grid, *workers, {});
    }
    const auto feasible = static_cast<double>(outcome.candidates.size());
    state.counters["plans"] = static_cast<double>(outcome.plans);
    state.counters["feasible"] = feasible;
    state.counters["pruned_share"] = 1.0 - static_cast<double>(outcome.simulated) / feasible;
    state.counters["failed"] = static_cast<double>(outcome.failed);
}
BENCHMARK(optimize_deepseek_v3)->Iterations(1)->UseRealTime()->Unit(benchmark::kSecond);

} // namespace
} // namespace chokepoint
