// SPDX-License-Identifier: Apache-2.0
// Links that flows share, count by weight and lose capacity: every case has an exact answer.
#include "step_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chokepoint::test {
namespace {

using namespace hw::literals;
using hw::Port;
using hw::Seconds;
using hw::Way;

constexpr double kTolerance = 1e-9;
constexpr hw::BytesPerSecond kUncapped{1e15};

hw::TransferShape climbing(hw::Bytes bytes, int climbs, Way way = Way::both) {
    hw::PortFlow flow{Port::nic, bytes, kUncapped};
    flow.way = way;
    flow.climbs = static_cast<std::int8_t>(way == Way::in ? 0 : climbs);
    flow.descends = static_cast<std::int8_t>(way == Way::out ? 0 : climbs);
    return {{flow}, Seconds()};
}

double finish(const StepBuilder& step, const sim::Network& network, work::TaskId task) {
    return sim::simulate(step.graph(), step.costs(), network).finish[task].value();
}

TEST(SharedLink, IsDividedAmongThoseThatClimbIt) {
    StepBuilder step(2, 900_GBps, 1_GBps);
    const auto a = step.transfer(0, climbing(1_GB, 1));
    step.transfer(1, climbing(1_GB, 1));
    sim::Network network{{{"leaf 0", 1_GBps, {}}}, std::vector<sim::RankPorts>(2)};
    network.ranks[0].climb = network.ranks[1].climb = {{0, 1}};
    EXPECT_NEAR(finish(step, network, a), 2.0, kTolerance);
}

TEST(SharedLink, LetsThoseThatStayBelowItPass) {
    StepBuilder step(2, 900_GBps, 1_GBps);
    const auto far = step.transfer(0, climbing(1_GB, 1));
    const auto near = step.transfer(1, climbing(1_GB, 0));
    sim::Network network{{{"leaf 0", 0.5_GBps, {}}}, std::vector<sim::RankPorts>(2)};
    network.ranks[0].climb = network.ranks[1].climb = {{0, 1}};
    EXPECT_NEAR(finish(step, network, far), 2.0, kTolerance);
    EXPECT_NEAR(finish(step, network, near), 1.0, kTolerance);
}

TEST(SharedLink, CountsAFlowAsOftenAsItsWeight) {
    StepBuilder step(2, 900_GBps, 100_GBps);
    const auto three = step.transfer(0, climbing(1_GB, 1));
    const auto one = step.transfer(1, climbing(2_GB, 1));
    sim::Network network{{{"leaf 0", 4_GBps, {}}}, std::vector<sim::RankPorts>(2)};
    network.ranks[0].climb = {{0, 3}};
    network.ranks[1].climb = {{0, 1}};
    // Four flows at 1 GB/s each until the three are done; then one at 4 GB/s.
    EXPECT_NEAR(finish(step, network, three), 1.0, kTolerance);
    EXPECT_NEAR(finish(step, network, one), 1.25, kTolerance);
}

TEST(SharedLink, WeighsAPipelineTransferAtBothEnds) {
    StepBuilder step(2, 900_GBps, 100_GBps);
    const auto send = step.send(0, 1, climbing(1_GB, 1));
    sim::Network network{{{"leaf 0", 8_GBps, {}}, {"leaf 1", 8_GBps, {}}}, std::vector<sim::RankPorts>(2)};
    network.ranks[0].climb = {{0, 2}};
    network.ranks[1].climb = {{1, 8}};
    EXPECT_NEAR(finish(step, network, send), 1.0, kTolerance);
}

TEST(SharedLink, OfARailHoldsUpEveryFlowOfItsPorts) {
    StepBuilder step(2, 900_GBps, 1_GBps);
    const auto a = step.transfer(0, climbing(1_GB, 0));
    step.transfer(1, climbing(1_GB, 0));
    sim::Network network{{{"NIC 3", 1_GBps, {}}}, std::vector<sim::RankPorts>(2)};
    network.ranks[0].rail = network.ranks[1].rail = {{0, 1}};
    EXPECT_NEAR(finish(step, network, a), 2.0, kTolerance);
}

TEST(Way, OutAndInAreFreeOfEachOther) {
    StepBuilder step(1, 900_GBps, 1_GBps);
    hw::TransferShape both = climbing(1_GB, 0, Way::out);
    both.flows.push_back(climbing(3_GB, 0, Way::in).flows.front());
    const auto transfer = step.transfer(0, both);
    const auto out = step.transfer(0, climbing(1_GB, 0, Way::out));
    EXPECT_NEAR(finish(step, {}, out), 2.0, kTolerance);
    EXPECT_NEAR(finish(step, {}, transfer), 3.0, kTolerance);
}

TEST(CapacityProfile, SlowsAFlowUnderWay) {
    StepBuilder step(1, 900_GBps, 1_GBps);
    const auto transfer = step.transfer(0, climbing(2_GB, 0));
    sim::Network network{{}, std::vector<sim::RankPorts>(1)};
    network.ranks[0].nic = {{Seconds(0.5), 0.5}, {Seconds(1.5), 1.0}};
    EXPECT_NEAR(finish(step, network, transfer), 2.5, kTolerance);
}

TEST(CapacityProfile, FromTheStartIsJustALowerCapacity) {
    StepBuilder step(1, 900_GBps, 1_GBps);
    const auto transfer = step.transfer(0, climbing(1_GB, 0));
    sim::Network network{{}, std::vector<sim::RankPorts>(1)};
    network.ranks[0].nic = {{Seconds(), 0.25}};
    EXPECT_NEAR(finish(step, network, transfer), 4.0, kTolerance);
}

TEST(CapacityProfile, LetsAFlowThatBeganSlowlyGoOnFast) {
    StepBuilder step(1, 900_GBps, 1_GBps);
    const auto a = step.transfer(0, climbing(1_GB, 0));
    sim::Network network{{}, std::vector<sim::RankPorts>(1)};
    network.ranks[0].nic = {{Seconds(0.0), 0.1}, {Seconds(1.0), 1.0}};
    EXPECT_NEAR(finish(step, network, a), 1.9, kTolerance);
}

TEST(CapacityProfile, LetsFlowsOnASharedLinkGoOnFast) {
    StepBuilder step(2, 900_GBps, 1_GBps);
    const auto a = step.transfer(0, climbing(1_GB, 1));
    const auto b = step.transfer(1, climbing(1_GB, 1));
    sim::Network network{{{"leaf 0", 2_GBps, {{Seconds(0.0), 0.1}, {Seconds(1.0), 1.0}}}},
                         std::vector<sim::RankPorts>(2)};
    network.ranks[0].climb = network.ranks[1].climb = {{0, 1}};
    EXPECT_NEAR(finish(step, network, a), 1.9, kTolerance);
    EXPECT_NEAR(finish(step, network, b), 1.9, kTolerance);
}

TEST(CapacityProfile, SlowsAKernelThatCannotFillThePortAlike) {
    StepBuilder step(1, 900_GBps, 1_GBps);
    hw::TransferShape shape = climbing(1_GB, 0);
    shape.flows.front().rate_cap = 0.5_GBps;
    const auto transfer = step.transfer(0, shape);
    sim::Network network{{}, std::vector<sim::RankPorts>(1)};
    network.ranks[0].nic = {{Seconds(), 0.5}};
    EXPECT_NEAR(finish(step, network, transfer), 4.0, kTolerance);
}

TEST(CapacityProfile, AfterTheStepChangesNothing) {
    StepBuilder step(1, 900_GBps, 1_GBps);
    const auto transfer = step.transfer(0, climbing(1_GB, 0));
    sim::Network network{{}, std::vector<sim::RankPorts>(1)};
    network.ranks[0].nic = {{Seconds(1e6), 0.5}};
    const sim::Timeline timeline = sim::simulate(step.graph(), step.costs(), network);
    EXPECT_NEAR(timeline.finish[transfer].value(), 1.0, kTolerance);
    EXPECT_EQ(timeline.makespan, timeline.finish[transfer]);
}

TEST(Network, NamesWhatCannotBe) {
    StepBuilder step(1, 900_GBps, 1_GBps);
    step.transfer(0, climbing(1_GB, 1));
    const auto fault = [&](const sim::Network& network) {
        try {
            sim::simulate(step.graph(), step.costs(), network);
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    using testing::HasSubstr;
    EXPECT_THAT(fault({{}, std::vector<sim::RankPorts>(2)}), HasSubstr("ports for 2 ranks; the graph has 1"));
    sim::Network network{{{"leaf 7", {}, {}}}, std::vector<sim::RankPorts>(1)};
    EXPECT_THAT(fault(network), HasSubstr("'leaf 7' carries 0 B/s"));
    network.links.front().capacity = 1_GBps;
    network.ranks[0].climb = {{1, 1}};
    EXPECT_THAT(fault(network), HasSubstr("crosses link 1"));
    network.ranks[0].climb = {{0, 1}};
    network.ranks[0].nic = {{Seconds(), 0.0}};
    EXPECT_THAT(fault(network), HasSubstr("0 times its own; expected above 0"));
}

} // namespace
} // namespace chokepoint::test
