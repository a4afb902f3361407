// SPDX-License-Identifier: Apache-2.0
// Kernels beside data-parallel collectives, which hold SMs of their GPU.
#include "random_cluster.hpp"
#include "step_builder.hpp"

#include <chokepoint/sim/critical_path.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace chokepoint::test {
namespace {

using namespace hw::literals;
using hw::Port;
using hw::Seconds;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double kTolerance = 1e-11;

/// So long on a NIC of 50 GB/s.
hw::TransferShape flow(Seconds time, Seconds latency = Seconds(0.0)) {
    return {{{Port::nic, 50_GBps * time, 50_GBps}}, latency};
}

TEST(ComputeStreams, LoseTheSharesOfSmsThatACollectiveHolds) {
    StepBuilder step(1, 200_GBps, 50_GBps);
    const auto kernel = step.compute(0, 10_ms);
    step.reduction(0, flow(4_ms, 1_ms)); // from 1 to 5 ms, in which 4 / 1.25 ms of work are done
    step.beside(1.25);
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(timeline.finish[kernel].value(), 10.8e-3, kTolerance);
    EXPECT_NEAR(timeline.lost[kernel].value(), 0.8e-3, kTolerance);
}

TEST(ComputeStreams, AreSlowedByAsManyCollectivesAsByOne) {
    StepBuilder step(1, 200_GBps, 50_GBps);
    const auto kernel = step.compute(0, 10_ms);
    step.reduction(0, {{{Port::nic, 50_GBps * 4_ms, 50_GBps}}, 0_ms});
    step.reduction(0, {{{Port::nvlink, 200_GBps * 2_ms, 200_GBps}}, 1_ms}); // inside the other
    step.beside(1.25);
    EXPECT_NEAR(step.simulate().finish[kernel].value(), 10.8e-3, kTolerance);
}

TEST(ComputeStreams, OutliveACollectiveThatEndsLaterBySlowness) {
    // All of the kernel is beside it: 10 ms become 12.5, and the collective ends on time.
    StepBuilder step(1, 200_GBps, 50_GBps);
    const auto kernel = step.compute(0, 10_ms);
    const auto reduction = step.reduction(0, flow(20_ms));
    const auto next = step.compute(0, 10_ms, {kernel});
    step.beside(1.25);
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(timeline.finish[kernel].value(), 12.5e-3, kTolerance);
    EXPECT_NEAR(timeline.finish[reduction].value(), 20e-3, kTolerance);
    // 7.5 ms of the second beside it, 6 ms of work; then 4 ms alone.
    EXPECT_NEAR(timeline.finish[next].value(), 24e-3, kTolerance);
}

TEST(ComputeStreams, LoseNothingToOtherRanksOrOtherTransfers) {
    StepBuilder step(2, 200_GBps, 50_GBps);
    const auto kernel = step.compute(0, 10_ms);
    step.reduction(1, flow(4_ms));
    step.transfer(0, flow(4_ms)); // experts' transfers have a share of their own
    step.beside(1.25);
    EXPECT_NEAR(step.simulate().finish[kernel].value(), 10e-3, kTolerance);
}

TEST(ComputeStreams, WaitForTheirHostAllTheSame) {
    // The host needs 12 ms: what a collective costs the kernels before is free, and not the host's.
    StepBuilder step(1, 200_GBps, 50_GBps);
    const auto kernel = step.compute(0, 10_ms);
    step.reduction(0, flow(4_ms));
    step.beside(1.25);
    step.host(12_ms);
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(timeline.finish[kernel].value(), 12e-3, kTolerance);
    EXPECT_EQ(timeline.lost[kernel], Seconds(0.0));
}

TEST(ComputeStreams, BookWhatTheyLoseOnTheirKernels) {
    StepBuilder step(1, 200_GBps, 50_GBps);
    step.compute(0, 10_ms);
    step.reduction(0, flow(4_ms));
    step.beside(1.25);
    step.host(1_us);
    const sim::CriticalPath path =
        sim::critical_path(step.graph(), step.costs(), step.simulate(), step.costs().operator_seconds);
    ASSERT_EQ(path.by_resource.size(), 1U);
    EXPECT_EQ(path.by_resource.front().first, sim::Resource::tensor_core);
    EXPECT_NEAR(path.by_resource.front().second.value(), 10.8e-3, kTolerance);
}

TEST(ComputeStreams, CannotGainByACollective) {
    StepBuilder step(1, 200_GBps, 50_GBps);
    step.compute(0, 10_ms);
    step.beside(0.9);
    EXPECT_THAT([&] { step.simulate(); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("0.9 times as long beside a collective")));
}

RC_GTEST_PROP(ComputeStreamsLaw, EachKernelTakesBetweenItsTimeAloneAndItsTimeBesideCollectives, ()) {
    const RandomCluster cluster = random_cluster();
    const work::TaskGraph graph = cluster.graph();
    sim::StepCosts costs = cluster.costs(graph);
    const double times = *rc::gen::element(1.0, 1.1, 1.5);
    costs.beside.assign(costs.compute.size(), times);
    const sim::Timeline timeline = sim::simulate(graph, costs);
    for (work::TaskId id = 0; id < graph.tasks().size(); ++id) {
        const work::Task& task = graph.tasks()[id];
        if (task.kind == work::TaskKind::compute) {
            const double alone = costs.compute[static_cast<std::size_t>(task.work)].value();
            const double taken = (timeline.finish[id] - timeline.start[id]).value();
            RC_ASSERT(taken >= alone - kTolerance);
            RC_ASSERT(taken <= alone * times + kTolerance);
            RC_ASSERT(std::abs(taken - alone - timeline.lost[id].value()) <= kTolerance);
        }
    }
    RC_ASSERT(timeline.makespan >= sim::longest_path(graph, costs).makespan - Seconds(kTolerance));
}

} // namespace
} // namespace chokepoint::test
