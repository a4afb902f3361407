// SPDX-License-Identifier: Apache-2.0
// Which rows each curve of an architecture is fitted to, and what a curve says about a shape.
#include <chokepoint/hwmodels/fit.hpp>

#include "fit_curve.hpp"
#include "fit_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

constexpr double kSmallestRows =
    2048.0; // of all groups: below, libraries pick tiles that no training step uses
constexpr double kSmallestGroup = 256.0; // mean rows of a group: below, most of a tile may be empty

bool same_format(const CurvePlan& plan, const Operator& op) {
    return op.kernel == plan.kernel && op.dtype == plan.dtype && op.scaling == plan.scaling;
}

/// Whether the part's rows belong to this plan: its own, or nobody's.
bool is_for(const CurvePlan& plan, const std::vector<PlannedCurve>& all, const std::string& part) {
    const bool named = std::ranges::any_of(all, [&](const PlannedCurve& other) {
        return other.plan.part == part && other.plan.kernel == plan.kernel &&
               other.plan.dtype == plan.dtype && other.plan.scaling == plan.scaling;
    });
    return plan.part.empty() ? !named : plan.part == part;
}

/// Whether a release's rows belong to this plan: it names the release, or no plan of the format does.
bool is_vintage(const CurvePlan& plan, const std::vector<PlannedCurve>& all, const std::string& vintage) {
    const bool named = std::ranges::any_of(all, [&](const PlannedCurve& other) {
        return other.plan.vintage == vintage && other.plan.kernel == plan.kernel &&
               other.plan.dtype == plan.dtype && other.plan.scaling == plan.scaling;
    });
    return plan.vintage.empty() ? !named : plan.vintage == vintage;
}

std::vector<Sample> samples_for(const MeasurementSet& set, std::string_view architecture, MeasurementUse use,
                                const CurvePlan& plan) {
    const std::vector<PlannedCurve> all = planned_curves(architecture);
    std::vector<Sample> samples;
    for (const MeasurementSeries& series : set.series) {
        if (series.use != use || series.part.architecture != architecture ||
            !is_for(plan, all, series.part.id)) {
            continue;
        }
        for (const Measurement& row : series.rows) {
            const Operator& op = row.op;
            if (same_format(plan, op) && !row.holdout &&
                (use == MeasurementUse::training ||
                 (is_training_size(op) && is_vintage(plan, all, series.vintage)))) {
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
            if (series.use == MeasurementUse::fit && !row.holdout &&
                series.part.architecture == architecture && is_memory_bound(row.op.kernel)) {
                samples.push_back({&series, &row});
            }
        }
    }
    return samples;
}

/// The curve that an earlier fit has for a plan, or nullptr.
const Fit* curve_of(const FitSet* fits, const CurvePlan& plan) {
    if (fits == nullptr) {
        return nullptr;
    }
    const auto found = std::ranges::find_if(fits->fits, [&](const Fit& fit) {
        const std::string part = fit.parts.empty() ? "" : fit.parts.front();
        return fit.kernel == plan.kernel && fit.dtype == plan.dtype && fit.scaling == plan.scaling &&
               fit.vintage == plan.vintage && part == plan.part;
    });
    return found == fits->fits.end() ? nullptr : &*found;
}

/// Memory-bound classes that the measurements lack, or have only by analogy, as an earlier fit has them.
void take_missing(std::vector<Fit>& streaming, const FitSet& otherwise) {
    for (const Fit& known : otherwise.fits) {
        if (!is_memory_bound(known.kernel)) {
            continue;
        }
        const auto own = std::ranges::find_if(streaming, [&](const Fit& fit) {
            return fit.kernel == known.kernel && fit.vintage == known.vintage;
        });
        if (own == streaming.end()) {
            streaming.push_back(known);
        } else if (own->rows == 0 && known.rows > 0) {
            *own = known;
        }
    }
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

bool is_training_size(const Operator& op) {
    // Weight gradients are always large: their tokens are k.
    const bool forward = op.kernel == KernelClass::gemm || op.kernel == KernelClass::grouped_gemm;
    const auto rows = static_cast<double>(op.m);
    return !forward || (rows * op.groups >= kSmallestRows && rows >= kSmallestGroup);
}

std::string_view name(CurveForm form) {
    switch (form) {
    case CurveForm::tiled:
        return "tiled";
    case CurveForm::attention:
        return "attention";
    case CurveForm::vector:
        return "vector";
    case CurveForm::streaming:
        break;
    }
    return "streaming";
}

std::optional<CurveForm> curve_form_from(std::string_view text) {
    for (const CurveForm form :
         {CurveForm::tiled, CurveForm::attention, CurveForm::streaming, CurveForm::vector}) {
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
    if (is_attention(op.kernel)) {
        return {static_cast<double>(op.seq_q), static_cast<double>(op.batch) * op.heads,
                static_cast<double>(op.dim_qk), static_cast<double>(op.dim_v)};
    }
    const bool gradient = op.kernel == KernelClass::gemm_wgrad || op.kernel == KernelClass::grouped_wgrad;
    // Both sides of a weight gradient are features: a matrix and its transpose are one shape.
    const bool swapped = gradient && op.m < op.n;
    return {static_cast<double>(swapped ? op.n : op.m), static_cast<double>(swapped ? op.m : op.n),
            static_cast<double>(op.k), static_cast<double>(op.groups)};
}

const Fit* FitSet::find(KernelClass kernel, DType dtype, Scaling scaling, std::string_view vintage,
                        std::string_view part) const {
    const Fit* shared = nullptr;
    for (const Fit& fit : fits) {
        const bool format = is_memory_bound(kernel) || (fit.dtype == dtype && fit.scaling == scaling);
        if (fit.kernel != kernel || !format || fit.vintage != vintage) {
            continue;
        }
        if (std::ranges::find(fit.parts, part) != fit.parts.end()) {
            return &fit;
        }
        if (fit.parts.empty() && shared == nullptr) {
            shared = &fit;
        }
    }
    return shared;
}

FitSet fit_all(const MeasurementSet& set, std::string_view architecture, const FitSet* otherwise) {
    FitSet result;
    result.architecture = architecture;
    const bool streams_known = set.stream.gap > Seconds(0.0) || otherwise == nullptr;
    result.stream = streams_known ? set.stream : otherwise->stream;
    const std::vector<PlannedCurve> plans = planned_curves(architecture);
    for (const PlannedCurve& planned : plans) {
        const Fit* parent =
            planned.parent < 0 ? nullptr : &result.fits[static_cast<std::size_t>(planned.parent)];
        CurvePlan plan = planned.plan;
        if (planned.power >= 0) {
            plan.sustained_loss = result.fits[static_cast<std::size_t>(planned.power)].sustained_loss;
        }
        const auto samples = samples_for(set, architecture, MeasurementUse::fit, plan);
        const Fit* known = samples.empty() ? curve_of(otherwise, plan) : nullptr;
        result.fits.push_back(known != nullptr ? *known : fit_curve(plan, parent, samples));
    }
    for (std::size_t i = 0; i < result.fits.size(); ++i) {
        Fit& fit = result.fits[i];
        const CurvePlan& plan = plans[i].plan;
        if (plan.other_library || fit.own_run) { // whose kernels are not the training run's
            fit.training = {};
            continue;
        }
        const auto training = samples_for(set, architecture, MeasurementUse::training, plan);
        if (training.empty() && otherwise != nullptr) {
            const Fit* known = curve_of(otherwise, plan);
            fit.training = known != nullptr ? known->training : TrainingFactor{};
            continue;
        }
        fit.training = training_factor(fit, result.stream, training);
        fit.training.reason = training.empty() ? "" : training_reason(fit.kernel);
    }
    std::vector<Fit> streaming = fit_streaming(result.stream, streaming_samples(set, architecture));
    if (otherwise != nullptr) {
        take_missing(streaming, *otherwise);
    }
    std::ranges::move(streaming, std::back_inserter(result.fits));
    return result;
}

Repeated repeated(const Fit& fit, const Operator& op) {
    if (!is_grouped(op.kernel) || is_grouped(fit.kernel)) {
        return {op};
    }
    Operator one = op;
    one.kernel = ungrouped(op.kernel);
    one.groups = 1;
    one.read = op.read / op.groups;
    one.written = op.written / op.groups;
    return {one, op.groups};
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
    const bool streams = is_memory_bound(fit.kernel);
    const double slowdown = streams ? stream.streaming_slowdown : stream.arithmetic_slowdown;
    return time * (1.0 + (slowdown - 1.0) * beside);
}

double benchmark_slowdown(const Fit& fit, Seconds burst) {
    return sustained_slowdown(fit.sustained_loss, burst);
}

Seconds predicted_time(const Fit& fit, const StreamFigures& stream, const MeasurementSeries& series,
                       const Measurement& row) {
    const auto kernel_time = [&](const Operator& all) {
        const auto [op, times] = repeated(fit, all);
        const Seconds burst = curve_time(fit, stream, series.part, op, series.sms_held, row.beside);
        return all.launches * fit.launch +
               times * burst * series_slowdown(series, fit.sustained_loss, op, burst);
    };
    Seconds time = kernel_time(row.op);
    for (const Operator& op : row.then) {
        time += kernel_time(op);
    }
    if (fit.side_bandwidth > 0.0 && row.side > Bytes(0.0)) {
        time += fit.side_launch + row.side / series.part.memory_bandwidth / fit.side_bandwidth;
    }
    return time;
}

} // namespace chokepoint::hw
