// SPDX-License-Identifier: Apache-2.0
// Turns rows into a least-squares problem in the curve's own coordinates, and scores it on shapes left out.
#include "fit_curve.hpp"

#include <chokepoint/hwmodels/power_limit.hpp>

#include "fit_form.hpp"
#include "fit_least_squares.hpp"
#include "fit_unknowns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

constexpr int kFolds = 10;
constexpr int kFewRows = 4;         // fewer say little about their own spread
constexpr double kFewSpread = 0.10; // so they are given this: the spread between two releases of a library
/// A benchmark of a few launches feels the power limit once a launch lasts this long: in the operator tables
/// of H100, H200 and B200 the rate of large GEMMs falls between 3 and 11 ms a launch, whatever their shape.
constexpr Seconds kPowerResponse(5.5e-3);
constexpr double kNearest = 0.10; // log distance below which a measured shape counts as this one
constexpr double kReach = 0.35;   // log distance at which a measured shape weighs as much as the curve alone
constexpr int kEnoughRows = 20;   // fewer rows cannot tell their residuals from noise
constexpr double kScoreDone = 1e-7; // a cross-validated error needs three digits
constexpr double kNoWorse = 1.02; // the correction is for shapes near measured ones: it must not harm others

/// log(curve / measured), the vintage's offset included.
double log_error(const CurvePlan& plan, const State& state, const Sample& sample) {
    const Measurement& row = *sample.measurement;
    const Device device = device_for(sample.series->part, row.op, sample.series->sms_held, 1.0);
    const auto kernel_time = [&](const Operator& op) {
        const Seconds burst = form_time(plan.form, state.parameters, op, device);
        return op.launches * Seconds(state.launch) +
               burst * series_slowdown(*sample.series, state.sustained, op, burst);
    };
    Seconds time = kernel_time(row.op);
    if (row.side > Bytes(0.0)) {
        time += Seconds(state.side_launch) + row.side / device.memory / state.side;
    }
    for (const Operator& op : row.then) {
        time += kernel_time(op);
    }
    const auto offset = state.vintages.find(sample.series->vintage);
    return std::log(time / row.time) + (offset == state.vintages.end() ? 0.0 : offset->second);
}

struct Solved {
    State state;
    LeastSquaresSolution solution;
};

/// `near` is where to start; the prior stays about the parent's or the form's values.
Solved solve_plan(const CurvePlan& plan, const Fit* parent, const std::vector<Sample>& samples,
                  const State* near = nullptr) {
    const Unknowns unknowns = unknowns_of(plan, samples);
    const State start = initial_state(plan, parent);
    LeastSquaresProblem problem;
    problem.prior_mean = pack(plan, unknowns, start);
    problem.start = near == nullptr ? problem.prior_mean : pack(plan, unknowns, *near);
    problem.done = near == nullptr ? problem.done : kScoreDone;
    problem.prior_sigma = prior(plan, unknowns);
    problem.residuals = [&](const Eigen::VectorXd& at) {
        const State state = unpack(plan, unknowns, start, at);
        Eigen::VectorXd errors(static_cast<Eigen::Index>(samples.size()));
        for (std::size_t i = 0; i < samples.size(); ++i) {
            errors[static_cast<Eigen::Index>(i)] = log_error(plan, state, samples[i]);
        }
        return errors;
    };
    LeastSquaresSolution solution = solve(problem);
    State state = unpack(plan, unknowns, start, solution.unknowns);
    return {std::move(state), std::move(solution)};
}

/// Shapes that share what a user would call one layer: n x k of a GEMM, head dimensions and mask of
/// attention.
std::string family(const Operator& op) {
    return op.seq_q > 0 ? fmt::format("{}/{}/{}", op.dim_qk, op.dim_v, op.causal)
                        : fmt::format("{}x{}", op.n, op.k);
}

std::vector<Residual> residuals_of(const CurvePlan& plan, const State& state,
                                   const std::vector<Sample>& samples) {
    std::vector<Residual> residuals;
    for (const Sample& sample : samples) {
        residuals.push_back({shape_point(sample.measurement->op), -log_error(plan, state, sample)});
    }
    return residuals;
}

struct Score {
    double plain = 0.0;
    double corrected = 0.0;
};

/// Mean absolute error over families left out in turn, with and without the correction from the others'
/// residuals.
Score cross_validate(const CurvePlan& plan, const Fit* parent, const std::vector<Sample>& samples,
                     const State& all) {
    std::map<std::string, int> fold_of;
    for (const Sample& sample : samples) {
        fold_of.emplace(family(sample.measurement->op), 0);
    }
    int next = 0;
    for (auto& [key, fold] : fold_of) {
        fold = next++ % kFolds;
    }
    Score score;
    for (int fold = 0; fold < std::min(next, kFolds); ++fold) {
        std::vector<Sample> kept;
        std::vector<Sample> left_out;
        for (const Sample& sample : samples) {
            (fold_of.at(family(sample.measurement->op)) == fold ? left_out : kept).push_back(sample);
        }
        if (kept.empty()) {
            continue;
        }
        const State state = solve_plan(plan, parent, kept, &all).state;
        const auto residuals = residuals_of(plan, state, kept);
        for (const Sample& sample : left_out) {
            const double error = log_error(plan, state, sample);
            const double correction = residual_correction(residuals, shape_point(sample.measurement->op));
            score.plain += std::abs(std::expm1(error));
            score.corrected += std::abs(std::expm1(error + correction));
        }
    }
    const auto rows = static_cast<double>(samples.size());
    return {score.plain / rows, score.corrected / rows};
}

std::array<Range, 4> hull_of(const CurvePlan& plan, const Fit* parent, const std::vector<Sample>& samples) {
    std::array<Range, 4> hull{};
    for (std::size_t i = 0; i < hull.size(); ++i) {
        const auto at = [&](const Sample& sample) { return shape_point(sample.measurement->op)[i]; };
        hull[i] = {at(*std::ranges::min_element(samples, {}, at)),
                   at(*std::ranges::max_element(samples, {}, at))};
        if (plan.parents_hull && parent != nullptr) {
            hull[i] = {std::min(hull[i].low, parent->hull[i].low),
                       std::max(hull[i].high, parent->hull[i].high)};
        }
    }
    return hull;
}

/// Of the first series; of own runs, where the fastest of several libraries stands for each shape, all of
/// them.
std::string software_of(const std::vector<Sample>& samples) {
    std::string text = samples.front().series->software;
    for (const Sample& sample : samples) {
        const std::string& other = sample.series->software;
        if (sample.series->own_run && text.find(other) == std::string::npos) {
            text += " and " + other;
        }
    }
    return text;
}

MeasuredPart measured_part(const Sample& sample) {
    const GpuSpec& part = sample.series->part;
    return {part.id, part.sm_count, part.peak(sample.measurement->op.dtype), part.memory_bandwidth};
}

} // namespace

double sustained_slowdown(double loss, Seconds burst) {
    const double launches = burst / kPowerResponse;
    return 1.0 + loss * launches * launches / (1.0 + launches * launches);
}

double series_slowdown(const MeasurementSeries& series, double loss, const Operator& op, Seconds burst) {
    if (series.loop <= 0.0) {
        return sustained_slowdown(loss, burst);
    }
    const GpuSpec& part = series.part;
    return loop_slowdown(series.loop, arithmetic(op) / part.peak(op.dtype) / burst,
                         (op.read + op.written) / part.memory_bandwidth / burst);
}

double residual_correction(const std::vector<Residual>& residuals, const ShapePoint& at) {
    double weights = 1.0 / std::pow(kReach, 4.0); // the curve itself, whose residual is zero
    double sum = 0.0;
    for (const Residual& residual : residuals) {
        double squared = kNearest * kNearest;
        for (std::size_t i = 0; i < at.size(); ++i) {
            const double step = std::log(at[i] / residual.at[i]);
            squared += step * step;
        }
        // The fourth power: only close shapes matter.
        const double weight = 1.0 / (squared * squared);
        weights += weight;
        sum += weight * residual.log_ratio;
    }
    return sum / weights;
}

Fit fit_curve(const CurvePlan& plan, const Fit* parent, const std::vector<Sample>& samples) {
    if (samples.empty()) {
        throw std::runtime_error(
            fmt::format("no measurement to fit {} {} on", name(plan.kernel), name(plan.dtype)));
    }
    const Solved solved = solve_plan(plan, parent, samples);
    const Score score = cross_validate(plan, parent, samples, solved.state);

    Fit fit;
    fit.kernel = plan.kernel;
    fit.dtype = plan.dtype;
    fit.scaling = plan.scaling;
    fit.form = plan.form;
    fit.software = software_of(samples);
    fit.vintage = plan.vintage;
    fit.measured_on = measured_part(samples.front());
    if (!plan.part.empty()) {
        fit.parts = plan.serves;
        fit.parts.insert(fit.parts.begin(), plan.part);
    }
    fit.own_run = std::ranges::any_of(samples, [](const Sample& s) { return s.series->own_run; });
    fit.launch = Seconds(solved.state.launch);
    fit.sustained_loss = solved.state.sustained;
    fit.parameters = solved.state.parameters;
    const Eigen::MatrixXd& covariance = solved.solution.covariance;
    fit.covariance.assign(covariance.data(), covariance.data() + covariance.size());
    for (const FormParameter& parameter : form_parameters(plan.form)) {
        if (is_free(plan, parameter.name)) {
            fit.free.emplace_back(parameter.name);
        }
    }
    const Unknowns unknowns = unknowns_of(plan, samples);
    for (const std::size_t i : unknowns.extras) {
        fit.free.emplace_back(extra_unknowns()[i].parameter.name);
    }
    if (unknowns.has_side()) {
        fit.side_bandwidth = solved.state.side;
        fit.side_launch = Seconds(solved.state.side_launch);
    }
    fit.rows = static_cast<int>(samples.size());
    fit.rms_log_error = std::sqrt(solved.solution.residuals.squaredNorm() / fit.rows);
    fit.corrected = fit.rows >= kEnoughRows && score.corrected < kNoWorse * score.plain;
    fit.cv_mape = fit.corrected ? score.corrected : score.plain;
    if (fit.rows < kFewRows) {
        fit.rms_log_error = std::max(fit.rms_log_error, kFewSpread);
        fit.cv_mape = std::max(fit.cv_mape, kFewSpread);
    }
    fit.hull = hull_of(plan, parent, samples);
    if (fit.corrected) {
        fit.residuals = residuals_of(plan, solved.state, samples);
    }
    fit.vintages = solved.state.vintages;
    for (const Sample& sample : samples) {
        for (const auto& [vintage, factor] : sample.series->older) {
            fit.vintages.emplace(vintage, std::log(factor));
        }
        if (fit.data.empty() || fit.data.back() != sample.series->id) {
            fit.data.push_back(sample.series->id);
        }
    }
    fit.note = plan.note;
    return fit;
}

} // namespace chokepoint::hw
