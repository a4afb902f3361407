// SPDX-License-Identifier: Apache-2.0
// Megatron-Core's merged forward and backward: the passes of 1F1B in another order, of which most are pairs.
#include <chokepoint/workloads/plan.hpp>

#include "../step_fixture.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace chokepoint::work {
namespace {

RC_GTEST_PROP(Pairs, OfInterleavedRunEveryPassOnceWithoutDeadlock, ()) {
    const int ranks = *rc::gen::inRange(1, 6);
    const ScheduleSize size{ranks, ranks * *rc::gen::inRange(1, 5), *rc::gen::inRange(2, 5), std::nullopt,
                            true};
    const Schedule schedule = find_schedule("interleaved-1f1b")->make(size);
    RC_ASSERT(check(schedule).empty());
    ScheduleSize plain = size;
    plain.pairs = false;
    const Schedule apart = find_schedule("interleaved-1f1b")->make(plain);
    for (std::size_t rank = 0; rank < schedule.order.size(); ++rank) {
        const auto pairs = std::ranges::count(schedule.order[rank], ActionKind::overlapped, &Action::kind);
        RC_ASSERT(schedule.order[rank].size() + static_cast<std::size_t>(pairs) == apart.order[rank].size());
    }
    // One more forward in the warm-up is one more held.
    const std::vector<int> held = peak_in_flight(schedule);
    const std::vector<int> before = peak_in_flight(apart);
    for (std::size_t rank = 0; rank < held.size(); ++rank) {
        RC_ASSERT(held[rank] <= before[rank] + 1);
    }
}

TEST(Pairs, WithoutAPipelineMeetTheNextMicroBatch) {
    const Schedule schedule = find_schedule("1f1b")->make({1, 3, 1, std::nullopt, true});
    std::vector<std::string> order;
    for (const Action& action : schedule.order[0]) {
        order.push_back(to_text(action));
    }
    EXPECT_THAT(order, testing::ElementsAre("stage 0 F0", "stage 0 F1 & stage 0 B0",
                                            "stage 0 F2 & stage 0 B1", "stage 0 B2"));
}

TEST(Pairs, AreRefusedWhereMegatronCoreRefusesThem) {
    EXPECT_THAT(find_schedule("1f1b")->fault({4, 8, 1, std::nullopt, true}),
                testing::HasSubstr("expected 1, or interleaved-1f1b"));
    for (const char* schedule : {"gpipe", "zb-h1", "zb-v", "dualpipe", "dualpipev"}) {
        EXPECT_THAT(find_schedule(schedule)->fault({4, 8, 1, std::nullopt, true}),
                    testing::HasSubstr("overlap_expert"))
            << schedule;
    }
}

/// Whether the backward's dispatch in some pair must wait for a weight gradient of its own layer.
bool dispatch_waits_for_weights(bool delayed) {
    ParallelPlan plan = test::small_plan(1, 4);
    plan.overlap_expert = true;
    plan.delay_weight_gradient = delayed;
    const TaskGraph graph = build_step(test::small_moe(4), plan, make_schedule(plan), 8);
    for (const TaskId weights : test::tasks_named(graph, "mlp(W)")) {
        const Task& task = graph.tasks()[weights];
        if (graph.actions()[static_cast<std::size_t>(task.action)].action.kind != ActionKind::overlapped) {
            continue;
        }
        for (const TaskId next : test::successors(graph, weights)) {
            if (test::work_name(graph, graph.tasks()[next]) == "dispatch(B)" &&
                graph.tasks()[next].layer == task.layer) {
                return true;
            }
        }
    }
    return false;
}

TEST(Pairs, HandGradientsOnBeforeTheWeightsOnlyWhereThoseAreDelayed) {
    EXPECT_TRUE(dispatch_waits_for_weights(false));
    EXPECT_FALSE(dispatch_waits_for_weights(true));
}

} // namespace
} // namespace chokepoint::work
