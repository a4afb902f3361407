// SPDX-License-Identifier: GPL-3.0-or-later
// The roofline and the residuals of measured kernels.
#include <app/contract.hpp>
#include <app/kernel_charts.hpp>

#include "cli/run_cli.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace chokepoint::gui {

namespace {

/// 1 TFLOP/s and 1 GB/s, so that the roof's corner is at 1000 FLOP/B.
KernelGroup group() {
    return {
        "part", "gemm",
        "bf16", 1e12,
        1e9,    {{"a", true, false, {{1e9, 1e7, 2e-2, 2e-2}}}, {"b", false, true, {{1e12, 1e8, 2.0, 1.0}}}}};
}

const Series& named(const Chart& chart, const std::string& name) {
    return *std::ranges::find(chart.series, name, &Series::name);
}

} // namespace

TEST(Roofline, IsTheLesserOfMemoryAndArithmeticWithTheCornerBetween) {
    const Chart chart = roofline_chart(group());
    const Series& roof = named(chart, "roof of the part");
    ASSERT_EQ(roof.points.size(), 3U);
    EXPECT_TRUE(roof.joined);
    EXPECT_EQ(roof.points[0], (Point{100.0, 0.1}));
    EXPECT_EQ(roof.points[1], (Point{1000.0, 1.0}));
    EXPECT_EQ(roof.points[2], (Point{10'000.0, 1.0}));
    EXPECT_EQ(named(chart, "kept from the fit").points.front(), (Point{10'000.0, 0.5}));
    EXPECT_EQ(named(chart, "the fit").points.back(), (Point{10'000.0, 1.0}));
}

TEST(Roofline, HasNoRoofWhereThePartsBandwidthIsUnknown) {
    KernelGroup unknown = group();
    unknown.memory_bytes_per_second.reset();
    EXPECT_EQ(roofline_chart(unknown).series.size(), roofline_chart(group()).series.size() - 1);
}

TEST(Residuals, AreZeroForAFitThatIsRight) {
    const Chart chart = residual_chart(group());
    EXPECT_EQ(named(chart, "fitted").points.front(), (Point{2e4, 0.0}));
    EXPECT_EQ(named(chart, "kept from the fit").points.front(), (Point{2e6, -50.0}));
}

TEST(KernelGroups, HoldEveryRowOfTheCommandLine) {
    const test::CliResult answer =
        test::run_cli({"calibrate", "hwmodels/measurements/published/gemm_bf16.json", "--holdout", "--points",
                       "--json", "-"});
    ASSERT_EQ(answer.exit_code, 0) << answer.err;
    const auto groups =
        kernel_groups(parse_answer(QByteArray::fromStdString(answer.out), "chokepoint/calibrate/1"));
    ASSERT_FALSE(groups.empty());
    std::size_t rows = 0;
    for (const KernelGroup& one : groups) {
        EXPECT_EQ(one.kernel, "gemm");
        EXPECT_TRUE(one.peak_flops_per_second.has_value()) << one.label().toStdString();
        rows += one.rows();
    }
    std::size_t points = 0;
    for (std::size_t at = 0; (at = answer.out.find("\"measured_seconds\"", at)) != std::string::npos; ++at) {
        ++points;
    }
    EXPECT_EQ(rows, points);
}

} // namespace chokepoint::gui
