// SPDX-License-Identifier: Apache-2.0
// The inside of one overlapped action against the order that DeepSeek's published profile shows.
#include "step_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include <algorithm>

namespace chokepoint::work {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

TaskGraph pair(int layers, const ParallelPlan& plan) {
    return build_pair(test::small_moe(6), plan, layers, 8);
}

/// The only task of that name on that layer.
TaskId task(const TaskGraph& graph, std::string_view name, int layer) {
    for (const TaskId id : test::tasks_named(graph, name)) {
        if (graph.tasks()[id].layer == layer) {
            return id;
        }
    }
    throw std::out_of_range(std::string(name));
}

bool waits_for(const TaskGraph& graph, TaskId later, TaskId earlier) {
    return test::reached_from(graph, earlier)[later];
}

} // namespace

// deepseek-ai/profile-data, train.json: both streams of one layer, in the order in which the kernels start.
TEST(OverlappedPair, RunsBothStreamsInTheOrderOfThePublishedProfile) {
    const TaskGraph graph = pair(2, test::small_plan(1, 1));
    EXPECT_THAT(test::stream_names(graph, Stream::compute),
                ElementsAre("attn(F)", "mlp(B)", "mlp(W)", "mlp(F)", "attn(B)", "attn(W)", //
                            "attn(F)", "mlp(B)", "mlp(W)", "mlp(F)", "attn(B)", "attn(W)"));
    EXPECT_THAT(test::stream_names(graph, Stream::expert_comm),
                ElementsAre("combine(B)", "dispatch(F)", "dispatch(B)", "combine(F)", //
                            "combine(B)", "dispatch(F)", "dispatch(B)", "combine(F)"));
}

TEST(OverlappedPair, QuantisesTheGradientOnTheCommunicationStreamUnderFp8) {
    ParallelPlan plan = test::small_plan(1, 1);
    plan.precision = Precision::fp8_block;
    EXPECT_THAT(test::stream_names(pair(1, plan), Stream::expert_comm),
                ElementsAre("payload(B)", "combine(B)", "dispatch(F)", "dispatch(B)", "combine(F)"));
}

TEST(OverlappedPair, RunsEachSideInItsOwnOrder) {
    const TaskGraph graph = pair(2, test::small_plan(1, 1));
    const std::vector<std::pair<std::string_view, int>> ahead = {{"attn(F)", 1}, {"dispatch(F)", 1},
                                                                 {"mlp(F)", 1},  {"combine(F)", 1},
                                                                 {"attn(F)", 2}, {"dispatch(F)", 2}};
    const std::vector<std::pair<std::string_view, int>> back = {{"combine(B)", 2},  {"mlp(B)", 2},
                                                                {"dispatch(B)", 2}, {"attn(B)", 2},
                                                                {"combine(B)", 1},  {"mlp(B)", 1}};
    for (const auto& side : {ahead, back}) {
        for (std::size_t i = 0; i + 1 < side.size(); ++i) {
            EXPECT_TRUE(waits_for(graph, task(graph, side[i + 1].first, side[i + 1].second),
                                  task(graph, side[i].first, side[i].second)))
                << side[i + 1].first << " of layer " << side[i + 1].second;
        }
    }
}

// The reason for the order: while a side's transfer flies, nothing that the other side computes waits for it.
TEST(OverlappedPair, LetsEachTransferFlyBesideTheOtherSidesCompute) {
    const TaskGraph graph = pair(2, test::small_plan(1, 1));
    const auto free = [&](std::string_view transfer, int layer, std::string_view compute, int compute_layer) {
        const TaskId moving = task(graph, transfer, layer);
        const TaskId computing = task(graph, compute, compute_layer);
        return !waits_for(graph, computing, moving) && !waits_for(graph, moving, computing);
    };
    EXPECT_TRUE(free("combine(B)", 2, "attn(F)", 1));
    EXPECT_TRUE(free("dispatch(F)", 1, "mlp(B)", 2));
    EXPECT_TRUE(free("dispatch(B)", 2, "mlp(W)", 2));
    EXPECT_TRUE(free("dispatch(B)", 2, "mlp(F)", 1));
    EXPECT_TRUE(free("combine(F)", 1, "attn(B)", 2));
    EXPECT_TRUE(free("combine(B)", 1, "attn(W)", 2));
}

TEST(OverlappedPair, HoldsSmsForCommunicationBesideEveryKernel) {
    ParallelPlan plan = test::small_plan(1, 1);
    plan.communication_sms = 24;
    const TaskGraph graph = pair(3, plan);
    for (const ComputeWork& work : graph.computes()) {
        EXPECT_EQ(work.occupancy, (hw::Occupancy{24, true})) << work.name;
    }
    for (const TransferWork& work : graph.transfers()) {
        EXPECT_TRUE(work.beside_compute) << work.name;
    }
}

// The gradient of a combine is a dispatch: the profile runs a dispatch kernel for combine(B) and the reverse.
TEST(OverlappedPair, SendsGradientsOfACombineAsADispatch) {
    const TaskGraph graph = pair(1, test::small_plan(1, 1));
    const auto work = [&](std::string_view name) {
        return graph.transfers()[static_cast<std::size_t>(graph.tasks()[task(graph, name, 1)].work)];
    };
    EXPECT_EQ(work("dispatch(F)").kind, TransferKind::dispatch);
    EXPECT_EQ(work("combine(B)").kind, TransferKind::dispatch);
    EXPECT_EQ(work("combine(F)").kind, TransferKind::combine);
    EXPECT_EQ(work("dispatch(B)").kind, TransferKind::combine);
    for (const TransferWork& transfer : graph.transfers()) {
        EXPECT_EQ(transfer.tokens, 4096);
        EXPECT_EQ(transfer.ranks, 8);
        EXPECT_EQ(transfer.ranks_per_node, 8);
    }
}

TEST(OverlappedPair, MembersDriftApartOverTheRoutedWorkBeforeEachTransfersInput) {
    ParallelPlan plan = test::small_plan(1, 1);
    plan.routing_imbalance = 0.08;
    const TaskGraph graph = pair(2, plan);
    // By layer position: names of the routed works before the transfer's input, a bracket for each draw.
    std::map<std::string, std::vector<std::string>> seen;
    for (const Task& task : graph.tasks()) {
        if (task.kind != TaskKind::transfer) {
            continue;
        }
        const TransferWork& work = graph.transfers()[static_cast<std::size_t>(task.work)];
        std::string text;
        for (const auto& draw : work.uneven) {
            text += "[";
            for (const std::int32_t compute : draw) {
                text += graph.computes()[static_cast<std::size_t>(compute)].name;
            }
            text += "]";
        }
        seen[work.name].push_back(text);
    }
    const std::string first = "[mlp(B)mlp(W)][mlp(F)]";
    EXPECT_EQ(seen["combine(B)"], (std::vector<std::string>{"", first}));
    EXPECT_EQ(seen["dispatch(F)"], (std::vector<std::string>{"", first}));
    EXPECT_EQ(seen["dispatch(B)"], (std::vector<std::string>{"[mlp(B)]", first + "[mlp(B)]"}));
    EXPECT_EQ(seen["combine(F)"], (std::vector<std::string>{first, first + first}));
    plan.routing_imbalance = 0.0;
    const TaskGraph balanced = pair(2, plan);
    for (const TransferWork& work : balanced.transfers()) {
        EXPECT_TRUE(work.uneven.empty()) << work.name;
    }
}

TEST(OverlappedPair, RunsForwardThenBackwardWithoutOverlap) {
    ParallelPlan plan = test::small_plan(1, 1);
    plan.overlap = false;
    const TaskGraph graph = pair(1, plan);
    EXPECT_THAT(test::stream_names(graph, Stream::compute),
                ElementsAre("attn(F)", "mlp(F)", "mlp(B)", "mlp(W)", "attn(B)", "attn(W)"));
    EXPECT_TRUE(waits_for(graph, task(graph, "combine(B)", 1), task(graph, "combine(F)", 1)));
    for (const ComputeWork& work : graph.computes()) {
        EXPECT_EQ(work.occupancy, (hw::Occupancy{0, false})) << work.name;
    }
}

// Plain autograd finishes a layer's node, weight gradient included, before it hands the input's gradient on.
TEST(OverlappedPair, HoldsTheGradientBackForTheWeightGradientOnlyWithoutOverlap) {
    ParallelPlan plan = test::small_plan(1, 1);
    for (const bool overlap : {true, false}) {
        plan.overlap = overlap;
        const TaskGraph graph = pair(2, plan);
        EXPECT_EQ(waits_for(graph, task(graph, "dispatch(B)", 2), task(graph, "mlp(W)", 2)), !overlap);
        EXPECT_EQ(waits_for(graph, task(graph, "combine(B)", 1), task(graph, "attn(W)", 2)), !overlap);
    }
}

TEST(OverlappedPair, SendsNothingWhenOneGpuHoldsAllExperts) {
    ParallelPlan plan = test::small_plan(1, 1);
    plan.expert = 1;
    const TaskGraph graph = pair(2, plan);
    EXPECT_TRUE(graph.transfers().empty());
    for (const ComputeWork& work : graph.computes()) {
        EXPECT_EQ(work.occupancy, (hw::Occupancy{0, false})) << work.name;
    }
}

TEST(OverlappedPair, SaysWhatItCannotPair) {
    EXPECT_THROW(pair(0, test::small_plan(1, 1)), std::invalid_argument);
    EXPECT_THROW(build_pair(test::small_dense(4), test::small_plan(1, 1), 1, 8), std::invalid_argument);
}

} // namespace chokepoint::work
