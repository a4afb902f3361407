// SPDX-License-Identifier: GPL-3.0-or-later
// Stands in for the tests of charts where they are not built, so that a test run says what it left out.
#include "cli/run_cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

TEST(Charts, AreDrawn) {
    GTEST_SKIP() << "charts are not checked: Qt 6 (Widgets, Charts, Svg) was not found, so gui/ is not built";
}

TEST(Charts, AreRefusedWithAReasonWhereThePlotterIsNotBuilt) {
    const auto result =
        chokepoint::test::run_cli({"schedule", "1f1b", "--pp", "2", "--micro-batches", "3", "--svg", "-"});
    if (result.exit_code == 0) {
        GTEST_SKIP() << "a chokepoint-plot is in PATH";
    }
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, testing::HasSubstr("--svg and --png need chokepoint-plot"));
}
