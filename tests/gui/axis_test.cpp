// SPDX-License-Identifier: GPL-3.0-or-later
// Axes hold their data and carry ticks that can be read.
#include <charts/axis.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace chokepoint::gui {

using testing::ElementsAre;

namespace {

std::vector<std::string> labels(const Scale& scale) {
    std::vector<std::string> list;
    for (const Tick& tick : scale.ticks()) {
        list.push_back(tick.label);
    }
    return list;
}

double any_value(int exponent) { return std::pow(10.0, *rc::gen::inRange(-exponent, exponent) / 7.0); }

} // namespace

TEST(LinearTicks, AreOneTwoOrFiveApart) {
    EXPECT_THAT(linear_ticks(0.0, 10.0, 6), ElementsAre(0, 2, 4, 6, 8, 10));
    EXPECT_THAT(linear_ticks(-1.0, 1.0, 5), ElementsAre(-1, -0.5, 0, 0.5, 1));
    EXPECT_THAT(linear_ticks(0.0, 74.0, 7), ElementsAre(0, 20, 40, 60));
}

// Qt labels 50 to 900 with "100" alone.
TEST(LogTicks, FillARangeOfLittleMoreThanADecade) {
    EXPECT_THAT(log_ticks(50.0, 900.0), ElementsAre(50, 100, 200, 500));
    EXPECT_THAT(log_ticks(1.0, 1e6), ElementsAre(1, 10, 100, 1000, 1e4, 1e5, 1e6));
}

RC_GTEST_PROP(Scale, HoldsItsDataAndHasTicksWithinItsEnds, ()) {
    const bool log = *rc::gen::arbitrary<bool>();
    std::vector<double> values;
    for (int i = *rc::gen::inRange(1, 20); i > 0; --i) {
        values.push_back(any_value(60) * (log || *rc::gen::arbitrary<bool>() ? 1.0 : -1.0));
    }
    const Scale scale({.log = log}, values);
    RC_ASSERT(scale.from() < scale.to());
    for (const double value : values) {
        RC_ASSERT(scale.from() <= scale.position(value) && scale.position(value) <= scale.to());
    }
    RC_ASSERT(scale.ticks().size() >= 2U && scale.ticks().size() <= 24U);
    const double slack = 1e-6 * (scale.to() - scale.from());
    double before = scale.from() - 2.0 * slack;
    for (const Tick& tick : scale.ticks()) {
        RC_ASSERT(tick.at > before && tick.at <= scale.to() + slack);
        before = tick.at;
    }
}

TEST(Scale, KeepsItsOwnRangeAndTicks) {
    const Scale scale({.from = 2.0, .to = 4.0, .ticks = {1.0, 2.0, 3.5, 9.0}}, std::vector{0.0, 100.0});
    EXPECT_EQ(scale.from(), 2.0);
    EXPECT_EQ(scale.to(), 4.0);
    EXPECT_THAT(labels(scale), ElementsAre("2", "3.5"));
}

TEST(NumberText, GroupsThousandsAndKeepsSmallNumbersShort) {
    EXPECT_EQ(number_text(1500.0), "1,500");
    EXPECT_EQ(number_text(1234567.0), "1,234,567");
    EXPECT_EQ(number_text(0.05), "0.05");
    EXPECT_EQ(number_text(0.1 + 0.2), "0.3");
    EXPECT_EQ(number_text(2e-6), "2e-06");
}

} // namespace chokepoint::gui
