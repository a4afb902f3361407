// SPDX-License-Identifier: Apache-2.0
// Made-up runs that were made with a known overhead: it is found again, and each software has one vote.
#include <chokepoint/sim/overhead.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chokepoint::sim {
namespace {

/// Kernels are this share of a step of 100 s; the rest does not grow with the overhead.
struct Made {
    std::string stack, gpu;
    double overhead, kernels;
    int runs = 1;
};

Overheads found(const std::vector<Made>& all) {
    std::vector<PublishedRun> runs;
    std::vector<Prediction> without, trial;
    for (const Made& made : all) {
        const auto step = [&](double overhead) {
            return hw::Seconds(100.0 * (1.0 + made.kernels * overhead));
        };
        for (int i = 0; i < made.runs; ++i) {
            PublishedRun run;
            run.stack = made.stack;
            run.keys = {{"cluster.gpu", made.gpu}};
            runs.push_back(run);
            without.push_back({.measured = step(made.overhead), .predicted = step(0.0)});
            trial.push_back({.measured = step(made.overhead), .predicted = step(kTrialOverhead)});
        }
    }
    return overheads(runs, without, trial, hw::Catalog::load());
}

TEST(Overheads, FindTheOneThatMadeTheRuns) {
    const Overheads all = found({{"a", "h100-sxm", 0.3, 0.5}, {"a", "a100-sxm", 0.1, 0.9}});
    ASSERT_EQ(all.stacks.size(), 2U);
    EXPECT_EQ(all.stacks[0].architecture, "ampere");
    EXPECT_NEAR(all.stacks[0].overhead, 0.1, 1e-12);
    EXPECT_NEAR(all.stacks[1].overhead, 0.3, 1e-12);
    EXPECT_NEAR(all.stacks[1].ratio, 1.15, 1e-12);
    EXPECT_NEAR(all.overhead, 0.2, 1e-12);
    EXPECT_FALSE(all.left_out_median) << "neither architecture has another stack to learn from";
}

TEST(Overheads, GiveEachSoftwareOneVote) {
    const Overheads all =
        found({{"a", "h100-sxm", 0.0, 1.0, 50}, {"b", "h800-sxm", 0.1, 1.0}, {"c", "h200-sxm", 0.2, 1.0}});
    ASSERT_EQ(all.architectures.size(), 1U);
    EXPECT_EQ(all.architectures[0].stacks, 3);
    EXPECT_NEAR(all.architectures[0].overhead, 0.1, 1e-12);
    // Each under the mean of the other two: 0.15, 0.1 and 0.05.
    EXPECT_NEAR(*all.stacks[0].left_out, 0.15, 1e-12);
    EXPECT_NEAR(*all.stacks[1].left_out, 0.0, 1e-12);
    EXPECT_NEAR(*all.stacks[2].left_out, 1.0 - 1.05 / 1.2, 1e-12);
    EXPECT_NEAR(*all.left_out_median, 1.0 - 1.05 / 1.2, 1e-12);
}

TEST(Overheads, LeaveOutRunsThatSayNothingOfKernels) {
    EXPECT_TRUE(found({{"network", "h100-sxm", 0.5, 0.01}}).stacks.empty());
    EXPECT_TRUE(found({{"unknown", "no-such-part", 0.5, 1.0}}).stacks.empty());
    EXPECT_THAT(to_text(found({})), testing::HasSubstr("no run says which overhead"));
    EXPECT_THAT(to_text(found({{"", "h100-sxm", -0.1, 1.0}})),
                testing::AllOf(testing::HasSubstr("(not named)"), testing::HasSubstr("Below 0")));
}

TEST(Overheads, ReplaceWhatARunSaysItself) {
    PublishedRun timed, memory;
    timed.keys = {{"plan.framework_overhead", "0"}, {"plan.tensor", "8"}};
    memory.score = Score::memory;
    const std::vector<PublishedRun> runs = with_overhead(std::vector{timed, memory}, kTrialOverhead);
    ASSERT_EQ(runs.size(), 1U);
    EXPECT_EQ(runs[0].key("plan.framework_overhead"), "0.2");
    EXPECT_EQ(runs[0].key("plan.tensor"), "8");
}

} // namespace
} // namespace chokepoint::sim
