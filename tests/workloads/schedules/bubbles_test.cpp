// SPDX-License-Identifier: Apache-2.0
// The bubble and the activations held, as the papers state them, of the schedules that are variants of 1F1B.
#include "unit_execution.hpp"

#include <chokepoint/workloads/schedule_csv.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace chokepoint::work {

using test::ActionCosts;
using test::execute;
using testing::HasSubstr;

namespace {

Schedule make(std::string_view id, const ScheduleSize& size) { return find_schedule(id)->make(size); }

ActionCosts any_costs() {
    const int forward = *rc::gen::inRange(1, 9);
    const int input = *rc::gen::inRange(1, 9);
    const int weight = *rc::gen::inRange(1, 9);
    return {forward, input, weight, forward + input + weight};
}

/// "0F0 3I0 ": stage, letter, micro-batch.
std::string text(const std::vector<Action>& order) {
    Schedule one_rank;
    one_rank.order = {order};
    std::string all = to_csv(one_rank);
    std::ranges::replace(all, ',', ' ');
    all.back() = ' ';
    return all;
}

} // namespace

// arXiv 1811.06965, section 2.3: (K-1) slots of a forward and a backward.
RC_GTEST_PROP(GPipe, BubbleIsThatOf1f1b, ()) {
    const int ranks = *rc::gen::inRange(1, 20);
    const int micro_batches = *rc::gen::inRange(1, 40);
    const ActionCosts costs = any_costs();
    const auto run = execute(make("gpipe", {ranks, micro_batches}), costs);
    for (std::size_t rank = 0; rank < run.busy.size(); ++rank) {
        RC_ASSERT(run.bubble(rank) == (ranks - 1) * (costs.forward + costs.backward()));
    }
}

RC_GTEST_PROP(GPipe, EveryRankHoldsEveryMicroBatch, ()) {
    const int ranks = *rc::gen::inRange(1, 20);
    const int micro_batches = *rc::gen::inRange(1, 40);
    for (const int peak : peak_in_flight(make("gpipe", {ranks, micro_batches}))) {
        RC_ASSERT(peak == micro_batches);
    }
}

// arXiv 2104.04473, section 2.2: (p-1)(F+B)/v, where a stage of one rank takes F/v and B/v.
RC_GTEST_PROP(Interleaved, BubbleIsOneStageOfEachOtherRankRatherThanAllOfThem, ()) {
    const int ranks = *rc::gen::inRange(1, 10);
    const int stages = *rc::gen::inRange(2, 6);
    const int micro_batches = ranks * *rc::gen::inRange(1, 6);
    const ActionCosts costs = any_costs();
    const auto run = execute(make("interleaved-1f1b", {ranks, micro_batches, stages}), costs);
    for (std::size_t rank = 0; rank < run.busy.size(); ++rank) {
        RC_ASSERT(run.bubble(rank) == (ranks - 1) * (costs.forward + costs.backward()));
    }
}

// arXiv 2205.05198, section 4.2.3: 1F1B's p, times 1 + (p-1)/(p v), in whole ranks of v stages.
RC_GTEST_PROP(Interleaved, FirstRankHoldsAsMuchAsMegatronSays, ()) {
    const int ranks = *rc::gen::inRange(1, 10);
    const int stages = *rc::gen::inRange(2, 6);
    const int micro_batches = ranks * *rc::gen::inRange(2, 6);
    const auto peaks = peak_in_flight(make("interleaved-1f1b", {ranks, micro_batches, stages}));
    RC_ASSERT(peaks.front() == ranks * stages + ranks - 1);
    for (int rank = 0; rank < ranks; ++rank) {
        RC_ASSERT(peaks[static_cast<std::size_t>(rank)] == peaks.front() - 2 * rank);
    }
}

RC_GTEST_PROP(Interleaved, IsSoundForEveryGroupItAccepts, ()) {
    const int ranks = *rc::gen::inRange(1, 9);
    const int stages = *rc::gen::inRange(2, 5);
    const int micro_batches = *rc::gen::inRange(ranks, 6 * ranks + 1);
    const int group = *rc::gen::inRange(ranks, micro_batches + 1);
    const ScheduleSize size{ranks, micro_batches, stages, group};
    RC_PRE(find_schedule("interleaved-1f1b")->fault(size).empty());
    RC_ASSERT(check(make("interleaved-1f1b", size)).empty());
}

// The table in the documentation of Megatron-LM's get_schedule_table: 5 micro-batches, groups of 3, 2 stages.
TEST(Interleaved, FollowsMegatronsTable) {
    const Schedule schedule = make("interleaved-1f1b", {2, 5, 2, 3});
    std::string forwards;
    for (const Action& action : schedule.order[0]) {
        if (action.kind == ActionKind::forward) {
            forwards += std::to_string(action.forward_micro_batch) + "/" +
                        std::to_string(index(action.forward_stage) / 2) + " ";
        }
    }
    EXPECT_EQ(forwards, "0/0 1/0 2/0 0/1 1/1 2/1 3/0 4/0 3/1 4/1 ");
}

TEST(Interleaved, PutsStagesRoundTheRanks) {
    const Schedule schedule = make("interleaved-1f1b", {4, 8, 3});
    EXPECT_EQ(schedule.stages, 12);
    EXPECT_EQ(schedule.host(Stage{7}, 0), Rank{3});
    EXPECT_EQ(schedule.replicas_per_stage, 1);
}

TEST(Interleaved, RefusesWhatMegatronRefuses) {
    const auto fault = find_schedule("interleaved-1f1b")->fault;
    EXPECT_THAT(fault({4, 8, 1}), HasSubstr("1 virtual stage; expected at least 2"));
    EXPECT_THAT(fault({4, 9, 2}), HasSubstr("9 micro-batches leave 1 after groups of 4"));
    EXPECT_THAT(fault({4, 3, 2}), HasSubstr("3 micro-batches leave 3 after groups of 4"));
    EXPECT_THAT(fault({4, 8, 2, 3}), HasSubstr("a micro-batch group of 3; expected 4"));
    EXPECT_THAT(fault({4, 8, 2, 9}), HasSubstr("a micro-batch group of 9; expected 4"));
    EXPECT_EQ(fault({4, 9, 2, 5}), "");
}

// arXiv 2401.10241, table 2: (p-1)(F+B-W) with B the input gradient. With even passes a third of 1F1B's.
RC_GTEST_PROP(ZbH1, BubbleIsThePublishedFormulaForEvenPasses, ()) {
    const int ranks = *rc::gen::inRange(1, 20);
    const int micro_batches = *rc::gen::inRange(2 * ranks, 4 * ranks + 1);
    const int pass = *rc::gen::inRange(1, 9);
    const ActionCosts costs{pass, pass, pass, 3 * pass};
    const int plain = execute(make("1f1b", {ranks, micro_batches}), costs).bubble(0);
    const auto run = execute(make("zb-h1", {ranks, micro_batches}), costs);
    for (std::size_t rank = 0; rank < run.busy.size(); ++rank) {
        RC_ASSERT(run.bubble(rank) == (ranks - 1) * pass);
        RC_ASSERT(3 * run.bubble(rank) == plain);
    }
}

RC_GTEST_PROP(ZbH1, NeverTakesLongerThan1f1b, ()) {
    const int ranks = *rc::gen::inRange(1, 12);
    const int micro_batches = *rc::gen::inRange(1, 40);
    const ActionCosts costs = any_costs();
    RC_ASSERT(execute(make("zb-h1", {ranks, micro_batches}), costs).makespan <=
              execute(make("1f1b", {ranks, micro_batches}), costs).makespan);
}

RC_GTEST_PROP(ZbH1, HoldsAsManyMicroBatchesAs1f1bsFirstRank, ()) {
    const int ranks = *rc::gen::inRange(1, 20);
    const int micro_batches = *rc::gen::inRange(1, 40);
    const auto peaks = peak_in_flight(make("zb-h1", {ranks, micro_batches}));
    RC_ASSERT(std::ranges::max(peaks) == std::min(ranks, micro_batches));
}

// arXiv 2401.10241, section 6: no idle time on any rank when the three passes are even.
RC_GTEST_PROP(ZbV, NoRankWaitsBetweenItsFirstAndLastPassWhenPassesAreEven, ()) {
    const int ranks = *rc::gen::inRange(1, 16);
    const int micro_batches = *rc::gen::inRange(2 * ranks, 5 * ranks + 1);
    const int pass = *rc::gen::inRange(1, 9);
    const auto run = execute(make("zb-v", {ranks, micro_batches}), {pass, pass, pass, 3 * pass});
    for (std::size_t rank = 0; rank < run.busy.size(); ++rank) {
        RC_ASSERT(run.idle(rank) == 0);
        RC_ASSERT(run.bubble(rank) == (ranks - 1) * pass);
    }
}

// The same section: 1F1B's p, in whole ranks of two stages.
RC_GTEST_PROP(ZbV, EveryRankHoldsAsMuchAs1f1bsFirst, ()) {
    const int ranks = *rc::gen::inRange(1, 16);
    const int micro_batches = *rc::gen::inRange(2 * ranks, 5 * ranks + 1);
    for (const int peak : peak_in_flight(make("zb-v", {ranks, micro_batches}))) {
        RC_ASSERT(peak == 2 * ranks);
    }
}

TEST(ZbV, WalksThroughItsPhasesOnTwoRanks) {
    const Schedule schedule = make("zb-v", {2, 4});
    EXPECT_EQ(text(schedule.order[0]), "0F0 0F1 0F2 "                                 // down
                                       "3F0 3I0 3W0 3F1 3I1 3W1 "                     // up, and back at once
                                       "0F3 0I0 0W0 3F2 3I2 3W2 0I1 0W1 3F3 3I3 3W3 " // steady
                                       "0I2 0W2 0I3 0W3 ");                           // drain
    EXPECT_EQ(text(schedule.order[1]), "1F0 "                                         // down
                                       "2F0 1F1 "                                     // both
                                       "2F1 2I0 2W0 "                                 // up, and back at once
                                       "1F2 1I0 1W0 2F2 2I1 2W1 1F3 1I1 1W1 2F3 2I2 2W2 "
                                       "1I2 2I3 1I3 1W2 2W3 1W3 "); // weights fill the last bubble
    EXPECT_EQ(schedule.host(Stage{0}, 0), Rank{0});
    EXPECT_EQ(schedule.host(Stage{3}, 0), Rank{0});
    EXPECT_EQ(schedule.host(Stage{2}, 0), Rank{1});
}

// DualPipe's README, for the same number of stages on half the ranks: (PP/2-1)(F&B+B-3W) and PP+1.
RC_GTEST_PROP(DualPipeV, KeepsDualPipesBubbleAndMemoryOnHalfTheRanks, ()) {
    const int ranks = *rc::gen::inRange(1, 11);
    const int micro_batches = *rc::gen::inRange(2 * ranks, 5 * ranks + 1);
    const int pass = *rc::gen::inRange(1, 9);
    const ActionCosts costs{pass, pass, pass, 3 * pass};
    const Schedule schedule = make("dualpipev", {ranks, micro_batches});
    const auto run = execute(schedule, costs);
    for (std::size_t rank = 0; rank < run.busy.size(); ++rank) {
        RC_ASSERT(run.bubble(rank) == (ranks - 1) * (costs.overlapped + costs.backward() - 3 * costs.weight));
        RC_ASSERT(peak_in_flight(schedule)[rank] == 2 * ranks + 1);
    }
}

TEST(DualPipeV, SaysHowItOrdersFewerMicroBatchesThanThePublishedOrderNeeds) {
    EXPECT_EQ(make("dualpipev", {4, 8}).note, "");
    EXPECT_THAT(make("dualpipev", {4, 5}).note,
                HasSubstr("5 micro-batches are fewer than the 8 that DualPipeV's published order needs"));
}

TEST(Schedules, RefuseAChoiceTheyDoNotOffer) {
    EXPECT_THAT(find_schedule("1f1b")->fault({4, 8, 2}),
                HasSubstr("2 virtual stages; it has 1 on each rank"));
    EXPECT_THAT(find_schedule("zb-v")->fault({4, 8, 3}),
                HasSubstr("3 virtual stages; it has 2 on each rank"));
    EXPECT_EQ(find_schedule("zb-v")->fault({4, 8, 2}), "");
    EXPECT_THAT(find_schedule("gpipe")->fault({4, 8, 1, 4}),
                HasSubstr("only interleaved-1f1b runs in groups"));
}

} // namespace chokepoint::work
