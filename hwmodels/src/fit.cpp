// SPDX-License-Identifier: Apache-2.0
// Which curves an architecture has, in what order they are fitted, and what a curve says about a shape.
#include <chokepoint/hwmodels/fit.hpp>

#include "fit_curve.hpp"
#include "fit_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

constexpr double kSmallestRows =
    2048.0; // of all groups: below, libraries pick tiles that no training step uses
constexpr double kSmallestGroup = 256.0; // mean rows of a group: below, most of a tile may be empty

/// A parent stands before its children.
struct PlannedCurve {
    CurvePlan plan;
    int parent = -1;
};

std::vector<PlannedCurve> planned_curves() {
    const auto fp8 = DType::fp8;
    const auto bf16 = DType::bf16;
    const auto block = Scaling::block_128;
    const auto none = Scaling::none;
    const std::string own;
    // Its tiles ended at 128 columns, which costs most where tiles are short: a curve of its own, not a
    // factor.
    const std::string older = "main loop and tile overhead of its own, the rest as the newest";
    const std::string grows = "main loop and tile overhead of its own, the rest as the dense forward GEMM";
    return {
        {{KernelClass::gemm, fp8, block, CurveForm::tiled, {}, own}, -1},
        {{KernelClass::gemm_wgrad, fp8, block, CurveForm::tiled, {"tensor", "fill", "store"}, grows}, 0},
        {{KernelClass::grouped_gemm,
          fp8,
          block,
          CurveForm::tiled,
          {"tensor", "fill", "store", "wave"},
          grows},
         0},
        {{KernelClass::grouped_wgrad, fp8, block, CurveForm::tiled, {"tensor", "fill"}, "as the dense one"},
         1},
        {{KernelClass::gemm, bf16, none, CurveForm::tiled, {}, own}, -1},
        {{KernelClass::grouped_gemm, bf16, none, CurveForm::tiled, {"tensor", "fill"}, grows}, 4},
        {{KernelClass::grouped_wgrad, bf16, none, CurveForm::tiled, {"tensor", "fill"}, grows}, 4},
        {{KernelClass::attention_fwd, bf16, none, CurveForm::attention, {}, own}, -1},
        {{KernelClass::attention_bwd,
          bf16,
          none,
          CurveForm::attention,
          {"tensor", "softmax", "ramp"},
          "causal waste, waves and bandwidth as the forward kernel"},
         7},
        {{KernelClass::gemm,
          fp8,
          block,
          CurveForm::tiled,
          {"tensor", "fill", "store"},
          older,
          std::string(kTrainingVintage)},
         0},
        {{KernelClass::grouped_gemm,
          fp8,
          block,
          CurveForm::tiled,
          {"tensor", "fill", "store"},
          older,
          std::string(kTrainingVintage)},
         2},
    };
}

/// Weight gradients are always large: their tokens are k.
bool is_training_size(const Operator& op) {
    const bool forward = op.kernel == KernelClass::gemm || op.kernel == KernelClass::grouped_gemm;
    const auto rows = static_cast<double>(op.m);
    return !forward || (rows * op.groups >= kSmallestRows && rows >= kSmallestGroup);
}

std::vector<Sample> samples_for(const MeasurementSet& set, std::string_view architecture, MeasurementUse use,
                                const CurvePlan& plan) {
    std::vector<Sample> samples;
    for (const MeasurementSeries& series : set.series) {
        if (series.use != use || series.part.architecture != architecture) {
            continue;
        }
        for (const Measurement& row : series.rows) {
            const Operator& op = row.op;
            const bool old = series.vintage == kTrainingVintage;
            if (op.kernel == plan.kernel && op.dtype == plan.dtype && op.scaling == plan.scaling &&
                (use == MeasurementUse::training || (is_training_size(op) && old == !plan.vintage.empty()))) {
                samples.push_back({&series, &row});
            }
        }
    }
    return samples;
}

std::vector<Sample> streaming_samples(const MeasurementSet& set, std::string_view architecture) {
    std::vector<Sample> samples;
    for (const MeasurementSeries& series : set.series) {
        for (const Measurement& row : series.rows) {
            if (series.use == MeasurementUse::fit && series.part.architecture == architecture &&
                is_memory_bound(row.op.kernel)) {
                samples.push_back({&series, &row});
            }
        }
    }
    return samples;
}

/// Why a kernel takes longer (or less) in training than its class's benchmark curve says.
std::string training_reason(KernelClass kernel) {
    switch (kernel) {
    case KernelClass::gemm_wgrad:
    case KernelClass::grouped_wgrad:
        return "CUTLASS kernels, which DeepGEMM's weight gradients beat by about 20% (its pull request 95); "
               "clock under "
               "sustained power; L2 and memory shared with communication";
    case KernelClass::gemm:
    case KernelClass::grouped_gemm:
        return "kernels of February 2025 with 128-column tiles (DeepGEMM's pull request 74 gains 5 to 27% by "
               "wider "
               "ones); clock under sustained power; L2 and memory shared with communication";
    default:
        return "the same kernel library, earlier; clock under sustained power; SMs that communication leaves "
               "free";
    }
}

} // namespace

std::string_view name(CurveForm form) {
    switch (form) {
    case CurveForm::tiled:
        return "tiled";
    case CurveForm::attention:
        return "attention";
    case CurveForm::streaming:
        break;
    }
    return "streaming";
}

std::optional<CurveForm> curve_form_from(std::string_view text) {
    for (const CurveForm form : {CurveForm::tiled, CurveForm::attention, CurveForm::streaming}) {
        if (name(form) == text) {
            return form;
        }
    }
    return std::nullopt;
}

std::vector<std::string> parameter_names(CurveForm form) {
    std::vector<std::string> names;
    for (const FormParameter& parameter : form_parameters(form)) {
        names.emplace_back(parameter.name);
    }
    return names;
}

ShapePoint shape_point(const Operator& op) {
    if (op.kernel == KernelClass::attention_fwd || op.kernel == KernelClass::attention_bwd) {
        return {static_cast<double>(op.seq_q), static_cast<double>(op.batch) * op.heads,
                static_cast<double>(op.dim_qk), static_cast<double>(op.dim_v)};
    }
    const bool gradient = op.kernel == KernelClass::gemm_wgrad || op.kernel == KernelClass::grouped_wgrad;
    // Both sides of a weight gradient are features: a matrix and its transpose are one shape.
    const bool swapped = gradient && op.m < op.n;
    return {static_cast<double>(swapped ? op.n : op.m), static_cast<double>(swapped ? op.m : op.n),
            static_cast<double>(op.k), static_cast<double>(op.groups)};
}

const Fit* FitSet::find(KernelClass kernel, DType dtype, Scaling scaling, std::string_view vintage) const {
    const auto found = std::ranges::find_if(fits, [&](const Fit& fit) {
        const bool format = is_memory_bound(kernel) || (fit.dtype == dtype && fit.scaling == scaling);
        return fit.kernel == kernel && format && fit.vintage == vintage;
    });
    return found == fits.end() ? nullptr : &*found;
}

FitSet fit_all(const MeasurementSet& set, std::string_view architecture) {
    FitSet result;
    result.architecture = architecture;
    result.stream = set.stream;
    for (const PlannedCurve& planned : planned_curves()) {
        const Fit* parent =
            planned.parent < 0 ? nullptr : &result.fits[static_cast<std::size_t>(planned.parent)];
        result.fits.push_back(fit_curve(planned.plan, parent,
                                        samples_for(set, architecture, MeasurementUse::fit, planned.plan)));
    }
    for (std::size_t i = 0; i < result.fits.size(); ++i) {
        Fit& fit = result.fits[i];
        const CurvePlan plan = planned_curves()[i].plan;
        const auto training = samples_for(set, architecture, MeasurementUse::training, plan);
        fit.training = training_factor(fit, result.stream, training);
        fit.training.reason = training.empty() ? "" : training_reason(fit.kernel);
    }
    for (Fit& fit : fit_streaming(result.stream, streaming_samples(set, architecture))) {
        result.fits.push_back(std::move(fit));
    }
    return result;
}

bool inside_hull(const Fit& fit, const Operator& op) {
    const ShapePoint at = shape_point(op);
    for (std::size_t i = 0; i < at.size(); ++i) {
        if (at[i] < fit.hull[i].low || at[i] > fit.hull[i].high) {
            return false;
        }
    }
    return true;
}

Seconds curve_time(const Fit& fit, const StreamFigures& stream, const GpuSpec& part, const Operator& op,
                   int sms_held, double beside, double clock) {
    const Device device = device_for(part, op, sms_held, clock);
    Seconds time = form_time(fit.form, fit.parameters, op, device);
    if (fit.corrected && inside_hull(fit, op)) {
        time *= std::exp(residual_correction(fit.residuals, shape_point(op)));
    }
    const bool streams = fit.form == CurveForm::streaming;
    const double slowdown = streams ? stream.streaming_slowdown : stream.arithmetic_slowdown;
    return time * (1.0 + (slowdown - 1.0) * beside);
}

} // namespace chokepoint::hw
