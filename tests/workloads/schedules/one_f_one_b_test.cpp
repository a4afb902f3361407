// SPDX-License-Identifier: Apache-2.0
// 1F1B's bubble and memory, as its paper states them.
#include "unit_execution.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace chokepoint::work {

using test::ActionCosts;
using test::execute;

RC_GTEST_PROP(OneFOneB, BubbleIsOneForwardAndBackwardPerOtherRank, ()) {
    const int ranks = *rc::gen::inRange(1, 20);
    const int micro_batches = *rc::gen::inRange(ranks, 3 * ranks + 1);
    const ActionCosts costs{.forward = *rc::gen::inRange(1, 9),
                            .input = *rc::gen::inRange(1, 9),
                            .weight = *rc::gen::inRange(1, 9)};
    const auto run = execute(find_schedule("1f1b")->make({ranks, micro_batches}), costs);
    for (std::size_t rank = 0; rank < run.busy.size(); ++rank) {
        RC_ASSERT(run.bubble(rank) == (ranks - 1) * (costs.forward + costs.backward()));
    }
}

RC_GTEST_PROP(OneFOneB, RankHoldsOneMicroBatchForItselfAndEachRankBehindIt, ()) {
    const int ranks = *rc::gen::inRange(1, 20);
    const int micro_batches = *rc::gen::inRange(1, 40);
    const auto peaks = peak_in_flight(find_schedule("1f1b")->make({ranks, micro_batches}));
    for (int rank = 0; rank < ranks; ++rank) {
        RC_ASSERT(peaks[static_cast<std::size_t>(rank)] == std::min(ranks - rank, micro_batches));
    }
}

TEST(OneFOneB, StageLivesOnTheRankOfItsNumber) {
    const Schedule schedule = find_schedule("1f1b")->make({4, 8});
    EXPECT_EQ(schedule.replicas_per_stage, 1);
    for (int stage = 0; stage < 4; ++stage) {
        for (int mb = 0; mb < 8; ++mb) {
            EXPECT_EQ(schedule.host(Stage{stage}, mb), Rank{stage});
        }
    }
}

} // namespace chokepoint::work
