// SPDX-License-Identifier: Apache-2.0
// How fast the engine is, against one pass over the same graph without contention: what exact sharing costs.
#include <chokepoint/sim/engine.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <limits>

namespace chokepoint {
namespace {

struct Step {
    work::TaskGraph graph;
    sim::StepCosts costs;
};

class RingStep {
public:
    RingStep(int ranks, int layers) : before_(static_cast<std::size_t>(ranks)) {
        parts_.ranks = ranks;
        add_works();
        for (std::int16_t rank = 0; rank < ranks; ++rank) {
            before_[static_cast<std::size_t>(rank)] = add(work::TaskKind::marker, rank, -1);
        }
        for (int layer = 0; layer < layers; ++layer) {
            for (std::int16_t rank = 0; rank < ranks; ++rank) {
                add_layer(layer, rank);
            }
        }
    }

    Step build() && { return {work::TaskGraph(std::move(parts_)), std::move(costs_)}; }

private:
    static constexpr int kComputes = 20;
    static constexpr int kDispatches = 5;
    static constexpr int kSend = kDispatches;

    /// Sizes near those of a DeepSeek-V3 layer at 4,096 tokens, uneven so that events rarely coincide.
    void add_works() {
        using hw::Port;
        const hw::BytesPerSecond nvlink_rate(160e9);
        const hw::BytesPerSecond nic_rate(45e9);
        for (int i = 0; i < kComputes; ++i) {
            parts_.computes.emplace_back();
            costs_.compute.emplace_back(1e-3 * (1.0 + 0.137 * i));
        }
        for (int i = 0; i <= kDispatches; ++i) {
            parts_.transfers.emplace_back();
            costs_.straggler_wait.emplace_back(1e-5 * i);
            hw::TransferShape shape{{{Port::nic, hw::Bytes(1e8 + 1e6 * i), nic_rate}}, hw::Seconds(5e-6)};
            if (i != kSend) {
                shape.flows.push_back({Port::nvlink, hw::Bytes(3e8 + 1e7 * i), nvlink_rate});
            }
            costs_.transfer.push_back(shape);
        }
        parts_.transfers.back().kind = work::TransferKind::pipeline;
        costs_.nvlink = hw::BytesPerSecond(200e9);
        costs_.nic = hw::BytesPerSecond(50e9);
    }

    work::TaskId add(work::TaskKind kind, std::int16_t rank, int work) {
        work::Task task;
        task.kind = kind;
        task.rank = rank;
        task.peer = static_cast<std::int16_t>((rank + 1) % parts_.ranks);
        task.work = work;
        parts_.tasks.push_back(task);
        return static_cast<work::TaskId>(parts_.tasks.size() - 1);
    }

    /// Two kernels, a dispatch beside the second, a send to the next rank after every eighth layer.
    void add_layer(int layer, std::int16_t rank) {
        work::TaskId& before = before_[static_cast<std::size_t>(rank)];
        const auto first = add(work::TaskKind::compute, rank, (7 * layer + rank) % kComputes);
        const auto second = add(work::TaskKind::compute, rank, (3 * layer + rank) % kComputes);
        const auto dispatch = add(work::TaskKind::transfer, rank, layer % kDispatches);
        const auto join = add(work::TaskKind::marker, rank, -1);
        const std::pair<work::TaskId, work::TaskId> edges[] = {
            {before, first}, {first, second}, {first, dispatch}, {second, join}, {dispatch, join}};
        parts_.edges.insert(parts_.edges.end(), std::begin(edges), std::end(edges));
        before = join;
        if (layer % 8 == 7) {
            const auto send = add(work::TaskKind::transfer, rank, kSend);
            parts_.edges.emplace_back(join, send);
            before = send;
        }
    }

    work::StepGraph parts_;
    sim::StepCosts costs_;
    std::vector<work::TaskId> before_;
};

/// CPU seconds: both passes have one thread, and what else runs on the machine is not their cost.
template <class Pass> double cpu_seconds(Pass pass) {
    const std::clock_t start = std::clock();
    benchmark::DoNotOptimize(pass());
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

void engine_against_longest_path(benchmark::State& state) {
    const Step step = RingStep(16, static_cast<int>(state.range(0))).build();
    const sim::EngineStats counted = sim::longest_path(step.graph, step.costs).engine;
    double engine = std::numeric_limits<double>::infinity();
    double bound = engine;
    for (auto _ : state) {
        const double seconds = cpu_seconds([&] { return sim::simulate(step.graph, step.costs).makespan; });
        state.SetIterationTime(seconds);
        engine = std::min(engine, seconds);
        bound =
            std::min(bound, cpu_seconds([&] { return sim::longest_path(step.graph, step.costs).makespan; }));
    }
    state.counters["tasks"] = static_cast<double>(step.graph.tasks().size());
    state.counters["activities"] = static_cast<double>(counted.activities);
    state.counters["activities/s"] = static_cast<double>(counted.activities) / engine;
    state.counters["times_longest_path"] = engine / bound;
}
BENCHMARK(engine_against_longest_path)
    ->Arg(100)
    ->Arg(1000)
    ->Arg(4000)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

} // namespace
} // namespace chokepoint
