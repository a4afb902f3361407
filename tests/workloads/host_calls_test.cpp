// SPDX-License-Identifier: Apache-2.0
// What the host must start of a step, and what CUDA graphs take off it.
#include "step_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace chokepoint::work {
namespace {

TaskGraph step_of(const ParallelPlan& plan) {
    return build_step(test::small_moe(4), plan,
                      test::make_schedule("1f1b", plan.pipeline, plan.micro_batches()), 8);
}

/// Calls of all compute tasks.
double calls(const ParallelPlan& plan) {
    const TaskGraph graph = step_of(plan);
    double sum = 0.0;
    for (const Task& task : graph.tasks()) {
        if (task.kind == TaskKind::compute) {
            sum += graph.computes()[static_cast<std::size_t>(task.work)].host_calls;
        }
    }
    return sum;
}

bool waits(const ParallelPlan& plan, std::string_view transfer) {
    const TaskGraph graph = step_of(plan);
    return std::ranges::any_of(graph.transfers(), [&](const TransferWork& work) {
        return work.name == transfer && work.host_waits;
    });
}

TEST(HostCallsOfAStep, GraphsTakeMoreAndMoreOffTheHost) {
    const ParallelPlan eager = test::small_plan(1, 2);
    ParallelPlan router = eager, layers = eager, step = eager;
    router.cuda_graphs.router = true;
    layers.cuda_graphs = {.attention = true, .router = true, .dense_ffn = true, .moe = true};
    step.cuda_graphs.step = true;
    EXPECT_LT(calls(router), calls(eager));
    EXPECT_LT(calls(layers), calls(router));
    EXPECT_GT(calls(layers), 0.0); // each graph is replayed by a call; embedding and head are in none
    EXPECT_EQ(calls(step), 0.0);
}

TEST(HostCallsOfAStep, GrowWithTheMicroBatches) {
    EXPECT_NEAR(calls(test::small_plan(1, 6)) / calls(test::small_plan(1, 3)), 2.0, 0.05);
}

TEST(HostCallsOfAStep, OnlyADispatchForwardOfUnknownRowsIsWaitedFor) {
    ParallelPlan plan = test::small_plan(1, 2);
    EXPECT_TRUE(waits(plan, "dispatch(F)"));
    for (const char* transfer : {"combine(F)", "combine(B)", "dispatch(B)"}) {
        EXPECT_FALSE(waits(plan, transfer)) << transfer;
    }
    plan.capacity_factor = 1.0;
    EXPECT_FALSE(waits(plan, "dispatch(F)"));
    plan.capacity_factor = 0.0;
    plan.cuda_graphs.step = true;
    EXPECT_FALSE(waits(plan, "dispatch(F)"));
}

TEST(HostCallsOfAStep, AFusedRouterHasFewerKernels) {
    ParallelPlan fused = test::small_plan(1, 2);
    fused.fused_router = true;
    EXPECT_LT(calls(fused), calls(test::small_plan(1, 2)));
}

} // namespace
} // namespace chokepoint::work
