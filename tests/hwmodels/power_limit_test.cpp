// SPDX-License-Identifier: Apache-2.0
// The clock that a power limit leaves: against long loops of GEMMs, and as limits, clocks and formats change.
#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/fit.hpp>
#include <chokepoint/hwmodels/power_limit.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace chokepoint::hw {
namespace {

const std::filesystem::path kRoot = std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "hwmodels";

GpuSpec part(std::string_view id) {
    static const Catalog catalog = Catalog::load();
    return *catalog.find_gpu(id);
}

TEST(PowerLimit, ReproducesLongLoopsOfGemmsOnB200) {
    const MeasurementSet measured = read_measurements(kRoot / "measurements/published");
    const FitSet fits = read_fits(kRoot / "fits/blackwell.json");
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

TEST(PowerLimit, ATrainingStepLosesLessThanItsGemmsAlone) {
    for (const std::string_view id : {"a100-sxm", "h100-sxm", "h100-96g-500w", "b200-sxm", "gb300"}) {
        const double step = training_clock_slowdown(part(id), DType::bf16);
        EXPECT_GE(step, 1.0) << id;
        EXPECT_LT(step, gemm_loop_slowdown(part(id))) << id;
    }
}

TEST(PowerLimit, ALowerLimitCostsClockAndAHighEnoughOneNothing) {
    GpuSpec gpu = part("b200-sxm");
    double last = training_clock_slowdown(gpu, DType::bf16);
    for (const double watts : {900.0, 700.0, 500.0}) {
        gpu.tdp = Watts(watts);
        const double now = training_clock_slowdown(gpu, DType::bf16);
        EXPECT_GT(now, last) << watts;
        last = now;
    }
    gpu.tdp = Watts(3000.0);
    EXPECT_DOUBLE_EQ(training_clock_slowdown(gpu, DType::bf16), 1.0);
}

TEST(PowerLimit, NarrowerFormatsLeaveMoreClock) {
    const GpuSpec gpu = part("b200-sxm");
    EXPECT_GT(training_clock_slowdown(gpu, DType::bf16), training_clock_slowdown(gpu, DType::fp8));
    EXPECT_GT(training_clock_slowdown(gpu, DType::fp8), training_clock_slowdown(gpu, DType::fp4));
}

TEST(PowerLimit, HopperKeepsItsClockAtFullPowerAndLosesSomeAtHalf) {
    EXPECT_DOUBLE_EQ(training_clock_slowdown(part("h100-sxm"), DType::bf16), 1.0);
    EXPECT_GT(training_clock_slowdown(part("h100-96g-500w"), DType::bf16), 1.1);
}

TEST(PowerLimit, APartWithCappedArithmeticNeverMeetsIt) {
    EXPECT_DOUBLE_EQ(training_clock_slowdown(part("h20-sxm"), DType::bf16), 1.0);
}

TEST(PowerLimit, ArchitecturesWithoutALoopKeepTheirClock) {
    EXPECT_DOUBLE_EQ(training_clock_slowdown(part("mi300x"), DType::bf16), 1.0);
}

} // namespace
} // namespace chokepoint::hw
