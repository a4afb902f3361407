// SPDX-License-Identifier: Apache-2.0
// The graph type: acyclic or refused, with names a person can follow.
#include "step_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chokepoint::work {

using testing::ElementsAre;
using testing::HasSubstr;

namespace {

StepGraph three_tasks() {
    StepGraph step;
    step.ranks = 1;
    step.computes = {ComputeWork{.name = "mlp(F)"}, ComputeWork{.name = "mlp(B)"}};
    step.transfers = {TransferWork{.name = "dispatch(F)"}};
    step.tasks = {Task{.kind = TaskKind::compute, .layer = 2, .micro_batch = 17, .work = 0},
                  Task{.kind = TaskKind::compute, .layer = 2, .micro_batch = 17, .work = 1},
                  Task{.kind = TaskKind::transfer, .rank = 3, .layer = 4, .micro_batch = 17, .work = 0}};
    return step;
}

std::string refusal(StepGraph step) {
    try {
        const TaskGraph graph(std::move(step));
    } catch (const std::logic_error& error) {
        return error.what();
    }
    return "accepted";
}

} // namespace

TEST(TaskGraph, OrdersTasksSoThatEdgesPointForward) {
    StepGraph step = three_tasks();
    step.edges = {{2, 0}, {0, 1}};
    EXPECT_THAT(TaskGraph(std::move(step)).order(), ElementsAre(2, 0, 1));
}

TEST(TaskGraph, KeepsEachEdgeOnceInOrderOfItsSource) {
    StepGraph step = three_tasks();
    step.edges = {{1, 2}, {0, 2}, {0, 1}, {0, 2}};
    const TaskGraph graph(std::move(step));
    EXPECT_EQ(num_edges(graph.dag()), 3u);
    EXPECT_THAT(test::successors(graph, 0), ElementsAre(1, 2));
    EXPECT_THAT(test::successors(graph, 1), ElementsAre(2));
    EXPECT_THAT(test::successors(graph, 2), ElementsAre());
}

TEST(TaskGraph, NamesTheTasksOfACycleAndNoOthers) {
    StepGraph step = three_tasks();
    step.tasks.push_back({});
    step.actions.push_back({});
    step.tasks.back().action = 0;
    step.edges = {{0, 1}, {1, 0}, {0, 2}, {3, 0}};
    const std::string message = refusal(std::move(step));
    EXPECT_THAT(message, HasSubstr("tasks wait for each other: "));
    EXPECT_THAT(message, HasSubstr("task 0 (rank 0 mb 17 layer 2 mlp(F))"));
    EXPECT_THAT(message, HasSubstr("task 1 (rank 0 mb 17 layer 2 mlp(B))"));
    EXPECT_THAT(message, testing::Not(HasSubstr("task 2")));
    EXPECT_THAT(message, testing::Not(HasSubstr("task 3")));
}

TEST(TaskGraph, NamesATaskThatWaitsForItself) {
    StepGraph step = three_tasks();
    step.edges = {{2, 2}};
    EXPECT_EQ(refusal(std::move(step)),
              "tasks wait for each other: task 2 (rank 3 mb 17 layer 4 dispatch(F))");
}

TEST(TaskGraph, RefusesAnEdgeToATaskThatDoesNotExist) {
    StepGraph step = three_tasks();
    step.edges = {{0, 9}};
    EXPECT_EQ(refusal(std::move(step)), "edge from task 0 to task 9: the graph has 3 tasks");
}

TEST(TaskGraph, RefusesATaskWithoutItsWork) {
    StepGraph step = three_tasks();
    step.tasks[2].work = 1;
    EXPECT_EQ(refusal(std::move(step)), "task 2 refers to work 1 of 1");
}

TEST(TaskGraph, NamesMarkersByTheirAction) {
    const TaskGraph graph =
        build_step(test::small_moe(4), test::small_plan(2, 4), test::make_schedule("1f1b", 2, 4), 8);
    const ActionSpan& span = graph.actions().front();
    EXPECT_EQ(graph.describe(span.entry), "rank 0 entry of stage 0 F0");
    EXPECT_EQ(graph.describe(span.exit), "rank 0 exit of stage 0 F0");
}

} // namespace chokepoint::work
