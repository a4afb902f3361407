// SPDX-License-Identifier: Apache-2.0
// What every schedule owes, whatever its order; and that the check for it finds each kind of fault.
#include "unit_execution.hpp"

#include <chokepoint/workloads/unit_timeline.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace chokepoint::work {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

class EverySchedule : public testing::TestWithParam<ScheduleKind> {};

ScheduleSize four_by_eight(const ScheduleKind& kind) {
    const ScheduleSize plain{.ranks = 4, .micro_batches = 8};
    return kind.fault(plain).empty() ? plain
                                     : ScheduleSize{.ranks = 4, .micro_batches = 8, .virtual_stages = 2};
}

Schedule small() { return find_schedule("1f1b")->make({3, 4}); }

} // namespace

TEST_P(EverySchedule, IsSoundForEverySizeItAccepts) {
    int accepted = 0;
    for (int stages = 1; stages <= 3; ++stages) {
        for (int ranks = 1; ranks <= 8; ++ranks) {
            for (int micro_batches = 1; micro_batches <= 24; ++micro_batches) {
                const ScheduleSize size{ranks, micro_batches, stages};
                if (!GetParam().fault(size).empty()) {
                    continue;
                }
                ++accepted;
                EXPECT_THAT(check(GetParam().make(size)), ElementsAre())
                    << ranks << " ranks, " << micro_batches << " micro-batches, " << stages << " stages each";
            }
        }
    }
    EXPECT_GT(accepted, 40);
}

TEST_P(EverySchedule, KnowsItsOwnName) {
    const Schedule schedule = GetParam().make(four_by_eight(GetParam()));
    EXPECT_EQ(schedule.id, GetParam().id);
    EXPECT_EQ(schedule.ranks, 4);
    EXPECT_EQ(schedule.micro_batches, 8);
    EXPECT_EQ(find_schedule(GetParam().id)->id, GetParam().id);
}

TEST_P(EverySchedule, RefusesSizesThatMakeNoSense) {
    for (ScheduleSize size :
         {ScheduleSize{0, 8}, {-2, 8}, {4, 0}, {4, -2}, {4, 8, 0}, {4, 8, -1}, {4, 8, 1, 0}}) {
        EXPECT_NE(GetParam().fault(size), "") << size.ranks << ", " << size.micro_batches;
        EXPECT_THROW(GetParam().make(size), std::invalid_argument);
    }
}

// What a picture shows, against a pass of its own in whole numbers.
TEST_P(EverySchedule, UnitTimelineAgreesWithAnIndependentPass) {
    const Schedule schedule = GetParam().make(four_by_eight(GetParam()));
    const auto expected = test::execute(schedule, {.forward = 3, .input = 4, .weight = 2, .overlapped = 8});
    const UnitTimeline line = unit_timeline(schedule, {3, 4, 2, 8});
    EXPECT_EQ(line.makespan, expected.makespan);
    for (std::size_t rank = 0; rank < 4; ++rank) {
        EXPECT_EQ(line.first[rank], expected.first[rank]);
        EXPECT_EQ(line.last[rank], expected.last[rank]);
        EXPECT_EQ(line.busy[rank], expected.busy[rank]);
    }
}

INSTANTIATE_TEST_SUITE_P(Table, EverySchedule,
                         testing::ValuesIn(schedule_kinds().begin(), schedule_kinds().end()),
                         [](const auto& instance) {
                             std::string id(instance.param.id);
                             id.insert(id.begin(), '_');
                             std::ranges::replace(id, '-', '_');
                             return id;
                         });

TEST(ScheduleTable, NamesEachScheduleOnce) {
    std::set<std::string_view> ids;
    for (const ScheduleKind& kind : schedule_kinds()) {
        EXPECT_TRUE(ids.insert(kind.id).second) << kind.id;
        EXPECT_FALSE(kind.summary.empty());
    }
    EXPECT_EQ(find_schedule("no such"), nullptr);
}

TEST(ScheduleCheck, FindsAMissingAction) {
    Schedule schedule = small();
    ASSERT_EQ(to_text(schedule.order[2].back()), "stage 2 B3");
    schedule.order[2].pop_back();
    EXPECT_THAT(check(schedule),
                ElementsAre("input gradient of stage 2 for micro-batch 3 is missing; expected on rank 2",
                            "weight gradient of stage 2 for micro-batch 3 is missing; expected on rank 2"));
}

TEST(ScheduleCheck, FindsAWeightGradientThatNeverComes) {
    Schedule schedule = small();
    schedule.order[2].back().kind = ActionKind::input_backward;
    EXPECT_THAT(check(schedule),
                ElementsAre("weight gradient of stage 2 for micro-batch 3 is missing; expected on rank 2"));
}

TEST(ScheduleCheck, FindsADoubledAction) {
    Schedule schedule = small();
    schedule.order[0].push_back(schedule.order[0].front());
    EXPECT_THAT(check(schedule),
                ElementsAre("rank 0, action 8 (stage 0 F0): forward of stage 0 for micro-batch 0 ran "
                            "before, on rank 0, action 0"));
}

TEST(ScheduleCheck, FindsAnActionOnTheWrongRank) {
    Schedule schedule = small();
    schedule.order[0].push_back(schedule.order[1].back());
    schedule.order[1].pop_back();
    EXPECT_THAT(check(schedule),
                Contains("rank 0, action 8 (stage 1 B3): stage 1 of micro-batch 3 lives on rank 1"));
}

TEST(ScheduleCheck, FindsAMicroBatchThatDoesNotExist) {
    Schedule schedule = small();
    schedule.order[1].front().forward_micro_batch = 9;
    EXPECT_THAT(check(schedule),
                Contains(HasSubstr("rank 1, action 0 (stage 1 F9): no such stage or micro-batch")));
}

TEST(ScheduleCheck, FindsABackwardBeforeItsForward) {
    Schedule schedule = small();
    auto& order = schedule.order[2];
    ASSERT_EQ(to_text(order[0]), "stage 2 F0");
    std::swap(order[0], order[1]);
    EXPECT_THAT(check(schedule),
                ElementsAre("rank 2, action 0 (stage 2 B0): runs before the forward of stage 2 for "
                            "micro-batch 0, which is action 1"));
}

TEST(ScheduleCheck, NamesWhoWaitsForWhomInADeadlock) {
    Schedule schedule = find_schedule("1f1b")->make({2, 2});
    // Rank 0 wants B0 before it sends F1; rank 1 wants F1 before it sends B0.
    schedule.order[0] = {schedule.order[0][0], schedule.order[0][2], schedule.order[0][1],
                         schedule.order[0][3]};
    schedule.order[1] = {schedule.order[1][0], schedule.order[1][2], schedule.order[1][1],
                         schedule.order[1][3]};
    EXPECT_THAT(
        check(schedule),
        ElementsAre(
            "deadlock: rank 0 waits forever at action 1 (stage 0 B0) for the input gradient of stage 1 for "
            "micro-batch 0 on rank 1",
            "deadlock: rank 1 waits forever at action 1 (stage 1 F1) for the forward of stage 0 for "
            "micro-batch 1 on rank 0"));
}

TEST(ScheduleCheck, FindsAnOrderOfTheWrongShape) {
    Schedule schedule = small();
    schedule.order.pop_back();
    schedule.hosts[1].pop_back();
    EXPECT_THAT(check(schedule), ElementsAre("order lists 2 ranks; expected 3",
                                             "hosts of stage 1 lists 3 micro-batches; expected 4"));
}

TEST(PeakInFlight, HoldsActivationsUntilTheWeightGradient) {
    Schedule schedule = find_schedule("1f1b")->make({1, 2});
    const Action first = schedule.order[0][0];
    const Action second = schedule.order[0][2];
    Action input = schedule.order[0][1];
    input.kind = ActionKind::input_backward;
    Action weight = input;
    weight.kind = ActionKind::weight_backward;
    schedule.order[0] = {first, input, second, weight, schedule.order[0][3]};
    EXPECT_THAT(check(schedule), ElementsAre());
    EXPECT_THAT(peak_in_flight(schedule), ElementsAre(2));
}

TEST(ActionText, NamesStageAndMicroBatch) {
    EXPECT_EQ(to_text(Action{ActionKind::forward, Stage{3}, 17, Stage{0}, -1}), "stage 3 F17");
    EXPECT_EQ(to_text(Action{ActionKind::overlapped, Stage{3}, 17, Stage{12}, 4}),
              "stage 3 F17 & stage 12 B4");
    EXPECT_EQ(to_text(Action{ActionKind::input_backward, Stage{0}, -1, Stage{12}, 4}), "stage 12 I4");
    EXPECT_EQ(to_text(Action{ActionKind::weight_backward, Stage{0}, -1, Stage{12}, 4}), "stage 12 W4");
}

} // namespace chokepoint::work
