// SPDX-License-Identifier: Apache-2.0
// Copies of one embedding must agree on its gradient, and nobody else must pay for it.
#include "step_fixture.hpp"

#include <gmock/gmock.h>

namespace chokepoint::work {
namespace {

TaskGraph step(const ModelArch& model, const ParallelPlan& plan) {
    return build_step(model, plan, test::make_schedule(plan.schedule, plan.pipeline, plan.micro_batches()),
                      8);
}

ParallelPlan plan_of(int ranks) {
    ParallelPlan plan = test::small_plan(ranks, 4);
    plan.expert = 8;
    return plan;
}

ModelArch tied(bool is_tied, int mtp_modules = 0) {
    ModelArch model = test::small_moe(4, mtp_modules);
    model.tied_embeddings = is_tied;
    return model;
}

std::size_t exchanges(const TaskGraph& graph) {
    return test::tasks_named(graph, "embedding gradient").size();
}

TEST(EmbeddingExchange, JoinsTheFirstAndTheLastStageOfATiedModel) {
    const TaskGraph graph = step(tied(true), plan_of(4));
    const auto sends = test::tasks_named(graph, "embedding gradient");
    ASSERT_EQ(sends.size(), 2U);
    for (const TaskId id : sends) {
        const Task& task = graph.tasks()[id];
        EXPECT_EQ(task.rank + task.peer, 3);
        // The whole FP32 gradient each way: an all-reduce of two.
        EXPECT_DOUBLE_EQ(graph.transfers()[static_cast<std::size_t>(task.work)].bytes.value(),
                         4.0 * 32000.0 * 1024.0);
        for (const TaskId update : test::tasks_named(graph, "optimizer")) {
            EXPECT_TRUE(test::reached_from(graph, id)[update]);
        }
    }
}

TEST(EmbeddingExchange, IsNotNeededWhereOneRankHoldsAllCopies) {
    EXPECT_EQ(exchanges(step(tied(false), plan_of(4))), 0U);
    EXPECT_EQ(exchanges(step(tied(true), plan_of(1))), 0U);
    ParallelPlan plan = plan_of(2);
    for (const char* schedule : {"zb-v", "dualpipe", "dualpipev"}) {
        plan.schedule = schedule; // embedding and head on one rank
        EXPECT_EQ(exchanges(step(tied(true), plan)), 0U) << schedule;
    }
}

TEST(EmbeddingExchange, IncludesAnMtpModuleWithoutTheEmbedding) {
    EXPECT_EQ(exchanges(step(tied(false, 1), plan_of(2))), 2U);
    ParallelPlan plan = plan_of(3);
    plan.layout = "Ett|ttm|L";
    EXPECT_EQ(exchanges(step(tied(true, 1), plan)), 3U);
}

TEST(Boundaries, CarryTheMtpModulesStateToTheHead) {
    ParallelPlan plan = plan_of(3);
    plan.layout = "Ett|ttm|L";
    const TaskGraph graph = step(tied(false, 1), plan);
    double narrow = 0.0;
    double wide = 0.0;
    for (const TaskId id : test::tasks_named(graph, "send(F)")) {
        const Task& task = graph.tasks()[id];
        (task.rank == 0 ? narrow : wide) =
            graph.transfers()[static_cast<std::size_t>(task.work)].bytes.value();
    }
    EXPECT_GT(narrow, 0.0);
    EXPECT_DOUBLE_EQ(wide, 2.0 * narrow);
}

} // namespace
} // namespace chokepoint::work
