// SPDX-License-Identifier: Apache-2.0
// The fitting itself: it finds a curve that made the data, shrugs off an outlier, and reads what it wrote.
#include "shipped.hpp"

#include <chokepoint/hwmodels/fit.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace chokepoint::hw {
namespace {

using namespace literals;
using test::kHwmodels;

const FitSet& shipped_fits() {
    static const FitSet fits = read_fits(kHwmodels / "fits/hopper.json");
    return fits;
}

const MeasurementSet& shipped_measurements() {
    static const MeasurementSet set = read_measurements(kHwmodels / "measurements/published");
    return set;
}

/// The measured shapes with the times that the shipped curves give them, without what single rows add.
MeasurementSet made_of_curves() {
    MeasurementSet set = shipped_measurements();
    for (MeasurementSeries& series : set.series) {
        for (Measurement& row : series.rows) {
            const bool old = series.vintage == kTrainingVintage && series.use == MeasurementUse::fit;
            const Fit* found =
                shipped_fits().find(row.op.kernel, row.op.dtype, row.op.scaling,
                                    old ? kTrainingVintage : std::string_view{}, series.part.id);
            if (found == nullptr || found->form == CurveForm::streaming ||
                series.part.architecture != shipped_fits().architecture) {
                continue;
            }
            Fit fit = *found;
            fit.corrected = false;
            row.time = predicted_time(fit, set.stream, series, row);
        }
    }
    return set;
}

Seconds plain_time(const FitSet& fits, const Operator& op) {
    Fit fit = *fits.find(op.kernel, op.dtype, op.scaling);
    fit.corrected = false;
    return fit.launch + curve_time(fit, fits.stream, shipped_measurements().series.front().part, op, 0, 0.0);
}

std::vector<Operator> probes() {
    return {gemm("", KernelClass::gemm, DType::fp8, Scaling::block_128, 4096, 7168, 16384),
            gemm("", KernelClass::gemm, DType::fp8, Scaling::block_128, 8192, 24576, 1536),
            gemm("", KernelClass::grouped_gemm, DType::fp8, Scaling::block_128, 8192, 4096, 7168, 4),
            gemm("", KernelClass::gemm, DType::bf16, Scaling::none, 4096, 7168, 7168),
            gemm("", KernelClass::gemm, DType::fp8, Scaling::per_tensor, 4096, 7168, 7168),
            attention("", KernelClass::attention_fwd, 1, 4096, 128, 128, 192, 128)};
}

TEST(Fit, FindsTheCurveThatMadeTheData) {
    const FitSet again = fit_all(made_of_curves(), "hopper");
    for (const Operator& op : probes()) {
        EXPECT_NEAR(plain_time(again, op) / plain_time(shipped_fits(), op), 1.0, 0.01) << name(op.kernel);
    }
    EXPECT_LT(again.find(KernelClass::gemm, DType::bf16, Scaling::none)->rms_log_error, 0.005);
}

TEST(Fit, OneWildRowHardlyMovesTheCurve) {
    MeasurementSet spoiled = shipped_measurements();
    const auto series = std::ranges::find(spoiled.series, "deepgemm-infersim-h800", &MeasurementSeries::id);
    ASSERT_NE(series, spoiled.series.end());
    const auto row = std::ranges::find_if(series->rows, [](const Measurement& m) { return m.op.m == 8192; });
    row->time *= 5.0;
    const FitSet fits = fit_all(spoiled, "hopper");
    const Operator op = probes()[1];
    EXPECT_NEAR(plain_time(fits, op) / plain_time(shipped_fits(), op), 1.0, 0.02);
}

/// cuBLAS on A100 takes tiles of 256 x 128 in whole waves over 108 SMs: products of 128 and of 160 tiles take
/// the same two, 216 fill them, and 217 need a third.
TEST(Fit, AmpereCountsWholeWavesOfLargeTiles) {
    const FitSet fits = read_fits(kHwmodels / "fits/ampere.json");
    const auto part =
        std::ranges::find(shipped_measurements().series, "trtllm-gemm-bf16-a100-sxm", &MeasurementSeries::id);
    ASSERT_NE(part, shipped_measurements().series.end());
    const auto time = [&](std::int64_t m, std::int64_t n) {
        Fit fit = *fits.find(KernelClass::gemm, DType::bf16, Scaling::none);
        fit.corrected = false;
        const Operator op = gemm("", KernelClass::gemm, DType::bf16, Scaling::none, m, n, 4096);
        return curve_time(fit, fits.stream, part->part, op, 0, 0.0);
    };
    EXPECT_NEAR(time(1024, 5120) / time(1024, 4096), 1.0, 0.05) << "160 tiles against 128";
    EXPECT_GT(time(256, 128 * 217) / time(256, 128 * 216), 1.2) << "a third wave for one tile";
}

TEST(Fit, SaysWhichClassLacksMeasurements) {
    MeasurementSet set;
    EXPECT_THAT([&] { return fit_all(set, "hopper"); },
                testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("gemm fp8")));
}

/// Rows of one series whose times are all scaled.
MeasurementSet only(const std::string& id, double times) {
    const MeasurementSet& all = shipped_measurements();
    MeasurementSet set;
    set.series = {*std::ranges::find(all.series, id, &MeasurementSeries::id)};
    for (Measurement& row : set.series.front().rows) {
        row.time *= times;
    }
    return set;
}

TEST(Fit, MeasurementsOfOneClassLeaveTheOthersAsTheyWere) {
    const FitSet fits = fit_all(only("cublas-bf16-h100", 2.0), "hopper", &shipped_fits());
    ASSERT_EQ(fits.fits.size(), shipped_fits().fits.size());
    for (const Operator& op : probes()) {
        const double expected = op.kernel == KernelClass::gemm && op.dtype == DType::bf16 ? 2.0 : 1.0;
        EXPECT_NEAR(plain_time(fits, op) / plain_time(shipped_fits(), op), expected,
                    0.06 * (expected - 1.0) + 1e-9)
            << name(op.kernel) << " " << name(op.dtype) << " " << name(op.scaling);
    }
    EXPECT_EQ(fits.stream, shipped_fits().stream);
}

TEST(Fit, HeldOutRowsHaveNoSay) {
    MeasurementSet set = only("trtllm-gemm-fp8-per_tensor-h100-sxm", 1.0);
    const FitSet before = fit_all(set, "hopper", &shipped_fits());
    for (Measurement& row : set.series.front().rows) {
        row.time *= row.holdout ? 3.0 : 1.0;
    }
    EXPECT_EQ(fit_all(set, "hopper", &shipped_fits()), before);
}

/// Short launches run at the burst clock, long ones at the clock that the power limit leaves.
TEST(Fit, OnlyLongLaunchesFeelThePowerLimit) {
    const Fit& fit = *shipped_fits().find(KernelClass::gemm, DType::bf16, Scaling::none);
    ASSERT_GT(fit.sustained_loss, 0.0);
    EXPECT_NEAR(benchmark_slowdown(fit, 0.1_ms), 1.0, 1e-3);
    EXPECT_NEAR(benchmark_slowdown(fit, 100_ms), 1.0 + fit.sustained_loss, 1e-3);
}

std::filesystem::path written(const std::string& file, const std::string& text) {
    const auto path = std::filesystem::path(testing::TempDir()) / file;
    std::ofstream(path) << text;
    return path;
}

TEST(FitFile, ReadsWhatItWrote) {
    const FitSet back = read_fits(written("round_trip.json", to_json(shipped_fits())));
    EXPECT_EQ(back, shipped_fits());
    EXPECT_EQ(to_json(back), to_json(shipped_fits()));
}

TEST(FitFile, NamesTheFileAndTheFault) {
    const auto message = [](const std::string& part) {
        return testing::ThrowsMessage<std::runtime_error>(
            testing::AllOf(testing::HasSubstr("fault.json"), testing::HasSubstr(part)));
    };
    EXPECT_THAT([] { return read_fits(std::filesystem::path("no") / "fault.json"); }, message("opened"));
    EXPECT_THAT([] { return read_fits(written("fault.json", "")); }, message("parse error"));
    EXPECT_THAT([] { return read_fits(written("fault.json", R"({"schema": "x/1"})")); }, message("x/1"));
    EXPECT_THAT([] { return read_fits(written("fault.json", R"({"schema": "chokepoint/fits/1"})")); },
                message("architecture"));
}

TEST(MeasurementFile, ReadsWhatABenchmarkTimedAsOne) {
    const auto file = written("ffn.json", R"({"schema": "chokepoint/measurements/1", "series": [{"id": "ffn",
        "use": "fit", "kernel": "grouped_gemm", "dtype": "bf16", "scaling": "none", "software": "s", "vintage": "v",
        "source": "s", "licence": "l", "part": {"id": "p", "architecture": "hopper", "sm_count": 132,
        "bf16_tflops": 989, "fp8_tflops": 0, "fp32_tflops": 1, "memory_gbps": 1},
        "columns": ["m", "n", "k", "groups", "n2", "k2", "side_mb", "split", "us"],
        "rows": [[256, 1024, 2048, 8, 2048, 512, 12.5, "holdout", 100]]}]})");
    const Measurement row = read_measurements(std::vector{file}).series.front().rows.front();
    EXPECT_TRUE(row.holdout);
    EXPECT_EQ(row.side, Bytes(12.5e6));
    ASSERT_EQ(row.then.size(), 1U);
    EXPECT_EQ(row.then.front(),
              gemm("", KernelClass::grouped_gemm, DType::bf16, Scaling::none, 256, 2048, 512, 8));
}

std::string nested_messages(const std::exception& error) {
    std::string text = error.what();
    try {
        std::rethrow_if_nested(error);
    } catch (const std::exception& inner) {
        text += ": " + nested_messages(inner);
    }
    return text;
}

std::string reading_fault(const std::string& name, const std::string& columns, const std::string& row) {
    const auto folder = std::filesystem::path(testing::TempDir()) / name;
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "rows.json")
        << R"({"schema": "chokepoint/measurements/1", "series": [{"id": "mine", "use": "fit", "kernel": "gemm",)"
        << R"("dtype": "fp8", "scaling": "block_128", "software": "s", "vintage": "v", "source": "s",)"
        << R"("licence": "l", "part": {"id": "p", "architecture": "hopper", "sm_count": 132, "bf16_tflops": 1,)"
        << R"("fp8_tflops": 2, "fp32_tflops": 1, "memory_gbps": 1}, "columns": )" << columns
        << R"(, "rows": [)" << row << "]}]}";
    try {
        read_measurements(folder);
    } catch (const std::exception& error) {
        return nested_messages(error);
    }
    return "";
}

TEST(MeasurementFile, NamesFileSeriesAndRowOfAFault) {
    const std::string columns = R"(["m", "n", "k", "us"])";
    EXPECT_EQ(reading_fault("good", columns, "[1, 1, 1, 2.5]"), "");
    EXPECT_THAT(reading_fault("short", columns, "[1, 1, 1, 1], [1, 1, 1]"),
                testing::AllOf(testing::HasSubstr("rows.json"), testing::HasSubstr("mine row 2"),
                               testing::HasSubstr("3 cells for 4 columns")));
    EXPECT_THAT(reading_fault("zero", columns, "[1, 1, 1, 0.0]"), testing::HasSubstr("not positive"));
    EXPECT_THAT(reading_fault("missing", R"(["m", "n", "us"])", "[1, 1, 1]"),
                testing::HasSubstr("no column 'k'"));
    EXPECT_THAT(reading_fault("untimed", R"(["m", "n", "k"])", "[1, 1, 1]"),
                testing::HasSubstr("no time; expected a column 'us' or 'tflops'"));
    EXPECT_THAT(reading_fault("text", columns, R"(["1", 1, 1, 2.5])"), testing::HasSubstr("m is \"1\""));
    // 2,000 FLOP in 0.1 us are 20 GFLOPS, in 0.1 ns 20 TFLOPS: ten times the part's.
    EXPECT_EQ(reading_fault("fast", columns, "[10, 10, 10, 0.1]"), "");
    EXPECT_THAT(reading_fault("milliseconds", columns, "[10, 10, 10, 0.0001], [10, 10, 10, 0]"),
                testing::AllOf(testing::HasSubstr("mine row 1: 20 TFLOPS is more than the part's 2 TFLOPS"),
                               testing::HasSubstr("mine row 2")))
        << "every faulty row";
}

} // namespace
} // namespace chokepoint::hw
