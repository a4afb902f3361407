// SPDX-License-Identifier: Apache-2.0
// Sharing out gradients and parameters moves each of them as often as ZeRO says, and no later than it could.
#include "step_fixture.hpp"

#include <gmock/gmock.h>

#include <numeric>

namespace chokepoint::work {
namespace {

constexpr int kMicroBatches = 4;

TaskGraph step(const ParallelPlan& plan) {
    return build_step(test::small_moe(4), plan,
                      test::make_schedule(plan.schedule, plan.pipeline, plan.micro_batches()), 8);
}

ParallelPlan plan_with(int zero) {
    ParallelPlan plan = test::small_plan(2, kMicroBatches);
    plan.expert = 4; // two copies of every expert
    plan.zero = zero;
    return plan;
}

double bytes_named(const TaskGraph& graph, std::string_view name) {
    double sum = 0.0;
    for (const TaskId id : test::tasks_named(graph, name)) {
        sum += graph.transfers()[static_cast<std::size_t>(graph.tasks()[id].work)].bytes.value();
    }
    return sum;
}

TEST(Overlap, OfGradientsReducesAsMuchAsBehindTheStep) {
    ParallelPlan plan = plan_with(1);
    const TaskGraph behind = step(plan);
    plan.overlap_gradients = true;
    const TaskGraph beside = step(plan);
    EXPECT_DOUBLE_EQ(bytes_named(beside, "gradient reduction"), bytes_named(behind, "gradient reduction"));
    EXPECT_GT(test::tasks_named(beside, "gradient reduction").size(),
              test::tasks_named(behind, "gradient reduction").size());
}

TEST(Overlap, OfGradientsStartsBeforeTheLastBackwardEnds) {
    ParallelPlan plan = plan_with(1);
    plan.overlap_gradients = true;
    const TaskGraph graph = step(plan);
    for (int rank = 0; rank < 2; ++rank) {
        TaskId last_exit = 0;
        for (const ActionSpan& span : graph.actions()) {
            last_exit = index(span.rank) == rank ? span.exit : last_exit;
        }
        const std::vector<bool> after = test::reached_from(graph, last_exit);
        int beside = 0;
        for (const TaskId id : test::tasks_named(graph, "gradient reduction")) {
            beside += graph.tasks()[id].rank == rank && !after[id] ? 1 : 0;
        }
        EXPECT_GT(beside, 0) << rank;
    }
}

TEST(Overlap, OfGradientsWaitsForEveryWeightGradientOfTheBlock) {
    ParallelPlan plan = plan_with(1);
    plan.overlap_gradients = true;
    const TaskGraph graph = step(plan);
    const auto reductions = test::tasks_named(graph, "gradient reduction");
    for (const TaskId weight : test::tasks_named(graph, "attn(W)")) {
        const std::vector<bool> after = test::reached_from(graph, weight);
        EXPECT_TRUE(std::ranges::any_of(reductions, [&](TaskId id) { return after[id]; }));
    }
}

TEST(Overlap, OfParametersGathersEachOnceInFrontOfItsFirstUse) {
    ParallelPlan plan = plan_with(1);
    const TaskGraph behind = step(plan);
    plan.overlap_parameters = true;
    const TaskGraph beside = step(plan);
    EXPECT_DOUBLE_EQ(bytes_named(beside, "parameter gathering"), bytes_named(behind, "parameter gathering"));
    const auto updates = test::tasks_named(beside, "optimizer");
    for (const TaskId gather : test::tasks_named(beside, "parameter gathering")) {
        EXPECT_TRUE(test::reached_from(beside, gather)[updates.front()]);
    }
}

TEST(Overlap, UnderDualPipeWaitsForTheMirrorRank) {
    ParallelPlan plan = plan_with(1);
    plan.schedule = "dualpipe";
    plan.overlap_gradients = true;
    const TaskGraph graph = step(plan);
    for (const TaskId id : test::tasks_named(graph, "gradient reduction")) {
        const TransferWork& work = graph.transfers()[static_cast<std::size_t>(graph.tasks()[id].work)];
        EXPECT_EQ(work.hosts.size(), 2U);
    }
}

TEST(Zero, OfTwoReducesAfterEveryMicroBatch) {
    EXPECT_DOUBLE_EQ(bytes_named(step(plan_with(2)), "gradient reduction"),
                     kMicroBatches * bytes_named(step(plan_with(1)), "gradient reduction"));
}

TEST(Zero, OfThreeGathersForEveryForwardAndBackward) {
    // 1.5 times the volume of plain data parallelism, per micro-batch: arXiv 1910.02054, 7.2.2.
    const double once = bytes_named(step(plan_with(1)), "parameter gathering");
    EXPECT_DOUBLE_EQ(bytes_named(step(plan_with(3)), "parameter gathering"), kMicroBatches * 2.0 * once);
}

TEST(Zero, OfThreeFetchesOneBlockAhead) {
    ParallelPlan plan = plan_with(3);
    plan.pipeline = 1;
    plan.global_batch = plan.data;
    plan.expert = 8; // experts have one copy, so each block gathers once
    const TaskGraph graph = build_step(test::small_dense(4), plan, test::make_schedule("1f1b", 1, 1), 8);
    const auto gathers = test::tasks_named(graph, "parameter gathering");
    const auto attention = test::tasks_named(graph, "attn(F)");
    ASSERT_EQ(attention.size(), 4U);
    // The embedding's, then the layers': the third layer's waits for the first, not for the second.
    EXPECT_TRUE(test::reached_from(graph, attention[0])[gathers[3]]);
    EXPECT_FALSE(test::reached_from(graph, attention[1])[gathers[3]]);
}

TEST(ShardGroup, MovesAsMuchBetweenItsMembersAndAShardBetweenReplicas) {
    for (const int zero : {1, 2, 3}) {
        ParallelPlan plan = plan_with(zero);
        plan.expert = 1;
        const TaskGraph all = step(plan);
        plan.shard_group = 2; // of 8
        const TaskGraph groups = step(plan);
        EXPECT_DOUBLE_EQ(bytes_named(groups, "gradient reduction"), bytes_named(all, "gradient reduction"));
        EXPECT_DOUBLE_EQ(bytes_named(groups, "parameter gathering"), bytes_named(all, "parameter gathering"));
        // Once a step, whatever the number of micro-batches: half of every gradient.
        const double once = bytes_named(groups, "gradient reduction") / (zero >= 2 ? kMicroBatches : 1);
        EXPECT_DOUBLE_EQ(bytes_named(groups, "replica reduction"), once / 2.0);
        EXPECT_EQ(bytes_named(all, "replica reduction"), 0.0);
        for (const TaskId id : test::tasks_named(groups, "gradient reduction")) {
            EXPECT_EQ(groups.transfers()[static_cast<std::size_t>(groups.tasks()[id].work)].ranks, 2);
        }
        for (const TaskId id : test::tasks_named(groups, "replica reduction")) {
            EXPECT_EQ(groups.transfers()[static_cast<std::size_t>(groups.tasks()[id].work)].ranks, 4);
            for (const TaskId update : test::tasks_named(groups, "optimizer")) {
                EXPECT_TRUE(test::reached_from(groups, id)[update]);
            }
        }
    }
}

TEST(ShardGroup, OfAllRanksIsNoGroup) {
    ParallelPlan plan = plan_with(1);
    const TaskGraph none = step(plan);
    plan.shard_group = plan.data;
    const TaskGraph whole = step(plan);
    EXPECT_DOUBLE_EQ(bytes_named(whole, "gradient reduction"), bytes_named(none, "gradient reduction"));
    EXPECT_EQ(bytes_named(whole, "replica reduction"), 0.0);
}

TEST(Recomputation, InPiecesRunsAsMuchAgainAndAPieceAtOnce) {
    ParallelPlan plan = plan_with(1);
    plan.pipeline = 1;
    plan.recompute.layer = true;
    const auto forwards = [&] { return test::tasks_named(step(plan), "attn(F)").size(); };
    const std::size_t each = forwards();
    plan.recompute_every = 3; // of 4: pieces of 3 and 1
    EXPECT_EQ(forwards(), each);
    const TaskGraph graph = step(plan);
    // Behind the last backward of the second piece the first piece's layers run again, 0 to 2.
    std::vector<int> again;
    for (const Task& task : graph.tasks()) {
        if (task.kind == TaskKind::compute && task.layer >= 0 && task.action == 1 &&
            test::work_name(graph, task) == "attn(F)") {
            again.push_back(task.layer);
        }
    }
    EXPECT_THAT(again, testing::ElementsAre(3, 0, 1, 2));
}

TEST(Gradients, InBf16HalveWhatIsReduced) {
    ParallelPlan plan = plan_with(1);
    const double full = bytes_named(step(plan), "gradient reduction");
    plan.gradient_dtype = hw::DType::bf16;
    EXPECT_DOUBLE_EQ(bytes_named(step(plan), "gradient reduction"), full / 2.0);
}

TEST(Recomputation, OfLayersRunsEveryForwardTwice) {
    ParallelPlan plan = plan_with(1);
    const auto forwards = [&] { return test::tasks_named(step(plan), "attn(F)").size(); };
    const auto dispatches = [&] { return test::tasks_named(step(plan), "dispatch(R)").size(); };
    const std::size_t once = forwards();
    EXPECT_EQ(dispatches(), 0U);
    plan.recompute.layer = true;
    EXPECT_EQ(forwards(), 2 * once);
    EXPECT_EQ(dispatches(), 3U * kMicroBatches);
    plan.recompute_layers = 1; // of two on each rank
    EXPECT_EQ(forwards(), once + once / 2);
}

TEST(Recomputation, OfExpertsSendsTheirTokensAgain) {
    ParallelPlan plan = plan_with(1);
    plan.recompute.moe = true;
    const TaskGraph graph = step(plan);
    EXPECT_EQ(test::tasks_named(graph, "dispatch(R)").size(), 3U * kMicroBatches);
    EXPECT_EQ(test::tasks_named(graph, "combine(R)").size(), 3U * kMicroBatches);
    EXPECT_EQ(test::tasks_named(graph, "attn(F)").size(), 4U * kMicroBatches);
}

TEST(Dispatchers, SendWhatTheyAreNamedAfter) {
    ParallelPlan plan = plan_with(1);
    const auto dispatch = [&] {
        const TaskGraph graph = step(plan);
        const TaskId id = test::tasks_named(graph, "dispatch(F)").front();
        return graph.transfers()[static_cast<std::size_t>(graph.tasks()[id].work)];
    };
    EXPECT_EQ(dispatch().kind, TransferKind::dispatch);
    const double tokens = static_cast<double>(plan.micro_batch_tokens());
    plan.dispatcher = Dispatcher::all_to_all;
    EXPECT_EQ(dispatch().kind, TransferKind::all_to_all);
    EXPECT_EQ(dispatch().bytes.value(), tokens * 2 * 1024 * 2.0); // top 2, hidden 1,024, BF16
    plan.dispatcher = Dispatcher::all_gather;
    EXPECT_EQ(dispatch().kind, TransferKind::all_gather);
    EXPECT_EQ(dispatch().bytes.value(), tokens * 4 * 1024 * 2.0); // of all four members
}

} // namespace
} // namespace chokepoint::work
