// SPDX-License-Identifier: Apache-2.0
// How far curves are from the rows of each series, those they were fitted to and those kept from them.
#include "curve_finder.hpp"
#include "fit_curve.hpp"

#include <algorithm>
#include <cmath>

namespace chokepoint::hw {
namespace {

/// The curve that speaks for a series: of its vintage if there is one, and of its part; of a class without a
/// curve, the one that simulations take.
const Fit* curve_for(const FitSet& fits, const MeasurementSeries& series, const Operator& op) {
    for (const KernelClass kernel : relatives(op.kernel)) {
        for (const std::string& vintage : {series.vintage, std::string()}) {
            if (const Fit* fit = fits.find(kernel, op.dtype, op.scaling, vintage, series.part.id)) {
                return fit;
            }
        }
    }
    return nullptr;
}

/// What memory-bound kernels add to a row whose curve was fitted to rows without any: they move their bytes
/// as the quantising kernels do.
Seconds unseen_side(const FitSet& fits, const Fit& fit, const MeasurementSeries& series,
                    const Measurement& row) {
    const Fit* quantize = fits.find(KernelClass::quantize, DType::bf16, Scaling::none);
    if (fit.side_bandwidth > 0.0 || quantize == nullptr || row.side == Bytes(0.0)) {
        return Seconds(0.0);
    }
    return quantize->launch + row.side / series.part.memory_bandwidth / quantize->parameters.front();
}

double log_error(const FitSet& fits, const Fit& fit, const MeasurementSeries& series,
                 const Measurement& row) {
    const auto offset = fit.vintages.find(series.vintage);
    const Seconds time = predicted_time(fit, fits.stream, series, row) + unseen_side(fits, fit, series, row);
    return std::log(time / row.time) + (offset == fit.vintages.end() ? 0.0 : offset->second);
}

double quantile(const std::vector<double>& sorted, double share) {
    const auto last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<std::size_t>(std::lround(share * last))];
}

ScoredRow scored_row(const Measurement& row, double error) {
    ScoredRow scored{arithmetic(row.op), row.op.read + row.op.written + row.side, row.time,
                     row.time * std::exp(error)};
    for (const Operator& op : row.then) {
        scored.arithmetic += arithmetic(op);
        scored.traffic += op.read + op.written;
    }
    return scored;
}

void summarise(SeriesScore& score, const std::vector<double>& errors) {
    std::vector<double> sizes;
    for (const double error : errors) {
        sizes.push_back(std::abs(std::expm1(error)));
        score.mean += sizes.back() / static_cast<double>(errors.size());
        score.bias += std::expm1(error) / static_cast<double>(errors.size());
    }
    std::ranges::sort(sizes);
    score.rows = static_cast<int>(errors.size());
    score.median = quantile(sizes, 0.5);
    score.p90 = quantile(sizes, 0.9);
}

/// The software of the training run, launched beside communication.
Seconds trained_time(const FitSet& fits, const MeasurementSeries& series, const Measurement& row,
                     const Fit& newest) {
    const Operator& op = row.op;
    const Fit* early = fits.find(op.kernel, op.dtype, op.scaling, kTrainingVintage, series.part.id);
    const Fit& fit = early != nullptr ? *early : newest;
    const Seconds body =
        curve_time(fit, fits.stream, series.part, op, series.sms_held, row.beside) * fit.training.factor;
    return op.launches * fit.launch + body;
}

} // namespace

std::vector<RowScore> score_rows(const FitSet& fits, const MeasurementSet& set) {
    std::vector<RowScore> scores;
    for (const MeasurementSeries& series : set.series) {
        if (series.part.architecture != fits.architecture) {
            continue;
        }
        for (const Measurement& row : series.rows) {
            const Fit* fit = curve_for(fits, series, row.op);
            if (fit != nullptr) {
                scores.push_back({&series, &row,
                                  series.use == MeasurementUse::training
                                      ? trained_time(fits, series, row, *fit)
                                      : row.time * std::exp(log_error(fits, *fit, series, row))});
            }
        }
    }
    return scores;
}

std::vector<SeriesScore> score(const FitSet& fits, const MeasurementSet& set) {
    std::vector<SeriesScore> scores;
    for (const MeasurementSeries& series : set.series) {
        if (series.part.architecture != fits.architecture || series.use == MeasurementUse::training) {
            continue;
        }
        for (const bool holdout : {false, true}) {
            SeriesScore result{series.id, series.part.id, series.use, holdout};
            std::vector<double> errors;
            for (const Measurement& row : series.rows) {
                const Fit* fit = curve_for(fits, series, row.op);
                if (row.holdout == holdout && fit != nullptr && is_training_size(row.op) &&
                    !is_memory_bound(fit->kernel)) {
                    result.kernel = row.op.kernel;
                    result.dtype = row.op.dtype;
                    result.scaling = row.op.scaling;
                    errors.push_back(log_error(fits, *fit, series, row));
                    result.scored.push_back(scored_row(row, errors.back()));
                }
            }
            if (!errors.empty()) {
                summarise(result, errors);
                scores.push_back(result);
            }
        }
    }
    return scores;
}

} // namespace chokepoint::hw
