// SPDX-License-Identifier: Apache-2.0
// Fits one curve: which rows, which parameters are free, how well it predicts shapes it has not seen.
#pragma once

#include <chokepoint/hwmodels/fit.hpp>

namespace chokepoint::hw {

/// A row to fit, with the series it comes from.
struct Sample {
    const MeasurementSeries* series = nullptr;
    const Measurement* measurement = nullptr;
};

/// What to fit and how: parameters that are not free keep the parent's values.
struct CurvePlan {
    KernelClass kernel;
    DType dtype;
    Scaling scaling;
    CurveForm form;
    std::vector<std::string> free; ///< parameter names, and "launch"; empty: all of them
    std::string note;
    std::string vintage{}; ///< empty: the newest
    std::string part{};    ///< measured on this part alone; empty: on those that no other plan names
    std::vector<std::string> serves{}; ///< parts that take the curve besides `part`
    bool sustained = false;            ///< the rows tell how a continuous load lowers the clock
    double sustained_loss = 0.0;       ///< if they do not: what another format's rows tell
    bool other_library = false;        ///< than the training run's, whose kernels say nothing of it
    bool parents_hull = false;         ///< known wherever the parent is: the same kernels, used otherwise
};

/// A parent stands before its children.
struct PlannedCurve {
    CurvePlan plan;
    int parent = -1;
    int power = -1; ///< the curve of the same part that tells how a continuous load lowers the clock
};
/// The curves of an architecture, in the order they are fitted.
std::vector<PlannedCurve> planned_curves(std::string_view architecture);

/// @throws std::runtime_error if the samples leave a curve without rows.
Fit fit_curve(const CurvePlan&, const Fit* parent, const std::vector<Sample>&);

/// Efficiencies of the memory-bound classes; classes without a row take `add`'s with a wider spread.
std::vector<Fit> fit_streaming(const StreamFigures&, const std::vector<Sample>&);

/// Factor between the curve and kernels of a real training run.
TrainingFactor training_factor(const Fit&, const StreamFigures&, const std::vector<Sample>&);

/// 1 + `loss` once a kernel that is launched again and again lasts long enough for the power limit to act.
double sustained_slowdown(double loss, Seconds burst);

/// What a series' way of launching adds to an operator's burst.
double series_slowdown(const MeasurementSeries&, double loss, const Operator&, Seconds burst);

/// Inverse-distance mean of the residuals near a shape, pulled to zero where none is near.
double residual_correction(const std::vector<Residual>&, const ShapePoint&);

} // namespace chokepoint::hw
