// SPDX-License-Identifier: Apache-2.0
// Pins the SimGrid configuration: every case has an exact answer that another configuration misses.
#include "step_builder.hpp"

#include <gtest/gtest.h>

namespace chokepoint::test {
namespace {

using namespace hw::literals;
using hw::BytesPerSecond;
using hw::Port;
using hw::Seconds;
using hw::TransferShape;

constexpr double kTolerance = 1e-11; // some steps of the clock; a token latency of 1 ns would show
constexpr BytesPerSecond kUncapped{1e15};

TransferShape flow(Port port, hw::Bytes bytes, BytesPerSecond cap = kUncapped,
                   Seconds latency = Seconds(0.0)) {
    return {{{port, bytes, cap}}, latency};
}

double finish(const sim::Timeline& timeline, work::TaskId task) { return timeline.finish[task].value(); }

TEST(Flow, TakesSizeOverBandwidthPlusLatency) {
    StepBuilder step(2, 900_GBps, 1_GBps);
    const auto send = step.send(0, 1, flow(Port::nic, 1_GB, kUncapped, 1_us));
    EXPECT_NEAR(finish(step.simulate(), send), 1.000001, kTolerance);
}

TEST(Flow, KeepsFractionsOfAByte) {
    StepBuilder step(1, 900_GBps, 1_GBps);
    work::TaskId last = step.marker();
    for (int i = 0; i < 1000; ++i) {
        last = step.transfer(0, flow(Port::nic, hw::Bytes(1000.25)), {last});
    }
    EXPECT_NEAR(finish(step.simulate(), last), 1000.25e-6,
                1000 * kTolerance); // whole bytes would miss by 250 ns
}

TEST(Flow, ShorterThanTheClockCanTellStillEnds) {
    StepBuilder step(1, 900_GBps, 50_GBps);
    const auto transfer = step.transfer(0, flow(Port::nic, hw::Bytes(1e-4)));
    EXPECT_NEAR(finish(step.simulate(), transfer), 0.0, kTolerance);
}

TEST(Flow, AloneRunsAtItsOwnRateWhenThatIsBelowThePorts) {
    StepBuilder step(1, 200_GBps, 50_GBps);
    const auto transfer = step.transfer(0, flow(Port::nvlink, 160_GB, 160_GBps));
    EXPECT_NEAR(finish(step.simulate(), transfer), 1.0, kTolerance);
}

TEST(Flow, EndsOnTimeThoughAnotherEventComesJustBefore) {
    StepBuilder step(1, 900_GBps, 1_GBps);
    step.compute(0, 1_ms);
    const auto transfer = step.transfer(0, flow(Port::nic, hw::Bytes(1e6 + 0.5)));
    EXPECT_NEAR(finish(step.simulate(), transfer), 1e-3 + 0.5e-9, kTolerance);
}

TEST(Flow, HasNoWindowLimitOnFastPorts) {
    constexpr BytesPerSecond kFast{1e14};
    StepBuilder step(1, kFast, 1_GBps);
    const auto transfer = step.transfer(0, flow(Port::nvlink, hw::Bytes(1e14), kFast));
    EXPECT_NEAR(finish(step.simulate(), transfer), 1.0, kTolerance);
}

TEST(Sharing, EightSendersIntoOnePortTakeEightTimesAsLong) {
    StepBuilder step(9, 900_GBps, 50_GBps);
    for (int sender = 1; sender <= 8; ++sender) {
        step.send(sender, 0, flow(Port::nic, 50_GB));
    }
    const sim::Timeline timeline = step.simulate();
    for (work::TaskId task = 0; task < 8; ++task) {
        EXPECT_NEAR(finish(timeline, task), 8.0, kTolerance);
    }
}

TEST(Sharing, BothDirectionsOfAPortAreFree) {
    StepBuilder step(2, 900_GBps, 50_GBps);
    const auto forward = step.send(0, 1, flow(Port::nic, 50_GB));
    const auto backward = step.send(1, 0, flow(Port::nic, 50_GB));
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(finish(timeline, forward), 1.0, kTolerance);
    EXPECT_NEAR(finish(timeline, backward), 1.0, kTolerance);
}

TEST(Sharing, PortsOfOneGpuDoNotSlowEachOther) {
    StepBuilder step(1, 200_GBps, 50_GBps);
    const auto transfer =
        step.transfer(0, {{{Port::nvlink, 200_GB, kUncapped}, {Port::nic, 50_GB, kUncapped}}, Seconds(0.0)});
    EXPECT_NEAR(finish(step.simulate(), transfer), 1.0, kTolerance);
}

TEST(Sharing, CappedFlowLeavesTheRestToTheOthers) {
    StepBuilder step(1, 200_GBps, 100_GBps);
    const auto capped = step.transfer(0, flow(Port::nic, 10_GB, 10_GBps));
    const auto one = step.transfer(0, flow(Port::nic, 45_GB));
    const auto two = step.transfer(0, flow(Port::nic, 45_GB));
    const sim::Timeline timeline = step.simulate();
    for (const work::TaskId task : {capped, one, two}) {
        EXPECT_NEAR(finish(timeline, task), 1.0, kTolerance);
    }
}

TEST(Sharing, CapAboveTheFairShareChangesNothing) {
    StepBuilder step(1, 200_GBps, 100_GBps);
    const auto capped = step.transfer(0, flow(Port::nic, 50_GB, 60_GBps));
    const auto uncapped = step.transfer(0, flow(Port::nic, 50_GB));
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(finish(timeline, capped), 1.0, kTolerance);
    EXPECT_NEAR(finish(timeline, uncapped), 1.0, kTolerance);
}

TEST(Sharing, TwoFlowsWithTheSameCapEachReachIt) {
    StepBuilder step(1, 200_GBps, 100_GBps);
    const auto one = step.transfer(0, flow(Port::nic, 40_GB, 40_GBps));
    const auto two = step.transfer(0, flow(Port::nic, 40_GB, 40_GBps));
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(finish(timeline, one), 1.0, kTolerance);
    EXPECT_NEAR(finish(timeline, two), 1.0, kTolerance);
}

TEST(Sharing, DoesNotDependOnLatency) {
    StepBuilder step(1, 200_GBps, 100_GBps);
    // Both are under way from 1 ms on, with 50 GB to go and equal shares, whatever their latencies were.
    const auto near = step.transfer(0, flow(Port::nic, hw::Bytes(50e9 + 0.0999e9), kUncapped, 1_us));
    const auto far = step.transfer(0, flow(Port::nic, 50_GB, kUncapped, 1_ms));
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(finish(timeline, near), 1.001, kTolerance);
    EXPECT_NEAR(finish(timeline, far), 1.001, kTolerance);
}

TEST(Sharing, LateArrivalTakesHalfOfWhatIsLeft) {
    StepBuilder step(1, 200_GBps, 100_GBps);
    const auto first = step.transfer(0, flow(Port::nic, 100_GB));
    const auto pause = step.compute(0, hw::Seconds(0.5));
    const auto second = step.transfer(0, flow(Port::nic, 25_GB), {pause});
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(finish(timeline, second), 1.0, kTolerance);
    EXPECT_NEAR(finish(timeline, first), 1.25, kTolerance);
}

TEST(Sharing, SenderLimitedElsewhereLeavesItsShareOfTheReceiver) {
    // Rank 0 sends to 1 and 2, rank 3 to 2: 0's port halves both its flows, so 3 gets the other half of 2's.
    StepBuilder step(4, 200_GBps, 100_GBps);
    const auto to_one = step.send(0, 1, flow(Port::nic, 50_GB));
    const auto to_two = step.send(0, 2, flow(Port::nic, 50_GB));
    const auto also_to_two = step.send(3, 2, flow(Port::nic, 50_GB));
    const sim::Timeline timeline = step.simulate();
    for (const work::TaskId task : {to_one, to_two, also_to_two}) {
        EXPECT_NEAR(finish(timeline, task), 1.0, kTolerance);
    }
}

} // namespace
} // namespace chokepoint::test
