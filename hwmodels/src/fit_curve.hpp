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
};

/// @throws std::runtime_error if the samples leave a curve without rows.
Fit fit_curve(const CurvePlan&, const Fit* parent, const std::vector<Sample>&);

/// Efficiencies of the memory-bound classes; classes without a row take `add`'s with a wider spread.
std::vector<Fit> fit_streaming(const StreamFigures&, const std::vector<Sample>&);

/// Factor between the curve and kernels of a real training run.
TrainingFactor training_factor(const Fit&, const StreamFigures&, const std::vector<Sample>&);

/// Inverse-distance mean of the residuals near a shape, pulled to zero where none is near.
double residual_correction(const std::vector<Residual>&, const ShapePoint&);

} // namespace chokepoint::hw
