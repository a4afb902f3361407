// SPDX-License-Identifier: Apache-2.0
// How the engine runs a step: what starts when, what it reports, and how it behaves inside a larger program.
#include "step_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <limits>
#include <stdexcept>

namespace chokepoint::test {
namespace {

using namespace hw::literals;
using hw::BytesPerSecond;
using hw::Port;
using hw::Seconds;
using hw::TransferShape;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double kTolerance = 1e-11;
constexpr BytesPerSecond kUncapped{1e15};

TransferShape nic_flow(hw::Bytes bytes, Seconds latency = Seconds(0.0)) {
    return {{{Port::nic, bytes, kUncapped}}, latency};
}

StepBuilder two_ranks() { return {2, 200_GBps, 50_GBps}; }

/// Compute and transfers of two ranks that wait for one another.
StepBuilder mixed_step() {
    StepBuilder step = two_ranks();
    work::TaskId last = step.marker();
    for (int i = 0; i < 50; ++i) {
        const auto compute = step.compute(i % 2, Seconds(1e-3 / 7.0 * (1 + i % 5)), {last});
        const auto aside = step.transfer(
            i % 2, {{{Port::nvlink, 3_MB, 160_GBps}, {Port::nic, 1_MB, 40_GBps}}, 3_us}, {last}, 1_us);
        last = step.send(i % 2, (i + 1) % 2, nic_flow(hw::Bytes(1e7 / 3.0), 2_us), {compute});
        last = step.marker({last, aside});
    }
    return step;
}

TEST(Engine, TaskStartsWhenItsLastPredecessorEnds) {
    StepBuilder step = two_ranks();
    const auto brief = step.compute(0, 1_ms);
    const auto lasting = step.compute(1, 5_ms);
    const auto join = step.compute(0, 1_ms, {brief, lasting});
    const sim::Timeline timeline = step.simulate();
    EXPECT_EQ(timeline.start[brief], Seconds(0.0));
    EXPECT_EQ(timeline.start[join], timeline.finish[lasting]);
    EXPECT_NEAR(timeline.makespan.value(), 6e-3, kTolerance);
}

TEST(Engine, TransferWaitsForStragglersThenLatencyThenFlows) {
    StepBuilder step = two_ranks();
    const auto transfer = step.transfer(0, nic_flow(50_MB, 20_us), {}, 300_us);
    const sim::Timeline timeline = step.simulate();
    EXPECT_EQ(timeline.start[transfer], Seconds(0.0));
    EXPECT_NEAR(timeline.finish[transfer].value(), 300e-6 + 20e-6 + 1e-3, kTolerance);
}

TEST(Engine, TransferWithoutBytesTakesItsLatency) {
    StepBuilder step = two_ranks();
    const auto empty = step.transfer(0, {{{Port::nic, 0_B, kUncapped}}, 20_us});
    const auto bare = step.transfer(1, {{}, 30_us});
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(timeline.finish[empty].value(), 20e-6, kTolerance);
    EXPECT_NEAR(timeline.finish[bare].value(), 30e-6, kTolerance);
    EXPECT_EQ(timeline.engine.flows, 0);
}

TEST(Engine, TransferEndsWithItsLastFlowAndNamesItsPort) {
    StepBuilder step = two_ranks();
    const auto by_nic =
        step.transfer(0, {{{Port::nvlink, 20_MB, kUncapped}, {Port::nic, 50_MB, kUncapped}}, 0_s});
    const auto by_nvlink =
        step.transfer(1, {{{Port::nvlink, 400_MB, kUncapped}, {Port::nic, 5_MB, kUncapped}}, 0_s});
    for (const sim::Timeline& timeline : {step.simulate(), step.longest_path()}) {
        EXPECT_NEAR(timeline.finish[by_nic].value(), 1e-3, kTolerance);
        EXPECT_NEAR(timeline.finish[by_nvlink].value(), 2e-3, kTolerance);
        EXPECT_EQ(timeline.last_port[by_nic], Port::nic);
        EXPECT_EQ(timeline.last_port[by_nvlink], Port::nvlink);
    }
}

TEST(Engine, InfiniteNetworkLeavesComputeAlone) {
    constexpr BytesPerSecond kInfinite{std::numeric_limits<double>::infinity()};
    StepBuilder limited = two_ranks();
    StepBuilder unlimited(2, kInfinite, kInfinite);
    for (StepBuilder* step : {&limited, &unlimited}) {
        const auto a = step->compute(0, 1_ms);
        const auto send = step->send(0, 1, {{{Port::nic, 50_MB, kInfinite}}, 0_s}, {a});
        step->compute(1, 2_ms, {send});
    }
    EXPECT_NEAR(limited.simulate().makespan.value(), 4e-3, kTolerance);
    EXPECT_NEAR(unlimited.simulate().makespan.value(), 3e-3, kTolerance);
    EXPECT_EQ(unlimited.simulate().engine.flows, 0);
}

TEST(Engine, UnlimitedPortStillKeepsAFlowToItsOwnRate) {
    constexpr BytesPerSecond kInfinite{std::numeric_limits<double>::infinity()};
    StepBuilder step(1, kInfinite, kInfinite);
    const auto one = step.transfer(0, {{{Port::nic, 40_GB, 40_GBps}}, 0_s});
    const auto two = step.transfer(0, {{{Port::nic, 80_GB, 40_GBps}}, 0_s});
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(timeline.finish[one].value(), 1.0, kTolerance);
    EXPECT_NEAR(timeline.finish[two].value(), 2.0, kTolerance);
}

TEST(Engine, ChainsOfMarkersTakeNeitherTimeNorTimersNorStack) {
    StepBuilder step = two_ranks();
    work::TaskId last = step.compute(0, 1_ms);
    for (int i = 0; i < 200000; ++i) {
        last = step.marker({last});
    }
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(timeline.finish[last].value(), 1e-3, kTolerance);
    EXPECT_EQ(timeline.engine.activities, 1);
}

TEST(Engine, CountsTimersAndFlows) {
    StepBuilder step = two_ranks();
    const auto compute = step.compute(0, 1_ms);
    step.transfer(0, {{{Port::nvlink, 1_MB, kUncapped}, {Port::nic, 1_MB, kUncapped}}, 1_us}, {compute});
    step.marker({compute});
    for (const sim::Timeline& timeline : {step.simulate(), step.longest_path()}) {
        EXPECT_EQ(timeline.engine.flows, 2);
        EXPECT_EQ(timeline.engine.activities, 4);
        EXPECT_GT(timeline.engine.wall_seconds, 0.0);
    }
}

TEST(Engine, EmptyStepTakesNoTime) {
    const sim::Timeline timeline = two_ranks().simulate();
    EXPECT_TRUE(timeline.start.empty());
    EXPECT_EQ(timeline.makespan, Seconds(0.0));
}

TEST(Engine, RepeatsARunBitForBitInOneProcess) {
    const StepBuilder step = mixed_step();
    const sim::Timeline first = step.simulate();
    two_ranks().simulate(); // leaves another clock behind
    const sim::Timeline second = step.simulate();
    EXPECT_EQ(first.start, second.start);
    EXPECT_EQ(first.finish, second.finish);
    EXPECT_EQ(first.last_port, second.last_port);
    EXPECT_EQ(first.makespan, second.makespan);
}

TEST(Engine, ShortTasksStayExactAfterAnHour) {
    StepBuilder step = two_ranks();
    const auto eon = step.compute(0, hw::Seconds(3600.0));
    const auto send = step.send(0, 1, nic_flow(50_MB), {eon});
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR((timeline.finish[send] - timeline.start[send]).value(), 1e-3, kTolerance);
}

TEST(Engine, ReportsProgressInOrderUpToOne) {
    const StepBuilder step = mixed_step();
    std::vector<double> shares;
    step.simulate({.progress = [&](double share) { shares.push_back(share); }});
    ASSERT_FALSE(shares.empty());
    EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
    EXPECT_EQ(shares.back(), 1.0);
    EXPECT_GT(shares.size(), 50U);
    EXPECT_LE(shares.size(), 101U);
}

TEST(Engine, PassesOnWhatTheProgressCallbackThrows) {
    const StepBuilder step = mixed_step();
    const auto cancel = [](double share) {
        if (share > 0.5) {
            throw std::runtime_error("cancelled half way");
        }
    };
    EXPECT_THAT([&] { step.simulate({.progress = cancel}); },
                ThrowsMessage<std::runtime_error>(HasSubstr("cancelled half way")));
    EXPECT_NO_THROW(step.simulate());
}

TEST(Engine, RefusesToStartInsideAnotherSimulation) {
    const StepBuilder step = mixed_step();
    const auto again = [&](double) { step.simulate(); };
    EXPECT_THAT([&] { step.simulate({.progress = again}); },
                ThrowsMessage<std::logic_error>(HasSubstr("while another runs")));
}

TEST(Engine, LeavesSignalsAndOutputToTheProgram) {
    const auto own_handler = +[](int) {};
    const auto before = std::signal(SIGINT, own_handler);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    mixed_step().simulate();
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(std::signal(SIGINT, before), own_handler);
}

TEST(EngineInput, NamesTheWorkWithAnImpossibleTime) {
    StepBuilder step = two_ranks();
    step.compute(0, hw::Seconds(-1.0));
    const auto message =
        ThrowsMessage<std::invalid_argument>(HasSubstr("compute time of 'compute 0' is -1 s"));
    EXPECT_THAT([&] { step.simulate(); }, message);
    EXPECT_THAT([&] { step.longest_path(); }, message);
}

TEST(EngineInput, NamesTheFlowWithoutARate) {
    StepBuilder step = two_ranks();
    step.transfer(0, {{{Port::nic, 1_MB, BytesPerSecond(0.0)}}, 0_s});
    EXPECT_THAT([&] { step.simulate(); }, ThrowsMessage<std::invalid_argument>(
                                              HasSubstr("nic flow of 'transfer 0' has 1000000 B at 0 B/s")));
}

TEST(EngineInput, NamesTheFlowOfImpossibleSize) {
    for (const double bytes : {-1.0, 1e30, std::numeric_limits<double>::quiet_NaN()}) {
        StepBuilder step = two_ranks();
        step.transfer(0, nic_flow(hw::Bytes(bytes)));
        EXPECT_THAT([&] { step.simulate(); },
                    ThrowsMessage<std::invalid_argument>(HasSubstr("nic flow of 'transfer 0' has ")));
    }
}

TEST(EngineInput, NamesASendToNobody) {
    StepBuilder step = two_ranks();
    step.send(0, 2, nic_flow(1_MB));
    EXPECT_THAT([&] { step.simulate(); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("peer is 2; expected 0 to 1")));
}

TEST(EngineInput, SaysWhichCostsAreMissing) {
    StepBuilder step = two_ranks();
    step.compute(0, 1_ms);
    step.costs().compute.clear();
    EXPECT_THAT([&] { step.simulate(); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("0 compute entries; the graph has 1")));
}

} // namespace
} // namespace chokepoint::test
