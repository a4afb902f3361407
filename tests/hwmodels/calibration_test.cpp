// SPDX-License-Identifier: Apache-2.0
// How far the shipped curves are from the published kernels, with bounds that record today's state.
#include "shipped.hpp"

#include <chokepoint/hwmodels/fit.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>

namespace chokepoint::hw {
namespace {

using test::kHwmodels;

std::filesystem::path fit_file(std::string_view architecture) {
    return kHwmodels / "fits" / fmt::format("{}.json", architecture);
}

const MeasurementSet& measurements() {
    static const MeasurementSet set = read_measurements(kHwmodels / "measurements/published");
    return set;
}

const FitSet& fits() {
    static const FitSet set = read_fits(fit_file("hopper"));
    return set;
}

const MeasurementSeries& series(std::string_view id) {
    for (const MeasurementSeries& candidate : measurements().series) {
        if (candidate.id == id) {
            return candidate;
        }
    }
    throw std::runtime_error(fmt::format("no measurement series '{}'", id));
}

/// Mean absolute error and bias of the newest curves over the rows of training size.
struct Errors {
    double mean_absolute = 0.0;
    double bias = 0.0;
    int rows = 0;
};

Errors errors_of(const MeasurementSeries& measured, std::string_view vintage = {}) {
    Errors errors;
    for (const Measurement& row : measured.rows) {
        const Fit* fit = fits().find(row.op.kernel, row.op.dtype, row.op.scaling, vintage, measured.part.id);
        const bool gradient =
            row.op.kernel == KernelClass::gemm_wgrad || row.op.kernel == KernelClass::grouped_wgrad;
        if (fit == nullptr || (row.op.m > 0 && !gradient && row.op.m * row.op.groups < 2048)) {
            continue;
        }
        const Seconds time = predicted_time(*fit, fits().stream, measured, row);
        const double error = time / row.time - 1.0;
        errors.mean_absolute += std::abs(error);
        errors.bias += error;
        ++errors.rows;
    }
    errors.mean_absolute /= errors.rows;
    errors.bias /= errors.rows;
    return errors;
}

/// The file as read back: what it keeps of the fits.
FitSet as_shipped(const FitSet& fits) {
    const auto file = std::filesystem::path(testing::TempDir()) / (fits.architecture + "_again.json");
    std::ofstream(file) << to_json(fits);
    return read_fits(file);
}

/// UPDATE_FITS=1 writes the files anew after measurements or formulas have changed.
TEST(Calibration, ShippedFitsFollowFromShippedMeasurements) {
    for (const std::string_view architecture : fitted_architectures()) {
        const FitSet again = as_shipped(fit_all(measurements(), architecture));
        if (std::getenv("UPDATE_FITS") != nullptr) {
            std::ofstream(fit_file(architecture)) << to_json(again);
            continue;
        }
        const FitSet shipped = read_fits(fit_file(architecture));
        ASSERT_EQ(again.fits.size(), shipped.fits.size());
        for (std::size_t i = 0; i < again.fits.size(); ++i) {
            const Fit& now = again.fits[i];
            const Fit& then = shipped.fits[i];
            const std::string what = fmt::format("{} {} {} {}", architecture, name(now.kernel),
                                                 name(now.dtype), name(now.scaling));
            ASSERT_EQ(now.kernel, then.kernel) << what;
            for (std::size_t p = 0; p < now.parameters.size(); ++p) {
                EXPECT_NEAR(now.parameters[p] / then.parameters[p], 1.0, 1e-6)
                    << what << " " << parameter_names(now.form)[p];
            }
            EXPECT_NEAR(now.launch / then.launch, 1.0, 1e-6) << what;
            EXPECT_NEAR(now.side_bandwidth, then.side_bandwidth, 1e-6) << what;
            EXPECT_NEAR(now.sustained_loss, then.sustained_loss, 1e-6) << what;
            EXPECT_NEAR(now.training.factor, then.training.factor, 1e-6) << what;
            EXPECT_NEAR(now.cv_mape, then.cv_mape, 1e-3) << what; // folds are solved less sharply
            EXPECT_EQ(now.rows, then.rows) << what;
            EXPECT_EQ(now.corrected, then.corrected) << what;
            EXPECT_EQ(now.parts, then.parts) << what;
            EXPECT_EQ(now.data, then.data) << what;
        }
    }
}

struct RecordedScore {
    std::string_view id;
    double median; ///< of held-out rows
    double p90;
};

/// Families of n x k (or layers, or head counts) that no curve has seen. Bounds record today's state.
TEST(Calibration, HeldOutRowsOfTheOperatorTablesAreNoFurtherOffThanRecorded) {
    constexpr std::array recorded{
        RecordedScore{"trtllm-gemm-bf16-a100-sxm", 0.02, 0.20},
        RecordedScore{"trtllm-gemm-bf16-h100-sxm-holdout", 0.028, 0.075},
        RecordedScore{"trtllm-gemm-bf16-h200-sxm", 0.027, 0.10},
        RecordedScore{"trtllm-gemm-bf16-b200-sxm", 0.065, 0.13},
        RecordedScore{"trtllm-gemm-bf16-b300-sxm", 0.06, 0.13},
        RecordedScore{"trtllm-gemm-bf16-gb200", 0.062, 0.13},
        RecordedScore{"trtllm-gemm-fp8-per_tensor-h100-sxm", 0.02, 0.08},
        RecordedScore{"trtllm-gemm-fp8-per_tensor-h200-sxm", 0.02, 0.085},
        RecordedScore{"trtllm-gemm-fp8-per_tensor-b200-sxm", 0.045, 0.11},
        RecordedScore{"trtllm-gemm-fp8-per_tensor-b300-sxm", 0.05, 0.13},
        RecordedScore{"trtllm-gemm-fp8-per_tensor-gb200", 0.045, 0.13},
        RecordedScore{"trtllm-gemm-fp8-block_128-b200-sxm", 0.032, 0.08},
        RecordedScore{"trtllm-gemm-fp8-block_128-b300-sxm", 0.03, 0.08},
        RecordedScore{"trtllm-gemm-fp8-block_128-gb200", 0.03, 0.08},
        RecordedScore{"trtllm-gemm-fp4-nv_16-b200-sxm", 0.03, 0.115},
        RecordedScore{"trtllm-gemm-fp4-nv_16-b300-sxm", 0.045, 0.135},
        RecordedScore{"trtllm-gemm-fp4-nv_16-gb200", 0.04, 0.11},
        RecordedScore{"trtllm-attention-a100-sxm", 0.028, 0.06},
        RecordedScore{"trtllm-attention-b200-sxm", 0.025, 0.17},
        RecordedScore{"trtllm-moe-fp8-block_128-b200-sxm", 0.033, 0.055},
    };
    std::size_t met = 0;
    for (const std::string_view architecture : fitted_architectures()) {
        for (const SeriesScore& each : score(read_fits(fit_file(architecture)), measurements())) {
            fmt::print("{:<42} {:<7} {:>4} rows, median {:>5.1f}%, p90 {:>5.1f}%, bias {:>+6.1f}%\n", each.id,
                       each.holdout ? "holdout" : "", each.rows, 100 * each.median, 100 * each.p90,
                       100 * each.bias);
            const auto bound = std::ranges::find(recorded, each.id, &RecordedScore::id);
            if (each.holdout && each.use == MeasurementUse::fit) {
                ASSERT_NE(bound, recorded.end()) << each.id;
                EXPECT_LE(each.median, bound->median) << each.id;
                EXPECT_LE(each.p90, bound->p90) << each.id;
                ++met;
            }
        }
    }
    EXPECT_EQ(met, recorded.size());
}

struct RecordedError {
    KernelClass kernel;
    DType dtype;
    Scaling scaling;
    std::string_view vintage;
    double rms;      ///< log error of the curve alone on its own rows
    double held_out; ///< mean absolute error on n x k families it has not seen
};

TEST(Calibration, NoClassIsWorseThanRecorded) {
    constexpr auto fp8 = DType::fp8;
    constexpr auto bf16 = DType::bf16;
    constexpr auto block = Scaling::block_128;
    constexpr auto none = Scaling::none;
    constexpr std::array recorded{
        RecordedError{KernelClass::gemm, fp8, block, "", 0.076, 0.067},
        RecordedError{KernelClass::gemm, fp8, block, kTrainingVintage, 0.073, 0.042},
        RecordedError{KernelClass::gemm_wgrad, fp8, block, "", 0.040, 0.037},
        RecordedError{KernelClass::grouped_gemm, fp8, block, "", 0.033, 0.131},
        RecordedError{KernelClass::grouped_gemm, fp8, block, kTrainingVintage, 0.024, 0.069},
        RecordedError{KernelClass::grouped_wgrad, fp8, block, "", 0.050, 0.044},
        RecordedError{KernelClass::gemm, bf16, none, "", 0.050, 0.027},
        RecordedError{KernelClass::grouped_gemm, bf16, none, "", 0.038, 0.039},
        RecordedError{KernelClass::grouped_wgrad, bf16, none, "", 0.122, 0.111},
        RecordedError{KernelClass::attention_fwd, bf16, none, "", 0.056, 0.082},
        RecordedError{KernelClass::attention_bwd, bf16, none, "", 0.024, 0.067},
    };
    fmt::print("{:<14} {:<5} {:<11} {:>5} {:>7} {:>9} {:>9}\n", "class", "dtype", "vintage", "rows", "rms",
               "held out", "training");
    for (const RecordedError& bound : recorded) {
        const Fit* fit = fits().find(bound.kernel, bound.dtype, bound.scaling, bound.vintage);
        ASSERT_NE(fit, nullptr) << name(bound.kernel);
        fmt::print("{:<14} {:<5} {:<11} {:>5} {:>6.1f}% {:>8.1f}% {:>9.3f}\n", name(fit->kernel),
                   name(fit->dtype), fit->vintage, fit->rows, 100 * fit->rms_log_error, 100 * fit->cv_mape,
                   fit->training.factor);
        EXPECT_LE(fit->rms_log_error, bound.rms) << name(fit->kernel);
        EXPECT_LE(fit->cv_mape, bound.held_out) << name(fit->kernel);
    }
}

struct RecordedSeries {
    std::string_view id;
    double mean_absolute;
    std::string_view vintage = {};
};

TEST(Calibration, NoPublishedSeriesIsFurtherOffThanRecorded) {
    constexpr std::array recorded{
        RecordedSeries{"deepgemm-infersim-h800", 0.035},
        RecordedSeries{"deepgemm-readme-2025-03-25", 0.09}, // older than the curve: 9% slower
        RecordedSeries{"deepgemm-readme-2025-02-25", 0.07, kTrainingVintage},
        RecordedSeries{"deepgemm-wgrad-pr95", 0.035},
        RecordedSeries{"deepgemm-grouped-infersim-h800", 0.03},
        RecordedSeries{"deepgemm-grouped-readme-2025-02-25", 0.025, kTrainingVintage},
        RecordedSeries{"deepgemm-grouped-wgrad-pr95", 0.037},
        RecordedSeries{"cublas-bf16-h100", 0.015},
        RecordedSeries{"fa3-mla-infersim-h800", 0.01},
        RecordedSeries{"fa3-paper-fwd-hd128-causal", 0.08}, // the paper's release was 6% faster
        RecordedSeries{"fa3-paper-bwd-hd128-full", 0.025},
    };
    for (const RecordedSeries& bound : recorded) {
        const Errors errors = errors_of(series(bound.id), bound.vintage);
        fmt::print("{:<36} {:>4} rows {:>6.1f}% mean absolute {:>+7.1f}% bias\n", bound.id, errors.rows,
                   100 * errors.mean_absolute, 100 * errors.bias);
        EXPECT_LE(errors.mean_absolute, bound.mean_absolute) << bound.id;
    }
}

/// One efficiency for every chip would be wrong by 1.38x here: H20 reaches 88% of its FP8 peak where H800
/// reaches 64%.
TEST(Calibration, EfficiencyMovesToAPartItHasNotSeen) {
    const Errors dense = errors_of(series("deepgemm-infersim-h20"));
    const Errors grouped = errors_of(series("deepgemm-grouped-infersim-h20"));
    fmt::print("H20 from H800's curves: dense {:.1f}% of {} rows, grouped {:.1f}% of {}\n",
               100 * dense.mean_absolute, dense.rows, 100 * grouped.mean_absolute, grouped.rows);
    EXPECT_LT(dense.mean_absolute, 0.085);
    EXPECT_LT(grouped.mean_absolute, 0.15);
}

/// Sums over the trace's kernels of one class, as the model that knows of training gives them.
TEST(Calibration, TrainingKernelsAddUpToTheTrace) {
    CalibrationOptions options;
    options.fits = kHwmodels / "fits";
    for (const bool in_training : {true, false}) {
        options.in_training = in_training;
        Seconds all_model;
        Seconds all_measured;
        for (const MeasurementSeries& measured : measurements().series) {
            if (measured.use != MeasurementUse::training) {
                continue;
            }
            const auto model = make_calibrated_model(measured.part, options);
            Seconds sum_model;
            Seconds sum_measured;
            for (const Measurement& row : measured.rows) {
                sum_model += model->estimate(row.op, {measured.sms_held, true}).time - fits().stream.gap;
                sum_measured += row.time;
            }
            fmt::print("{:<26} {:<9} {:>9.1f} us, trace {:>9.1f} us: {:+.1f}%\n", measured.id,
                       in_training ? "training" : "benchmark", sum_model.value() * 1e6,
                       sum_measured.value() * 1e6, 100 * (sum_model / sum_measured - 1.0));
            EXPECT_NEAR(sum_model / sum_measured, 1.0, in_training ? 0.015 : 0.13) << measured.id;
            all_model += sum_model;
            all_measured += sum_measured;
        }
        // Benchmarks of the time, without any figure of the training run, come as near as this.
        EXPECT_NEAR(all_model / all_measured, 1.0, in_training ? 0.01 : 0.04);
    }
}

/// The training run's own kernels of a memory-bound class, where a library has others.
const Fit* trace_fit(KernelClass kernel) {
    const Fit* own = fits().find(kernel, DType::bf16, Scaling::none, kTrainingVintage);
    return own != nullptr ? own : fits().find(kernel, DType::bf16, Scaling::none);
}

TEST(Calibration, MemoryBoundClassesAddUpToTheTrace) {
    const MeasurementSeries& trace = series("v3-trace-memory-bound");
    std::map<KernelClass, std::pair<Seconds, Seconds>> sums;
    for (const Measurement& row : trace.rows) {
        const Fit* fit = trace_fit(row.op.kernel);
        ASSERT_NE(fit, nullptr) << name(row.op.kernel);
        auto& [model, measured] = sums[row.op.kernel];
        model += row.op.launches * fit->launch +
                 curve_time(*fit, fits().stream, trace.part, row.op, trace.sms_held, row.beside);
        measured += row.time;
    }
    for (const auto& [kernel, pair] : sums) {
        const Fit* fit = trace_fit(kernel);
        fmt::print("{:<18} {:>7.1f} us of {:>7.1f} us, {:>4.1f}% of the bandwidth, spread {:.2f}\n",
                   name(kernel), pair.first.value() * 1e6, pair.second.value() * 1e6,
                   100 * fit->parameters[0], fit->rms_log_error);
        EXPECT_NEAR(pair.first / pair.second, 1.0, 1e-6) << name(kernel);
        EXPECT_LT(fit->parameters[0], 1.0) << name(kernel);
    }
}

TEST(Measurements, EverySeriesNamesItsSourceAndLicence) {
    for (const MeasurementSeries& each : measurements().series) {
        EXPECT_FALSE(each.source.empty()) << each.id;
        EXPECT_FALSE(each.licence.empty()) << each.id;
        EXPECT_FALSE(each.software.empty()) << each.id;
        EXPECT_FALSE(each.rows.empty()) << each.id;
    }
}

TEST(Measurements, PartsHaveTheCatalogsFigures) {
    const Catalog catalog = Catalog::load();
    int compared = 0;
    for (const MeasurementSeries& each : measurements().series) {
        const GpuSpec* part = catalog.find_gpu(each.part.id);
        if (part == nullptr) {
            continue; // a part that only a source describes
        }
        ++compared;
        EXPECT_EQ(part->sm_count, each.part.sm_count) << each.id;
        EXPECT_NEAR(part->memory_bandwidth / each.part.memory_bandwidth, 1.0, 0.005) << each.id;
        for (const auto& [dtype, peak] : each.part.dense_peak) {
            EXPECT_NEAR(part->peak(dtype) / peak, 1.0, 0.005) << each.id << " " << name(dtype);
        }
    }
    EXPECT_GT(compared, 0);
}

} // namespace
} // namespace chokepoint::hw
