// SPDX-License-Identifier: Apache-2.0
// That the critical path explains every second of a step, and slack every second that a task has to spare.
#include "engine/random_step.hpp"

#include <chokepoint/sim/critical_path.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace chokepoint::test {
namespace {

using namespace hw::literals;
using hw::KernelClass;
using hw::Port;
using hw::Seconds;
using sim::Resource;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double kTolerance = 1e-11;
constexpr hw::BytesPerSecond kUncapped{1e15};

StepBuilder two_ranks() { return {2, 200_GBps, 50_GBps}; }

sim::CriticalPath critical_path(const StepBuilder& step, const sim::Timeline& timeline) {
    return sim::critical_path(step.graph(), step.costs(), timeline, step.costs().operator_seconds);
}

double share(const sim::CriticalPath& path, Resource resource) {
    for (const auto& [found, seconds] : path.by_resource) {
        if (found == resource) {
            return seconds.value();
        }
    }
    return 0.0;
}

double sum(const sim::CriticalPath& path) {
    double total = 0.0;
    for (const auto& entry : path.by_resource) {
        total += entry.second.value();
    }
    return total;
}

TEST(CriticalPath, TakesThePredecessorThatEndedLast) {
    StepBuilder step = two_ranks();
    const auto brief = step.compute(0, 1_ms);
    const auto lasting = step.compute(1, 5_ms);
    const auto join = step.marker({brief, lasting});
    const auto last = step.compute(0, 1_ms, {join});
    const sim::CriticalPath path = critical_path(step, step.simulate());
    ASSERT_EQ(path.steps.size(), 2U); // the marker took no time
    EXPECT_EQ(path.steps[0].task, lasting);
    EXPECT_EQ(path.steps[1].task, last);
}

TEST(CriticalPath, SplitsComputeByItsKernels) {
    StepBuilder step = two_ranks();
    step.kernels(0, {{KernelClass::grouped_gemm, 4_ms},
                     {KernelClass::attention_bwd, 3_ms},
                     {KernelClass::norm_fwd, 1_ms},
                     {KernelClass::swiglu_fwd, 1_ms},
                     {KernelClass::optimizer, 0.5_ms}});
    const sim::CriticalPath path = critical_path(step, step.simulate());
    EXPECT_NEAR(share(path, Resource::tensor_core), 4e-3, kTolerance);
    EXPECT_NEAR(share(path, Resource::attention), 3e-3, kTolerance);
    EXPECT_NEAR(share(path, Resource::memory), 2e-3, kTolerance);
    EXPECT_NEAR(share(path, Resource::optimizer), 0.5e-3, kTolerance);
    EXPECT_EQ(path.by_resource.front().first, Resource::tensor_core);
    EXPECT_EQ(path.by_resource.back().first, Resource::optimizer);
}

TEST(CriticalPath, SplitsATransferIntoWaitLatencyAndPort) {
    StepBuilder step = two_ranks();
    step.transfer(0, {{{Port::nvlink, 20_MB, kUncapped}, {Port::nic, 50_MB, kUncapped}}, 20_us}, {}, 300_us);
    const sim::CriticalPath path = critical_path(step, step.simulate());
    EXPECT_NEAR(share(path, Resource::slowest_rank), 300e-6, kTolerance);
    EXPECT_NEAR(share(path, Resource::latency), 20e-6, kTolerance);
    EXPECT_NEAR(share(path, Resource::nic), 1e-3, kTolerance);
    EXPECT_EQ(share(path, Resource::nvlink), 0.0);
}

TEST(CriticalPath, BlamesThePortThatContentionMadeLast) {
    StepBuilder step = two_ranks();
    // Alone the NVLink flow would end last; the other transfer slows the NIC flow beyond it.
    step.transfer(0, {{{Port::nvlink, 240_MB, kUncapped}, {Port::nic, 50_MB, kUncapped}}, 0_s});
    step.transfer(0, {{{Port::nic, 40_MB, kUncapped}}, 0_s});
    sim::Timeline timeline = step.simulate();
    EXPECT_NEAR(share(critical_path(step, timeline), Resource::nic), 1.8e-3, kTolerance);
    timeline.last_port.clear(); // unknown: the slowest alone
    EXPECT_NEAR(share(critical_path(step, timeline), Resource::nvlink), 1.8e-3, kTolerance);
}

TEST(CriticalPath, BooksATransferWithoutBytesAsLatency) {
    StepBuilder step = two_ranks();
    step.transfer(0, {{}, 20_us});
    EXPECT_NEAR(share(critical_path(step, step.simulate()), Resource::latency), 20e-6, kTolerance);
}

TEST(CriticalPath, RefusesATimelineOfAnotherStep) {
    StepBuilder step = two_ranks();
    const auto first = step.compute(0, 1_ms);
    const auto second = step.compute(0, 1_ms, {first});
    sim::Timeline timeline = step.simulate();
    timeline.start[second] += 1_us;
    EXPECT_THAT([&] { critical_path(step, timeline); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("(rank 0 compute 1) starts at 0.001")));
    timeline.start.pop_back();
    EXPECT_THAT(
        [&] { critical_path(step, timeline); },
        ThrowsMessage<std::invalid_argument>(HasSubstr("1 starts and 2 finishes; the graph has 2 tasks")));
}

TEST(CriticalPath, NamesEveryResourceOnce) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(Resource::launch); ++i) {
        names.insert(sim::name(static_cast<Resource>(i)));
    }
    EXPECT_EQ(names.size(), 10U);
    EXPECT_EQ(sim::name(Resource::optimizer), "optimizer");
    EXPECT_EQ(sim::name(Resource::slowest_rank), "slowest_rank");
}

RC_GTEST_PROP(CriticalPath, CoversTheMakespanWithoutGapsAndAddsUp, ()) {
    const StepBuilder step = random_step();
    const sim::Timeline timeline = step.simulate();
    const sim::CriticalPath path = critical_path(step, timeline);
    Seconds at;
    for (const sim::PathStep& part : path.steps) {
        RC_ASSERT(part.start == at);
        RC_ASSERT(part.finish > part.start);
        at = part.finish;
    }
    RC_ASSERT(at == timeline.makespan);
    RC_ASSERT(std::abs(sum(path) - timeline.makespan.value()) < kTolerance);
    RC_ASSERT(std::is_sorted(path.by_resource.begin(), path.by_resource.end(),
                             [](const auto& a, const auto& b) { return a.second > b.second; }));
}

TEST(Slack, IsHowMuchLaterATaskMayEnd) {
    StepBuilder step = two_ranks();
    const auto brief = step.compute(0, 1_ms);
    const auto lasting = step.compute(1, 5_ms);
    const auto join = step.compute(0, 1_ms, {brief, lasting});
    const auto aside = step.compute(1, 0.5_ms, {lasting});
    const std::vector<Seconds> slack = sim::slack(step.graph(), step.simulate());
    EXPECT_NEAR(slack[brief].value(), 4e-3, kTolerance);
    EXPECT_NEAR(slack[lasting].value(), 0.0, kTolerance);
    EXPECT_NEAR(slack[join].value(), 0.0, kTolerance);
    EXPECT_NEAR(slack[aside].value(), 0.5e-3, kTolerance);
}

RC_GTEST_PROP(Slack, IsNoneOnTheCriticalPathAndNeverNegative, ()) {
    const StepBuilder step = random_step();
    const sim::Timeline timeline = step.simulate();
    const std::vector<Seconds> slack = sim::slack(step.graph(), timeline);
    for (const Seconds spare : slack) {
        RC_ASSERT(spare >= Seconds(0.0));
        RC_ASSERT(spare <= timeline.makespan);
    }
    for (const sim::PathStep& part : critical_path(step, timeline).steps) {
        RC_ASSERT(slack[part.task].value() < kTolerance);
    }
}

/// Spending a task's slack leaves the step as long as it was.
RC_GTEST_PROP(Slack, CanBeSpentOnOneTask, ()) {
    StepBuilder step = random_step();
    const sim::Timeline before = step.longest_path();
    const std::vector<Seconds> slack = sim::slack(step.graph(), before);
    for (work::TaskId task = 0; task < slack.size(); ++task) {
        const work::Task& spender = step.parts().tasks[task];
        if (spender.kind == work::TaskKind::compute) {
            step.costs().compute[static_cast<std::size_t>(spender.work)] += slack[task];
            break;
        }
    }
    RC_ASSERT(std::abs(step.longest_path().makespan.value() - before.makespan.value()) < kTolerance);
}

} // namespace
} // namespace chokepoint::test
