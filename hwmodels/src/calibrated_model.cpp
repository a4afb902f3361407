// SPDX-License-Identifier: Apache-2.0
// Kernel times from fitted curves, moved to a part by its own peaks, SMs and bandwidth.
#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/cost_model.hpp>
#include <chokepoint/hwmodels/fit.hpp>

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

/// The architecture whose curves serve the others, until those have measurements of their own.
constexpr std::string_view kRelative = "hopper";

// Log spreads added where a curve is used outside what it was fitted on. From checks on data held out:
// DeepGEMM on H20 from H800's curve is off by 7 to 14%; a class or format that borrows another's curve, by
// about as much again.
constexpr double kBorrowedCurve = 0.15;
constexpr double kBorrowedArchitecture = 0.25;
constexpr double kOutsideHull = 1.5; // times the cross-validated error

/// A mean absolute error as a standard deviation, if errors are normal.
constexpr double kDeviation = 1.2533;

struct Curve {
    const Fit* fit = nullptr;
    bool borrowed = false;
};

/// Classes to look under, nearest first.
std::vector<KernelClass> relatives(KernelClass kernel) {
    switch (kernel) {
    case KernelClass::gemm_wgrad:
    case KernelClass::grouped_gemm:
        return {kernel, KernelClass::gemm};
    case KernelClass::grouped_wgrad:
        return {kernel, KernelClass::gemm_wgrad, KernelClass::gemm};
    default:
        return {kernel};
    }
}

class CalibratedModel final : public CostModel {
public:
    CalibratedModel(const GpuSpec& part, const CalibrationOptions& options, FitSet fits)
        : part_(part),
          options_(options),
          fits_(std::move(fits)) {}

    [[nodiscard]] Estimate estimate(const Operator& op, const Occupancy& occupancy) const override {
        const Curve curve = find(op);
        const double beside = occupancy.beside_transfer ? fits_.stream.transfer_share : 0.0;
        const Seconds body = curve_time(*curve.fit, fits_.stream, part_, op, occupancy.sms_held, beside,
                                        options_.sustained_clock);
        Estimate estimate;
        estimate.time = op.launches * launch(*curve.fit) + factor(*curve.fit) * body;
        const bool outside = curve.fit->form != CurveForm::streaming && !inside_hull(*curve.fit, op);
        estimate.relative_sigma = sigma(curve, outside);
        estimate.extrapolated = outside || curve.borrowed || curve.fit->rows == 0 || foreign();
        return estimate;
    }

private:
    [[nodiscard]] bool foreign() const { return part_.architecture != fits_.architecture; }

    [[nodiscard]] Seconds launch(const Fit& fit) const {
        return options_.kernel_launch < Seconds(0.0) ? fit.launch + fits_.stream.gap : options_.kernel_launch;
    }

    /// Time in training, or of the older software, over the curve's.
    [[nodiscard]] double factor(const Fit& fit) const {
        if (fit.form == CurveForm::streaming) {
            return 1.0;
        }
        const double older = older_software(fit);
        const double training = fit.training.rows > 0 ? fit.training.factor : older;
        if (options_.in_training) {
            return options_.newest_software ? training_beyond_software(fit) : training;
        }
        return options_.newest_software ? 1.0 : older;
    }

    /// Time of the training run's software over the curve's software, both in benchmarks.
    [[nodiscard]] static double older_software(const Fit& fit) {
        const auto found = fit.vintages.find(std::string(kTrainingVintage));
        return found == fit.vintages.end() ? 1.0 : std::exp(found->second);
    }

    /// What is left of the training factor for the newest kernels: the part that is not the kernels' own.
    [[nodiscard]] double training_beyond_software(const Fit& fit) const {
        const Fit* old = fits_.find(fit.kernel, fit.dtype, fit.scaling, kTrainingVintage);
        const Fit& measured = old != nullptr ? *old : fit;
        return measured.training.rows > 0 ? measured.training.factor / older_software(measured) : 1.0;
    }

    [[nodiscard]] double sigma(const Curve& curve, bool outside) const {
        const Fit& fit = *curve.fit;
        const double held_out = kDeviation * fit.cv_mape;
        double variance = std::pow(outside ? kOutsideHull * held_out : fit.rms_log_error, 2);
        if (options_.in_training) {
            variance += fit.training.log_sigma * fit.training.log_sigma;
        }
        if (curve.borrowed) {
            variance += kBorrowedCurve * kBorrowedCurve;
        }
        if (foreign()) {
            variance += kBorrowedArchitecture * kBorrowedArchitecture;
        }
        return std::sqrt(variance);
    }

    /// @throws std::invalid_argument if no curve is near enough to lend itself.
    [[nodiscard]] Curve find(const Operator& op) const {
        struct Format {
            DType dtype;
            Scaling scaling;
        };
        // Without a curve of its own a format takes BF16's share of its own peak.
        for (const Format format : {Format{op.dtype, op.scaling}, Format{DType::bf16, Scaling::none}}) {
            for (const KernelClass kernel : relatives(op.kernel)) {
                const Fit* newest = fits_.find(kernel, format.dtype, format.scaling);
                const Fit* old = fits_.find(kernel, format.dtype, format.scaling, kTrainingVintage);
                const Fit* fit = old != nullptr && !options_.newest_software ? old : newest;
                if (fit != nullptr) {
                    const bool same =
                        kernel == op.kernel && format.dtype == op.dtype && format.scaling == op.scaling;
                    return {fit, !same && !is_memory_bound(kernel)};
                }
            }
        }
        throw std::invalid_argument(fmt::format("the fits for {} have no curve for {} ('{}')",
                                                fits_.architecture, name(op.kernel), op.name));
    }

    GpuSpec part_;
    CalibrationOptions options_;
    FitSet fits_;
};

/// The part's own architecture's fits, or its stated relative's.
FitSet load_fits(const GpuSpec& part, const CalibrationOptions& options) {
    const std::filesystem::path folder = options.fits.empty() ? data_path("fits") : options.fits;
    for (const std::string_view architecture : {std::string_view(part.architecture), kRelative}) {
        const auto file = folder / fmt::format("{}.json", architecture);
        if (!architecture.empty() && std::filesystem::exists(file)) {
            return read_fits(file);
        }
    }
    throw std::runtime_error(fmt::format("found neither '{}.json' nor '{}.json' in '{}' for {}",
                                         part.architecture, kRelative, folder.string(), part.id));
}

} // namespace

std::unique_ptr<CostModel> make_calibrated_model(const GpuSpec& part, const CalibrationOptions& options) {
    return std::make_unique<CalibratedModel>(part, options, load_fits(part, options));
}

} // namespace chokepoint::hw
