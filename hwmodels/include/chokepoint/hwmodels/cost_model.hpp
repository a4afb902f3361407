// SPDX-License-Identifier: Apache-2.0
// How long an operator takes on a part: a roofline bound, and a model calibrated on kernel measurements.
#pragma once

#include <chokepoint/hwmodels/operator.hpp>
#include <chokepoint/hwmodels/power_limit.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace chokepoint::hw {

/// What else runs on the GPU while the operator does.
struct Occupancy {
    int sms_held = 0;             ///< SMs that communication kernels keep for themselves
    bool beside_transfer = false; ///< a transfer streams through memory at the same time
    friend bool operator==(const Occupancy&, const Occupancy&) = default;
};

struct Estimate {
    Seconds time;
    double relative_sigma = 0.0; ///< one standard deviation of the fit's log error
    bool extrapolated = false;   ///< outside the measured shapes, or a part without measurements
};

class CostModel {
public:
    virtual ~CostModel() = default;
    /// Time of one execution of `op` on this model's part, kernel launches included.
    /// @throws std::invalid_argument if the part lacks the operator's dtype.
    [[nodiscard]] virtual Estimate estimate(const Operator&, const Occupancy&) const = 0;
};

/// The bound no kernel beats: max(arithmetic at dense peak, bytes at datasheet bandwidth), no launch time.
/// SMs held by communication lower the arithmetic peak only.
std::unique_ptr<CostModel> make_roofline_model(const GpuSpec&);

class FitLibrary;

struct CalibrationOptions {
    Seconds kernel_launch{-1.0}; ///< negative: as fitted
    /// Share of the benchmark clock that a long run sustains; scales arithmetic only.
    double sustained_clock = 1.0;
    /// What the step's kernels spend their time on: decides what clock the power limit leaves.
    KernelMix mix;
    /// Whether GEMMs and attention run as in training. Where kernels of a real training run were published
    /// (DeepSeek-V3: FP8 1x128 and attention on Hopper), that is the software of early 2025 with the factor
    /// measured between its benchmarks and training; elsewhere the clock that a continuous load leaves, an
    /// estimate from what long benchmark launches lose. False: at the rates published for benchmarks.
    /// Memory-bound kernels are the same either way: only the training run's were published.
    bool in_training = true;
    /// Take the newest kernels measured instead of those of early 2025; of the factor, only what new kernels
    /// keep.
    bool newest_software = false;
    std::filesystem::path fits;     ///< folder of fit files; empty: the shipped one
    std::filesystem::path own_fits; ///< folder whose fit files stand before those; empty: none
    FitLibrary* library = nullptr;  ///< keeps what it reads for the next model; nullptr: read anew
    friend bool operator==(const CalibrationOptions&, const CalibrationOptions&) = default;
};

/// What a class's times on a part rest on.
struct CurveBasis {
    enum class Kind {
        own_run,   ///< this project's own kernels on this part
        published, ///< others' measurements of this part, or of one with the same figures
        borrowed,  ///< this part, but another class or number format
        inherited, ///< another part, scaled by this one's figures
    };
    KernelClass kernel = KernelClass::gemm;
    DType dtype = DType::bf16;
    Scaling scaling = Scaling::none;
    Kind kind = Kind::published;
    std::string measured_on; ///< id of the part
    std::string software;
    int rows = 0;
    double held_out_error = 0.0; ///< mean absolute, on n x k families left out
    std::string curve;           ///< the class and format it is borrowed from
    double inside = 0.0;         ///< relative standard deviation of a benchmark's time at measured shapes
    double outside = 0.0;        ///< and at others
};
std::string_view name(CurveBasis::Kind);
/// One entry for each class, and for arithmetic ones each number format the part has.
std::vector<CurveBasis> calibration_basis(const GpuSpec&, const CalibrationOptions& = {});

/// The calibrated model for a part: the curves of the part itself or of its architecture, scaled by the
/// part's peaks; for what was measured on neither, those of the nearest relative, less certainly.
/// @throws std::runtime_error if the fit file of the relative that lends to the others is missing.
std::unique_ptr<CostModel> make_calibrated_model(const GpuSpec&, const CalibrationOptions& = {});
/// The same with the mix that `mix_of` finds by this model at full clock.
std::unique_ptr<CostModel> make_calibrated_model(const GpuSpec&, CalibrationOptions,
                                                 const std::function<KernelMix(const CostModel&)>& mix_of);

} // namespace chokepoint::hw
