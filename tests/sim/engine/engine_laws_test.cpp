// SPDX-License-Identifier: Apache-2.0
// Laws that every step keeps, tried on random ones.
#include "random_step.hpp"
#include "reference_sharing.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace chokepoint::test {
namespace {

using hw::Seconds;

constexpr double kTolerance = 1e-9;

/// Bytes that cross each port in each direction: key (rank, port, incoming).
std::map<std::tuple<int, hw::Port, bool>, hw::Bytes> bytes_per_port(const StepBuilder& step) {
    std::map<std::tuple<int, hw::Port, bool>, hw::Bytes> bytes;
    for (const work::Task& task : step.parts().tasks) {
        if (task.kind != work::TaskKind::transfer) {
            continue;
        }
        const auto work = static_cast<std::size_t>(task.work);
        const bool pipeline = step.parts().transfers[work].kind == work::TransferKind::pipeline;
        for (const hw::PortFlow& flow : step.costs().transfer[work].flows) {
            bytes[{task.rank, flow.port, false}] += flow.bytes;
            bytes[{pipeline ? task.peer : task.rank, flow.port, true}] += flow.bytes;
        }
    }
    return bytes;
}

RC_GTEST_PROP(EngineLaws, AgreeWithMaxMinSharingWrittenOutByHand, ()) {
    const StepBuilder step = random_step();
    const sim::Timeline timeline = step.simulate();
    const std::vector<double> expected = ReferenceSharing(step).run();
    for (std::size_t task = 0; task < expected.size(); ++task) {
        RC_ASSERT(std::abs(timeline.finish[task].value() - expected[task]) < kTolerance);
    }
}

RC_GTEST_PROP(EngineLaws, NeverFasterThanTheLongestPathNorSlowerThanOneAfterAnother, ()) {
    const StepBuilder step = random_step();
    const sim::Timeline timeline = step.simulate();
    const sim::Timeline bound = step.longest_path();
    Seconds serial;
    for (std::size_t task = 0; task < bound.start.size(); ++task) {
        RC_ASSERT(timeline.finish[task].value() > bound.finish[task].value() - kTolerance);
        serial += bound.finish[task] - bound.start[task];
    }
    RC_ASSERT(timeline.makespan.value() < 2.0 * serial.value() + kTolerance); // two flows may share one port
}

RC_GTEST_PROP(EngineLaws, NeverFasterThanAnyPortsTotalWork, ()) {
    const StepBuilder step = random_step();
    const sim::Timeline timeline = step.simulate();
    for (const auto& [key, bytes] : bytes_per_port(step)) {
        const hw::BytesPerSecond rate =
            std::get<hw::Port>(key) == hw::Port::nvlink ? step.costs().nvlink : step.costs().nic;
        RC_ASSERT(timeline.makespan.value() > (bytes / rate).value() - kTolerance);
    }
}

RC_GTEST_PROP(EngineLaws, TwiceTheRatesHalveTheTime, ()) {
    const StepBuilder step = random_step({.latency = false});
    StepBuilder twice = step;
    twice.multiply_rates(2.0);
    RC_ASSERT(std::abs(step.simulate().makespan.value() - 2.0 * twice.simulate().makespan.value()) <
              kTolerance);
}

RC_GTEST_PROP(EngineLaws, TasksStartExactlyWhenTheirLastPredecessorEnds, ()) {
    const StepBuilder step = random_step();
    const sim::Timeline timeline = step.simulate();
    std::vector<Seconds> ready(timeline.start.size());
    for (const auto& [before, after] : step.parts().edges) {
        ready[after] = std::max(ready[after], timeline.finish[before]);
    }
    RC_ASSERT(timeline.start == ready);
}

RC_GTEST_PROP(EngineLaws, ActivitiesAreAsManyAsTheBoundCounts, ()) {
    const StepBuilder step = random_step();
    const sim::EngineStats simulated = step.simulate().engine;
    const sim::EngineStats counted = step.longest_path().engine;
    RC_ASSERT(simulated.flows == counted.flows);
    RC_ASSERT(simulated.activities == counted.activities);
}

} // namespace
} // namespace chokepoint::test
