// SPDX-License-Identifier: Apache-2.0
// DualPipe's bubble, memory and composition, as its README and the DeepSeek-V3 report state them.
#include "unit_execution.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace chokepoint::work {

using test::ActionCosts;
using test::count;
using test::execute;
using testing::Each;

namespace {

Schedule dualpipe(int ranks, int micro_batches) {
    return find_schedule("dualpipe")->make({ranks, micro_batches});
}

std::string text(const std::vector<Action>& order) {
    std::string all;
    for (const Action& action : order) {
        all += (all.empty() ? "" : ", ") + to_text(action);
    }
    return all;
}

} // namespace

// github.com/deepseek-ai/DualPipe, README: (PP/2-1)(F&B+B-3W), drawn for F = I = W and F&B = F+B.
RC_GTEST_PROP(DualPipe, BubbleIsThePublishedFormulaForEvenPasses, ()) {
    const int ranks = 2 * *rc::gen::inRange(1, 11);
    const int micro_batches = 2 * ranks + 2 * *rc::gen::inRange(0, 12);
    const int pass = *rc::gen::inRange(1, 9);
    const ActionCosts costs{pass, pass, pass, 3 * pass};
    const auto run = execute(dualpipe(ranks, micro_batches), costs);
    for (std::size_t rank = 0; rank < run.busy.size(); ++rank) {
        RC_ASSERT(run.bubble(rank) ==
                  (ranks / 2 - 1) * (costs.overlapped + costs.backward() - 3 * costs.weight));
    }
}

RC_GTEST_PROP(DualPipe, BubbleStaysBelowTheFormulaWhenInputCostsMostAndWeightLeast, ()) {
    const int ranks = 2 * *rc::gen::inRange(1, 11);
    const int micro_batches = 2 * ranks + 2 * *rc::gen::inRange(0, 12);
    const int weight = *rc::gen::inRange(1, 9);
    const int forward = weight + *rc::gen::inRange(0, 9);
    const int input = forward + *rc::gen::inRange(0, 9);
    const ActionCosts costs{forward, input, weight, forward + input + weight};
    const auto run = execute(dualpipe(ranks, micro_batches), costs);
    for (std::size_t rank = 0; rank < run.busy.size(); ++rank) {
        RC_ASSERT(run.bubble(rank) <=
                  (ranks / 2 - 1) * (costs.overlapped + costs.backward() - 3 * costs.weight));
    }
}

TEST(DualPipe, HalvesTheBubbleOf1f1bAndMore) {
    const auto both = execute(dualpipe(16, 120), {});
    const auto plain = execute(find_schedule("1f1b")->make({16, 120}), {});
    EXPECT_EQ(plain.bubble(0), 45);
    EXPECT_EQ(both.bubble(0), 14);
}

TEST(DualPipe, OverlapsFiveSixthsOfDeepSeekV3sStep) {
    const Schedule schedule = dualpipe(16, 120);
    EXPECT_EQ(count(schedule, ActionKind::overlapped),
              1606); // mean over 16 ranks: 100.4 of 120 per direction pair
    EXPECT_EQ(count(schedule, ActionKind::forward), 314);         // 19.6
    EXPECT_EQ(count(schedule, ActionKind::weight_backward), 184); // 11.5
    EXPECT_EQ(count(schedule, ActionKind::input_backward), 184);
}

// The published loop for the smallest case with a pair: 2 ranks, 4 micro-batches, written out by hand.
TEST(DualPipe, FollowsThePublishedOrderOnTwoRanks) {
    const Schedule schedule = dualpipe(2, 4);
    EXPECT_EQ(
        text(schedule.order[0]),
        "stage 0 F0, stage 1 F2, stage 0 F1, stage 1 B2, stage 1 F3 & stage 0 B0, stage 1 B3, stage 0 I1, "
        "stage 0 W1");
    EXPECT_EQ(
        text(schedule.order[1]),
        "stage 0 F2, stage 1 F0, stage 0 F3, stage 1 B0, stage 1 F1 & stage 0 B2, stage 1 B1, stage 0 I3, "
        "stage 0 W3");
}

TEST(DualPipe, EndRankWalksThroughAllEightSteps) {
    const Schedule schedule = dualpipe(4, 8);
    EXPECT_EQ(text(schedule.order[0]),
              "stage 0 F0, stage 0 F1, "                           // nF0
              "stage 0 F2, stage 3 F4, "                           // nF0F1
              "stage 3 I4, stage 3 W4, stage 3 F5, "               // nB1W1F1
              "stage 0 F3 & stage 3 B5, stage 3 F6 & stage 0 B0, " // nF0B1F1B0
              "stage 3 B6, stage 3 F7 & stage 0 B1, "              // nB1F1B0
              "stage 3 B7, stage 0 I2, "                           // nB1B0
              "stage 0 W2, stage 0 I3, "                           // nWB0
              "stage 0 W3");                                       // nW
}

TEST(DualPipe, SecondHalfOfTheRanksMirrorsTheFirst) {
    const int ranks = 8;
    const int micro_batches = 24;
    const Schedule schedule = dualpipe(ranks, micro_batches);
    const auto mirrored = [&](int micro_batch) {
        return micro_batch < 0 ? micro_batch : (micro_batch + micro_batches / 2) % micro_batches;
    };
    for (std::size_t rank = 0; rank < 4; ++rank) {
        std::vector<Action> mirror = schedule.order[7 - rank];
        for (Action& action : mirror) {
            action.forward_micro_batch = mirrored(action.forward_micro_batch);
            action.backward_micro_batch = mirrored(action.backward_micro_batch);
        }
        EXPECT_EQ(schedule.order[rank], mirror) << "rank " << rank;
    }
}

TEST(DualPipe, StageLivesOnTwoMirroredRanks) {
    const Schedule schedule = dualpipe(8, 16);
    EXPECT_EQ(schedule.replicas_per_stage, 2);
    for (int stage = 0; stage < 8; ++stage) {
        EXPECT_EQ(schedule.host(Stage{stage}, 7), Rank{stage});
        EXPECT_EQ(schedule.host(Stage{stage}, 8), Rank{7 - stage});
    }
}

// DualPipe's README: PP+1 micro-batches of activations.
RC_GTEST_PROP(DualPipe, EveryRankHoldsOneMicroBatchMoreThanThereAreRanks, ()) {
    const int ranks = 2 * *rc::gen::inRange(1, 11);
    const int micro_batches = 2 * ranks + 2 * *rc::gen::inRange(0, 12);
    const std::vector<int> expected(static_cast<std::size_t>(ranks), ranks + 1);
    RC_ASSERT(peak_in_flight(dualpipe(ranks, micro_batches)) == expected);
}

TEST(DualPipe, PutsWeightGradientsOffInOrder) {
    const Schedule schedule = dualpipe(16, 120);
    for (const auto& order : schedule.order) {
        std::vector<Action> put_off;
        std::vector<Action> done;
        for (Action action : order) {
            auto* list = action.kind == ActionKind::input_backward    ? &put_off
                         : action.kind == ActionKind::weight_backward ? &done
                                                                      : nullptr;
            if (list != nullptr) {
                action.kind = ActionKind::weight_backward;
                list->push_back(action);
            }
        }
        EXPECT_EQ(put_off, done);
    }
}

TEST(DualPipe, SaysHowItOrdersFewerMicroBatchesThanThePublishedOrderNeeds) {
    EXPECT_TRUE(dualpipe(16, 32).note.empty());
    EXPECT_THAT(dualpipe(16, 24).note, testing::HasSubstr("24 micro-batches are fewer than the 32"));
}

RC_GTEST_PROP(DualPipe, ShortOrderIsSoundAndHoldsNoMoreThanThePublishedOne, ()) {
    const int ranks = 2 * *rc::gen::inRange(1, 11);
    const int micro_batches = 2 * *rc::gen::inRange(1, ranks);
    const Schedule schedule = dualpipe(ranks, micro_batches);
    RC_ASSERT(check(schedule).empty());
    RC_ASSERT(std::ranges::max(peak_in_flight(schedule)) <= std::min(ranks + 1, micro_batches));
}

// The size at which DeepSeek-V3's batch ramp starts: 3,072 sequences over 128 replicas.
TEST(DualPipe, ShortOrderStillOverlapsAndBeats1f1b) {
    const Schedule schedule = dualpipe(16, 24);
    EXPECT_EQ(count(schedule, ActionKind::overlapped), 116); // 7.25 per rank
    const auto run = execute(schedule, {});
    EXPECT_EQ(run.makespan, 94);
    EXPECT_THAT(run.busy, Each(72));
    EXPECT_EQ(execute(find_schedule("1f1b")->make({16, 24}), {}).makespan, 117);
}

TEST(DualPipe, RefusesWhatItCannotPairUp) {
    const auto fault = find_schedule("dualpipe")->fault;
    EXPECT_THAT(fault({15, 120}), testing::HasSubstr("15 pipeline ranks; expected an even number"));
    EXPECT_THAT(fault({16, 119}), testing::HasSubstr("119 micro-batches; expected an even number"));
    EXPECT_THAT(fault({16, 0}), testing::HasSubstr("0 micro-batches"));
    EXPECT_EQ(fault({16, 24}), "");
    EXPECT_THROW(dualpipe(15, 120), std::invalid_argument);
}

} // namespace chokepoint::work
