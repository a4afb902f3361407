// SPDX-License-Identifier: Apache-2.0
// Kernel times from fitted curves, moved to a part by its own peaks, SMs and bandwidth.
#include "curve_finder.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/cost_model.hpp>
#include <chokepoint/hwmodels/fit.hpp>

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace chokepoint::hw {
namespace {

// Log spreads added where a curve is used outside what it was fitted on, from data held out:
constexpr double kBorrowedCurve = 0.15;        // a class or format that takes another's is off by about this
constexpr double kOtherPart = 0.10;            // DeepGEMM on H20 from H800's curve: 8% dense, 14% grouped
constexpr double kBorrowedArchitecture = 0.25; // a judgement
constexpr double kOutsideHull = 1.5;           // times the cross-validated error

/// What a continuous load leaves of a part's clock is an estimate, good to this share of the loss.
constexpr double kClockSigma = 0.5;

/// A mean absolute error as a standard deviation, if errors are normal.
constexpr double kDeviation = 1.2533;

/// cuBLAS takes 1.1 to 1.2 times as long without fast accumulation on H100, where the curves are of products
/// with it (pytorch/ao, issue 2377; TensorRT-LLM's cublas_scaled_mm). The sums move through the vector units:
/// a part whose tensor cores are slower beside these loses less.
constexpr std::string_view kPromotes = "hopper";
constexpr double kPromotion = 0.15;
constexpr double kPromotionSigma = 0.04;
constexpr double kTensorOverVector = 1979.0 / 67.0; // H100's peaks, FP8 and FP32

double promotion(const GpuSpec& part, const Operator& op) {
    if (!op.promoted || part.architecture != kPromotes) {
        return 0.0;
    }
    const auto fp8 = part.dense_peak.find(DType::fp8);
    const auto fp32 = part.dense_peak.find(DType::fp32);
    const bool known = fp8 != part.dense_peak.end() && fp32 != part.dense_peak.end();
    return kPromotion * (known ? fp8->second / fp32->second / kTensorOverVector : 1.0);
}

/// How far the figure's ratios of FlashAttention's first release, and of Triton's, to the second's lie around
/// their mean over head dimensions and lengths (arXiv 2307.08691, figure 4).
constexpr double kAttentionRatioSigma = 0.15;

/// As measurement files call a library of which only a ratio to another one's time is known; empty: it has
/// curves.
constexpr std::string_view known_by_ratio(KernelLibrary library) {
    switch (library) {
    case KernelLibrary::flash_attention_1:
        return "flash-attention-1";
    case KernelLibrary::flash_attention_triton:
        return "flash-attention-triton";
    case KernelLibrary::usual:
    case KernelLibrary::flash_attention_2:
    case KernelLibrary::pytorch:
    case KernelLibrary::deepseek:
        break;
    }
    return {};
}

double squared(double x) { return x * x; }

/// Of the log error of a curve where it is used: its own, and what each step away from what was measured
/// adds.
double curve_variance(const FoundCurve& curve, bool outside) {
    const Fit& fit = *curve.fit;
    const double held_out = kDeviation * fit.cv_mape;
    double variance = squared(outside ? kOutsideHull * held_out : fit.rms_log_error);
    variance += curve.borrowed ? squared(kBorrowedCurve) : 0.0;
    variance += curve.foreign ? squared(kBorrowedArchitecture) : 0.0;
    variance += curve.other_part && !curve.foreign ? squared(kOtherPart) : 0.0;
    return variance;
}

class CalibratedModel final : public CostModel {
public:
    CalibratedModel(CurveFinder curves, const CalibrationOptions& options)
        : curves_(std::move(curves)),
          options_(options),
          limited_(gemm_loop_slowdown(curves_.part()) > 1.0) {
        settle(options.mix);
    }

    /// Lets the clock go to where the power limit meets what this mix draws.
    void settle(const KernelMix& mix) {
        training_clock_ = training_clock_slowdown(curves_.part(), mix);
        clock_distance_ =
            std::max(training_clock_ - 1.0, gemm_loop_slowdown(curves_.part()) - training_clock_);
    }

    [[nodiscard]] Estimate estimate(const Operator& op, const Occupancy& occupancy) const override {
        // One expert's product is a plain one.
        const KernelClass kernel = op.groups == 1 ? ungrouped(op.kernel) : op.kernel;
        const FoundCurve curve =
            curves_.find(kernel, op.dtype, op.scaling, options_.newest_software, op.library);
        const Fit& fit = *curve.fit;
        const StreamFigures& stream = curves_.stream();
        const double beside = occupancy.beside_transfer ? stream.transfer_share : 0.0;
        const auto [one, times] = repeated(fit, op);
        const Seconds body = curve_time(fit, stream, curves_.part(), one, occupancy.sms_held + op.sms_held,
                                        beside, options_.sustained_clock);
        Estimate estimate;
        const double promoted = fit.own_run ? 0.0 : promotion(curves_.part(), op);
        const std::string_view older = known_by_ratio(op.library);
        const double ratio = older.empty() ? 1.0 : time_of(fit, older);
        estimate.time =
            op.launches * launch(fit) + times * factor(fit, body) * ratio * (1.0 + promoted) * body;
        const bool outside = !is_memory_bound(fit.kernel) && !inside_hull(fit, one);
        estimate.relative_sigma = std::hypot(sigma(curve, outside), promoted > 0.0 ? kPromotionSigma : 0.0,
                                             older.empty() ? 0.0 : kAttentionRatioSigma);
        estimate.extrapolated =
            outside || curve.borrowed || curve.other_part || curve.foreign || fit.rows == 0;
        return estimate;
    }

private:
    [[nodiscard]] Seconds launch(const Fit& fit) const {
        return options_.kernel_launch < Seconds(0.0) ? fit.launch + curves_.stream().gap
                                                     : options_.kernel_launch;
    }

    /// Time in training, or in a benchmark of the software asked for, over the curve's.
    [[nodiscard]] double factor(const Fit& fit, Seconds body) const {
        if (is_memory_bound(fit.kernel)) {
            return 1.0;
        }
        const double software = options_.newest_software ? 1.0 : older_software(fit);
        if (!options_.in_training) {
            return software * benchmark_slowdown(fit, body);
        }
        if (options_.newest_software || fit.own_run) {
            return training_beyond_software(fit) * clock(fit, body);
        }
        return fit.training.rows > 0 ? fit.training.factor : software * clock(fit, body);
    }

    /// Time in training over that at full clock: what the step's mean power leaves, or what a launch so long
    /// loses by itself, as in the benchmarks, where the part has a limit that its GEMMs meet.
    [[nodiscard]] double clock(const Fit& fit, Seconds body) const {
        return limited_ ? std::max(training_clock_, benchmark_slowdown(fit, body)) : training_clock_;
    }

    /// Time of the training run's software over the curve's software, both in benchmarks.
    [[nodiscard]] static double older_software(const Fit& fit) { return time_of(fit, kTrainingVintage); }

    /// Time of a vintage, or of a library known by its ratio, over the curve's; 1 if the curve knows none.
    [[nodiscard]] static double time_of(const Fit& fit, std::string_view vintage) {
        const auto found = fit.vintages.find(std::string(vintage));
        return found == fit.vintages.end() ? 1.0 : std::exp(found->second);
    }

    /// What is left of the training factor for the newest kernels: the part that is not the kernels' own.
    [[nodiscard]] double training_beyond_software(const Fit& fit) const {
        const Fit& measured = curves_.early_software(fit);
        return measured.training.rows > 0 ? measured.training.factor / older_software(measured) : 1.0;
    }

    [[nodiscard]] double sigma(const FoundCurve& curve, bool outside) const {
        double variance = curve_variance(curve, outside);
        if (options_.in_training) {
            variance += squared(curve.fit->training.log_sigma) + squared(kClockSigma * clock_distance_);
        }
        return std::sqrt(variance);
    }

    CurveFinder curves_;
    CalibrationOptions options_;
    double training_clock_ = 1.0; ///< time of arithmetic over that at full clock
    bool limited_;                ///< GEMMs without pauses lose clock
    double clock_distance_ = 0.0; ///< of that to full clock or to a loop without pauses, whichever is farther
};

CurveFinder finder(const GpuSpec& part, const CalibrationOptions& options) {
    std::vector<std::filesystem::path> folders;
    if (!options.own_fits.empty()) {
        folders.push_back(options.own_fits);
    }
    folders.push_back(options.fits.empty() ? data_path("fits") : options.fits);
    return {part, std::move(folders), options.library};
}

/// What a curve rests on, for people.
CurveBasis basis_of(const FoundCurve& curve, KernelClass kernel, DType dtype, Scaling scaling) {
    const Fit& fit = *curve.fit;
    CurveBasis basis{kernel,
                     dtype,
                     scaling,
                     CurveBasis::Kind::published,
                     fit.measured_on.id,
                     fit.software,
                     fit.rows,
                     fit.cv_mape,
                     {},
                     std::sqrt(curve_variance(curve, false)),
                     std::sqrt(curve_variance(curve, true))};
    if (curve.foreign || curve.other_part) {
        basis.kind = CurveBasis::Kind::inherited;
    } else if (curve.borrowed || fit.rows == 0) {
        basis.kind = CurveBasis::Kind::borrowed;
    } else if (fit.own_run) {
        basis.kind = CurveBasis::Kind::own_run;
    }
    if (curve.borrowed) {
        basis.curve = fmt::format("{} {} {}", name(fit.kernel), name(fit.dtype), name(fit.scaling));
    }
    return basis;
}

struct FormatOf {
    DType dtype;
    Scaling scaling;
};
constexpr std::array kFormats{FormatOf{DType::bf16, Scaling::none}, FormatOf{DType::fp8, Scaling::per_tensor},
                              FormatOf{DType::fp8, Scaling::block_128}, FormatOf{DType::fp8, Scaling::mx_32},
                              FormatOf{DType::fp4, Scaling::nv_16}};

} // namespace

std::string_view name(CurveBasis::Kind kind) {
    switch (kind) {
    case CurveBasis::Kind::own_run:
        return "own run";
    case CurveBasis::Kind::published:
        return "published";
    case CurveBasis::Kind::borrowed:
        return "borrowed";
    case CurveBasis::Kind::inherited:
        break;
    }
    return "inherited";
}

std::vector<CurveBasis> calibration_basis(const GpuSpec& part, const CalibrationOptions& options) {
    const CurveFinder curves = finder(part, options);
    std::vector<CurveBasis> all;
    const auto add = [&](KernelClass kernel, DType dtype, Scaling scaling) {
        const FoundCurve curve = curves.find(kernel, dtype, scaling, options.newest_software);
        all.push_back(basis_of(curve, kernel, dtype, scaling));
    };
    for (int i = 0; i <= static_cast<int>(KernelClass::optimizer); ++i) {
        const auto kernel = static_cast<KernelClass>(i);
        if (is_memory_bound(kernel) || is_attention(kernel)) {
            add(kernel, DType::bf16, Scaling::none);
            continue;
        }
        for (const auto& [dtype, scaling] : kFormats) {
            if (part.dense_peak.contains(dtype)) {
                add(kernel, dtype, scaling);
            }
        }
    }
    return all;
}

std::unique_ptr<CostModel> make_calibrated_model(const GpuSpec& part, const CalibrationOptions& options) {
    return std::make_unique<CalibratedModel>(finder(part, options), options);
}

std::unique_ptr<CostModel> make_calibrated_model(const GpuSpec& part, CalibrationOptions options,
                                                 const std::function<KernelMix(const CostModel&)>& mix_of) {
    options.mix = {0.0, 0.0};
    auto model = std::make_unique<CalibratedModel>(finder(part, options), options);
    model->settle(mix_of(*model));
    return model;
}

} // namespace chokepoint::hw
