// SPDX-License-Identifier: Apache-2.0
// The clock that a power limit leaves: against long loops of GEMMs, and as limits, clocks and formats change.
#include "shipped.hpp"

#include <chokepoint/hwmodels/fit.hpp>
#include <chokepoint/hwmodels/power_limit.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace chokepoint::hw {
namespace {

using test::kHwmodels;
using test::part;

TEST(PowerLimit, TakesTheSameShareOfEveryLongGemmOfANode) {
    const MeasurementSet measured = read_measurements(kHwmodels / "measurements/published");
    const FitSet fits = read_fits(kHwmodels / "fits/blackwell.json");
    std::vector<double> errors;
    for (const MeasurementSeries& series : measured.series) {
        if (!series.id.starts_with("te-gemm-loop")) {
            continue;
        }
        for (const Measurement& row : series.rows) {
            const Fit& fit = *fits.find(KernelClass::gemm, DType::bf16, Scaling::none, {}, series.part.id);
            errors.push_back(predicted_time(fit, fits.stream, series, row) / row.time - 1.0);
        }
    }
    ASSERT_GT(errors.size(), 100U);
    std::ranges::sort(errors);
    EXPECT_NEAR(errors[errors.size() / 2], 0.0, 0.03);
    EXPECT_GT(errors[errors.size() / 10], -0.08);
    EXPECT_LT(errors[errors.size() * 9 / 10], 0.08);
}

TEST(PowerLimit, ATrainingStepLosesNoMoreThanItsGemmsAlone) {
    for (const std::string_view id : {"a100-sxm", "h100-sxm", "h100-96g-500w", "b200-sxm", "gb300"}) {
        const double step = training_clock_slowdown(part(id), {});
        EXPECT_GE(step, 1.0) << id;
        EXPECT_LE(step, gemm_loop_slowdown(part(id))) << id;
        EXPECT_DOUBLE_EQ(training_clock_slowdown(part(id), {.gemm = 1.0, .attention = 0.0}),
                         gemm_loop_slowdown(part(id)))
            << id;
    }
}

TEST(PowerLimit, ALowerLimitCostsClockAndAHighEnoughOneNothing) {
    GpuSpec gpu = part("b200-sxm");
    double last = training_clock_slowdown(gpu, {});
    for (const double watts : {900.0, 700.0, 500.0}) {
        gpu.tdp = Watts(watts);
        const double now = training_clock_slowdown(gpu, {});
        EXPECT_GT(now, last) << watts;
        last = now;
    }
    gpu.tdp = Watts(3000.0);
    EXPECT_DOUBLE_EQ(training_clock_slowdown(gpu, {}), 1.0);
}

TEST(PowerLimit, LessTimeInGemmsLeavesMoreClock) {
    const GpuSpec gpu = part("b200-sxm");
    double last = gemm_loop_slowdown(gpu);
    for (const double share : {0.8, 0.6, 0.4}) {
        const double now = training_clock_slowdown(gpu, {.gemm = share, .attention = 0.1});
        EXPECT_LT(now, last) << share;
        last = now;
    }
    EXPECT_DOUBLE_EQ(training_clock_slowdown(gpu, {.gemm = 0.0, .attention = 0.0}), 1.0);
}

TEST(PowerLimit, OfHopperAtHalfPowerIsWhatWasMeasuredThere) {
    // Three products of a linear map, 16384 x 8192 x 7168, take 9.87 ms one after the other on an H100 of 500
    // W (pytorch/ao, pull request 2185, ffn.w13; the limit: triton-lang/triton, issue 2513): 585 TFLOPS. The
    // operator tables have 780 for such shapes at full clock.
    EXPECT_NEAR(gemm_loop_slowdown(part("h100-96g-500w")), 780.0 / 585.0, 0.05);
}

TEST(PowerLimit, APartWithCappedArithmeticNeverMeetsIt) {
    EXPECT_DOUBLE_EQ(gemm_loop_slowdown(part("h20-sxm")), 1.0);
}

TEST(PowerLimit, ArchitecturesWithoutALoopKeepTheirClock) {
    EXPECT_DOUBLE_EQ(gemm_loop_slowdown(part("mi300x")), 1.0);
}

} // namespace

/// Large GEMMs lose what they were seen to lose, kernels that wait for memory nothing, others in between.
TEST(PowerLimit, AKernelThatIdlesTheTensorCoresLosesLessClock) {
    constexpr double kLarge = 1.45;
    EXPECT_DOUBLE_EQ(loop_slowdown(kLarge, 0.75, 0.2), kLarge);
    EXPECT_DOUBLE_EQ(loop_slowdown(kLarge, 0.1, 1.0), 1.0);
    double last = 1.0;
    for (double share = 0.0; share < 0.8; share += 0.05) {
        const double now = loop_slowdown(kLarge, share, 0.3);
        EXPECT_GE(now, last);
        EXPECT_LE(now, kLarge);
        EXPECT_GE(loop_slowdown(kLarge, share, 0.6), now) << "memory draws power too";
        last = now;
    }
    EXPECT_DOUBLE_EQ(last, kLarge);
    EXPECT_DOUBLE_EQ(loop_slowdown(1.0, 0.8, 0.8), 1.0) << "a part whose limit never acts";
}

} // namespace chokepoint::hw
