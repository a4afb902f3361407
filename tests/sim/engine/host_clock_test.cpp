// SPDX-License-Identifier: Apache-2.0
// A host that starts kernels one after another, ahead of the GPU or not.
#include "step_builder.hpp"

#include <chokepoint/sim/critical_path.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace chokepoint::test {
namespace {

using namespace hw::literals;
using hw::Port;
using hw::Seconds;

constexpr double kTolerance = 1e-11;

/// `kernels` of `time` one after another, on each rank.
StepBuilder chain(int ranks, int kernels, Seconds time) {
    StepBuilder step(ranks, 200_GBps, 50_GBps);
    for (int rank = 0; rank < ranks; ++rank) {
        StepBuilder::After last;
        for (int i = 0; i < kernels; ++i) {
            last = {step.compute(rank, time, last)};
        }
    }
    return step;
}

TEST(HostClock, AChainTakesTheSlowerOfGpuAndHost) {
    StepBuilder step = chain(2, 10, 100_us);
    step.host(30_us);
    EXPECT_NEAR(step.simulate().makespan.value(), 1000e-6, kTolerance);
    step.host(150_us);
    EXPECT_NEAR(step.simulate().makespan.value(), 1500e-6, kTolerance); // each rank has a host of its own
}

TEST(HostClock, LeadGainedOnLongKernelsIsSpentOnShortOnes) {
    StepBuilder step(1, 200_GBps, 50_GBps);
    StepBuilder::After last{step.compute(0, 1_ms)};
    for (int i = 0; i < 10; ++i) {
        last = {step.compute(0, 10_us, last)};
    }
    step.host(80_us); // 880 us for all, during the first
    EXPECT_NEAR(step.simulate().makespan.value(), 1100e-6, kTolerance);
}

TEST(HostClock, WaitingForAResultLosesTheLead) {
    StepBuilder step(1, 200_GBps, 50_GBps);
    const auto before = step.compute(0, 1_ms);
    const auto dispatch = step.transfer(0, {{}, 10_us}, {before});
    const auto after = step.compute(0, 10_us, {dispatch});
    step.host(80_us);
    const double ahead = step.simulate().makespan.value();
    EXPECT_NEAR(ahead, 1020e-6, kTolerance);
    step.host_waits(dispatch);
    const sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(timeline.makespan.value(), 1080e-6, kTolerance); // started at 1,000 us, ready 80 us later
    const sim::CriticalPath path =
        sim::critical_path(step.graph(), step.costs(), timeline, step.costs().operator_seconds);
    const auto launch = std::ranges::find(path.by_resource, sim::Resource::launch,
                                          [](const auto& entry) { return entry.first; });
    ASSERT_NE(launch, path.by_resource.end());
    EXPECT_NEAR(launch->second.value(), 70e-6, kTolerance); // behind the transfer's 10 us
    EXPECT_EQ(timeline.start[after], timeline.finish[dispatch]);
}

RC_GTEST_PROP(HostClock, NeverShortensAStepAndIsBoundedByItsOwnTime, ()) {
    const int kernels = *rc::gen::inRange(1, 12);
    StepBuilder step = chain(1, kernels, Seconds(1e-6 * *rc::gen::inRange(1, 200)));
    const double gpu = step.simulate().makespan.value();
    const Seconds host(1e-6 * *rc::gen::inRange(0, 200));
    step.host(host);
    const double both = step.simulate().makespan.value();
    RC_ASSERT(both >= gpu - kTolerance);
    RC_ASSERT(both <= gpu + (host * kernels).value() + kTolerance);
    RC_ASSERT(step.longest_path().makespan.value() <= both + kTolerance);
}

} // namespace
} // namespace chokepoint::test
