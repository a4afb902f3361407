// SPDX-License-Identifier: Apache-2.0
// The statistics of a validation on numbers small enough to check by hand.
#include <chokepoint/sim/validation_report.hpp>

#include <gtest/gtest.h>

#include <cmath>

namespace chokepoint::sim {
namespace {

std::vector<Weighted> weigh(std::initializer_list<double> values) {
    std::vector<Weighted> out;
    for (const double value : values) {
        out.push_back({value});
    }
    return out;
}

TEST(Quantile, IsTheMiddleOfAnOddAndBetweenTheTwoMiddlesOfAnEvenNumber) {
    EXPECT_DOUBLE_EQ(quantile(weigh({5, 1, 3}), 0.5), 3);
    EXPECT_DOUBLE_EQ(quantile(weigh({4, 1, 3, 2}), 0.5), 2.5);
    EXPECT_DOUBLE_EQ(quantile(weigh({7}), 0.5), 7);
    EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
}

TEST(Quantile, LeavesATenthAboveTheNinetiethPercentile) {
    EXPECT_DOUBLE_EQ(quantile(weigh({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), 0.9), 9.5);
    EXPECT_DOUBLE_EQ(quantile(weigh({1, 2, 3, 4, 5}), 0.9), 5);
}

TEST(Quantile, CountsAValueAsOftenAsItsWeight) {
    const std::vector<Weighted> weighted{{1.0, 3.0}, {2.0, 1.0}, {9.0, 1.0}};
    EXPECT_DOUBLE_EQ(quantile(weighted, 0.5), quantile(weigh({1, 1, 1, 2, 9}), 0.5));
    const double third = 1.0 / 3.0; // three copies weigh as much as one value
    EXPECT_DOUBLE_EQ(quantile({{1.0, third}, {1.0, third}, {1.0, third}, {5.0, 1.0}}, 0.5), 3.0);
}

TEST(Mean, IsWeighted) {
    const std::vector<Weighted> values{{1.0, 3.0}, {5.0, 1.0}};
    EXPECT_DOUBLE_EQ(mean(values), 2.0);
}

std::optional<double> rank(std::vector<std::pair<double, double>> pairs) { return spearman(pairs); }

TEST(Spearman, IsOneForTheSameOrderAndMinusOneForTheReverse) {
    EXPECT_DOUBLE_EQ(*rank({{1, 10}, {2, 100}, {3, 1000}}), 1.0);
    EXPECT_DOUBLE_EQ(*rank({{1, 3}, {2, 2}, {3, 1}}), -1.0);
}

TEST(Spearman, FollowsTheTextbookWithoutTies) {
    // 1 - 6 sum(d^2) / (n (n^2 - 1)) with d = 1, 1, 0, 1, 1.
    EXPECT_NEAR(*rank({{1, 2}, {2, 1}, {3, 3}, {4, 5}, {5, 4}}), 1.0 - 6.0 * 4.0 / (5.0 * 24.0), 1e-12);
}

TEST(Spearman, LetsTiesShareTheirRank) {
    // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
    EXPECT_NEAR(*rank({{1, 1}, {2, 2}, {2, 3}, {4, 4}}), 4.5 / std::sqrt(4.5 * 5.0), 1e-12);
}

TEST(Spearman, SaysNothingAboutTooFewOrEqualValues) {
    EXPECT_FALSE(rank({{1, 1}, {2, 2}}));
    EXPECT_FALSE(rank({{1, 1}, {1, 2}, {1, 3}}));
}

} // namespace
} // namespace chokepoint::sim
