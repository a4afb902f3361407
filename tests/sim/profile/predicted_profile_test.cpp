// SPDX-License-Identifier: Apache-2.0
// A scenario's time is told apart by the names of a profile's classes, and none is lost or counted twice.
#include "profile_files.hpp"

#include <chokepoint/sim/predicted_profile.hpp>

#include <gtest/gtest.h>

#include <set>

using namespace chokepoint;

namespace {

sim::Scenario scenario(const char* name) {
    return sim::load_scenario(std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "scenarios" / name);
}

double total(const std::map<std::string, hw::Seconds>& works) {
    double sum = 0.0;
    for (const auto& [work, time] : works) {
        sum += time.value();
    }
    return sum;
}

} // namespace

TEST(PredictedProfile, EveryClassAndEveryWorkIsInOneRow) {
    const sim::Profile profile = sim::read_profile(test::small_profile());
    const hw::KernelRules rules = hw::load_kernel_rules();
    const sim::PredictedProfile predicted = sim::predict_profile(scenario("small-16-gpus.toml"), {});
    std::set<std::string> classes;
    std::set<std::string> works;
    double sum = 0.0;
    for (const sim::ComparedRow& row : sim::compare_profile(profile, rules, predicted)) {
        for (const std::string& id : row.classes) {
            EXPECT_TRUE(classes.insert(id).second) << id;
        }
        for (const std::string& work : row.works) {
            EXPECT_TRUE(works.insert(work).second) << work;
        }
        EXPECT_EQ(row.measured == sim::ProfileTime::zero(), row.classes.empty());
        sum += row.predicted.value();
    }
    EXPECT_EQ(classes.size(), sim::summarize(profile, rules).classes.size());
    EXPECT_EQ(works.size(), predicted.works.size());
    EXPECT_NEAR(sum, total(predicted.works), 1e-12);
}

TEST(PredictedProfile, ANameThatFitsTwoWorksJoinsThem) {
    const sim::Profile profile = test::profile_of("[" + test::kernel_event("nvjet_tst_x", 1, 5, 7) + "]");
    sim::PredictedProfile predicted;
    predicted.works = {{"gemm bf16", hw::Seconds(2.0)},
                       {"gemm_wgrad bf16", hw::Seconds(1.0)},
                       {"norm_fwd", hw::Seconds(0.5)}};
    const auto rows = sim::compare_profile(profile, hw::load_kernel_rules(), predicted);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].works, (std::vector<std::string>{"gemm bf16", "gemm_wgrad bf16"}));
    EXPECT_EQ(rows[0].predicted, hw::Seconds(3.0));
    EXPECT_TRUE(rows[1].classes.empty());
}

TEST(PredictedProfile, TwoStepsTakeTwiceAsLong) {
    const sim::Scenario small = scenario("small-16-gpus.toml");
    const sim::PredictedProfile once = sim::predict_profile(small, {});
    const sim::PredictedProfile twice = sim::predict_profile(small, {.count = 2});
    EXPECT_NEAR(twice.compute.value(), 2.0 * once.compute.value(), 1e-9);
    EXPECT_NEAR(twice.span.value(), 2.0 * once.span.value(), 1e-9);
    EXPECT_NEAR(total(twice.works), 2.0 * total(once.works), 1e-9);
}

TEST(PredictedProfile, OverlapIsNoMoreThanEitherAndAllFitIntoTheSpan) {
    const sim::PredictedProfile pair =
        sim::predict_profile(scenario("deepseek-v3-h800.toml"), {.pair_layers = 4});
    EXPECT_GT(pair.overlap.value(), 0.0);
    EXPECT_LE(pair.overlap.value(), std::min(pair.compute, pair.communication).value() + 1e-9);
    EXPECT_LE((pair.compute + pair.communication - pair.overlap).value(), pair.span.value() + 1e-9);
    EXPECT_TRUE(pair.works.contains("grouped_wgrad fp8"));
    EXPECT_TRUE(pair.works.contains("dispatch"));
}

TEST(PredictedProfile, ARankThatIsNotThereIsRefused) {
    EXPECT_THROW(sim::predict_profile(scenario("small-16-gpus.toml"), {.rank = 99}), std::invalid_argument);
}
