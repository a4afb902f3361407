// SPDX-License-Identifier: Apache-2.0
// Memory-bound classes and the training factor: ratios of sums, so that a class's total time is kept.
#include "fit_curve.hpp"
#include "fit_form.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace chokepoint::hw {
namespace {

/// Log spread given to a class of one row, or that borrows another's efficiency: about the spread among the
/// measured classes' rows.
constexpr double kBorrowedSpread = 0.25;

/// One kernel's launches in the trace differ by this much from layer to layer.
constexpr double kLeastTrainingSpread = 0.03;

constexpr std::array kBorrowers{KernelClass::embedding, KernelClass::cross_entropy, KernelClass::optimizer};

/// Chunks of a scan take as long whatever the memory: TileLang's benchmark has Triton's at 0.9 to 1.1 TB/s on
/// H800, a third of its bandwidth.
CurveForm form_of(KernelClass kernel) {
    return kernel == KernelClass::scan ? CurveForm::vector : CurveForm::streaming;
}

/// Without launches, were the form's one parameter 1.
Seconds at_one(const Sample& sample) {
    constexpr std::array kOne{1.0};
    const Operator& op = sample.measurement->op;
    return form_time(form_of(op.kernel), kOne, op, device_for(sample.series->part, op, 0, 1.0));
}

Seconds launches(const StreamFigures& stream, const Operator& op) { return op.launches * stream.floor; }

double slowdown(double factor, double share) { return 1.0 + (factor - 1.0) * share; }

/// Time-weighted spread of log(model / measured).
double spread(const std::vector<std::pair<Seconds, Seconds>>& model_and_measured) {
    double weights = 0.0;
    double sum = 0.0;
    for (const auto& [model, measured] : model_and_measured) {
        const double error = std::log(model / measured);
        weights += measured.value();
        sum += measured.value() * error * error;
    }
    return std::sqrt(sum / weights);
}

Fit fit_class(KernelClass kernel, const std::string& vintage, const StreamFigures& stream,
              const std::vector<Sample>& samples) {
    Seconds at_peak; // a transfer beside counts as more bytes: the class's total time then comes out exactly
    Seconds busy;
    std::vector<std::string> data;
    for (const Sample& sample : samples) {
        const Measurement& row = *sample.measurement;
        at_peak += at_one(sample) * slowdown(stream.streaming_slowdown, row.beside);
        busy += row.time - launches(stream, row.op);
        if (data.empty() || data.back() != sample.series->id) {
            data.push_back(sample.series->id);
        }
    }
    const GpuSpec& part = samples.front().series->part;

    Fit fit;
    fit.kernel = kernel;
    fit.form = form_of(kernel);
    fit.software = samples.front().series->software;
    fit.vintage = vintage;
    fit.measured_on = {part.id, part.sm_count, {}, part.memory_bandwidth};
    fit.own_run = samples.front().series->own_run;
    fit.launch = stream.floor;
    fit.parameters = {at_peak / busy};
    fit.free = parameter_names(fit.form);
    fit.rows = static_cast<int>(samples.size());
    fit.data = std::move(data);
    std::vector<std::pair<Seconds, Seconds>> pairs;
    for (const Sample& sample : samples) {
        const Measurement& row = *sample.measurement;
        const Seconds body = at_one(sample) / fit.parameters[0];
        pairs.emplace_back(launches(stream, row.op) + body * slowdown(stream.streaming_slowdown, row.beside),
                           row.time);
    }
    fit.rms_log_error = fit.rows > 1 ? spread(pairs) : kBorrowedSpread;
    fit.cv_mape = fit.rms_log_error;
    return fit;
}

} // namespace

std::vector<Fit> fit_streaming(const StreamFigures& stream, const std::vector<Sample>& samples) {
    std::map<KernelClass, std::map<std::string, std::vector<Sample>>> by_class;
    for (const Sample& sample : samples) {
        const std::string& vintage = sample.series->vintage;
        const bool named = vintage == kTrainingVintage || vintage == kPyTorchVintage;
        by_class[sample.measurement->op.kernel][named ? vintage : ""].push_back(sample);
    }
    std::vector<Fit> fits;
    for (const auto& [kernel, vintages] : by_class) {
        for (const auto& [vintage, rows] : vintages) {
            // The training run's kernels stand for the class where no library's were timed by themselves.
            const bool alone = vintage == kTrainingVintage && !vintages.contains("");
            fits.push_back(fit_class(kernel, alone ? "" : vintage, stream, rows));
        }
    }
    const auto add = std::ranges::find(fits, KernelClass::add, &Fit::kernel);
    if (add != fits.end()) {
        const Fit lender = *add;
        for (const KernelClass kernel : kBorrowers) {
            Fit fit = lender;
            fit.kernel = kernel;
            fit.rms_log_error = kBorrowedSpread;
            fit.cv_mape = kBorrowedSpread;
            fit.rows = 0;
            fit.note =
                "no kernel of this class in the trace: as 'add', which streams several tensors likewise";
            fits.push_back(fit);
        }
    }
    return fits;
}

TrainingFactor training_factor(const Fit& fit, const StreamFigures& stream,
                               const std::vector<Sample>& samples) {
    TrainingFactor result;
    if (samples.empty()) {
        return result;
    }
    Seconds model;
    Seconds measured;
    std::vector<std::pair<Seconds, Seconds>> pairs;
    for (const Sample& sample : samples) {
        const Measurement& row = *sample.measurement;
        const Seconds body =
            curve_time(fit, stream, sample.series->part, row.op, sample.series->sms_held, row.beside);
        model += body;
        measured += row.time - fit.launch;
        pairs.emplace_back(body, row.time - fit.launch);
    }
    result.factor = measured / model;
    result.rows = static_cast<int>(samples.size());
    for (auto& [body, time] : pairs) {
        body *= result.factor;
    }
    result.log_sigma = std::max(spread(pairs), kLeastTrainingSpread);
    return result;
}

} // namespace chokepoint::hw
