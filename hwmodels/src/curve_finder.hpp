// SPDX-License-Identifier: Apache-2.0
// Which fitted curve stands for an operator on a part, and how far it has been carried from what was
// measured.
#pragma once

#include <chokepoint/hwmodels/cost_model.hpp>
#include <chokepoint/hwmodels/fit.hpp>

#include <filesystem>
#include <vector>

namespace chokepoint::hw {

/// Classes whose curves stand for a class, nearest first: its own.
std::vector<KernelClass> relatives(KernelClass);

struct FoundCurve {
    const Fit* fit = nullptr;
    bool borrowed = false;   ///< another class's or number format's
    bool other_part = false; ///< measured on a part of the same architecture with other figures
    bool foreign = false;    ///< another architecture's
};

class CurveFinder {
public:
    /// @throws std::runtime_error if no fit file serves the part's architecture.
    /// Of an architecture, the file in the first of the folders that has it.
    CurveFinder(GpuSpec part, std::vector<std::filesystem::path> folders, FitLibrary* library = nullptr);

    /// @throws std::invalid_argument if no curve is near enough to lend itself.
    [[nodiscard]] FoundCurve find(KernelClass, DType, Scaling, bool newest_software,
                                  KernelLibrary = KernelLibrary::usual) const;
    /// The same class and format as `fit`, in the software of the published training run; or `fit` itself.
    [[nodiscard]] const Fit& early_software(const Fit& fit) const;
    /// What the compute stream does between kernels: known from one training run on Hopper.
    [[nodiscard]] const StreamFigures& stream() const { return sets_.back()->stream; }
    [[nodiscard]] const GpuSpec& part() const { return part_; }

private:
    /// What is asked of a set of curves beside class and format.
    struct Software {
        bool newest = false;
        KernelLibrary library = KernelLibrary::usual;
    };
    [[nodiscard]] const Fit* in(const FitSet&, KernelClass, DType, Scaling, const Software&) const;

    GpuSpec part_;
    std::vector<std::shared_ptr<const FitSet>>
        sets_; ///< the part's own architecture's, then the one that lends to the others
};

} // namespace chokepoint::hw
