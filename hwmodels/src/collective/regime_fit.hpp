// SPDX-License-Identifier: Apache-2.0
// Linear curves through timings, robust and with physical bounds: the small problem that fitting a collective
// is made of.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace chokepoint::hw {

/// A timing as the regime sees it: seconds for one unit of each coefficient.
struct RegimeRow {
    double piece = 0.0;             ///< port time of a piece: what protocols are chosen by
    std::array<double, 5> features; ///< 1, hops x latency, wire / port, own part / port, own part / memory
    double seconds = 0.0;
};

/// Start, per hop, 1/share, 1/own, 1/memory. None is negative, and no transfer beats its port: 1/share is at
/// least 1.
using RegimeCoefficients = std::array<double, 5>;

struct RegimeFit {
    RegimeCoefficients coefficients{};
    double cost = 0.0; ///< Huber's, in squares of kNoise
};

/// Timings repeat within a few percent from size to size; beyond that, a point counts linearly.
inline constexpr double kNoise = 0.05;

/// Least relative error, reweighted. `streaming`: the own part counts against memory, else against the port.
/// `prior`: what data that leave a choice stay close to.
RegimeFit fit_regime(std::span<const RegimeRow>, bool streaming,
                     const std::optional<RegimeCoefficients>& prior);

struct FittedRegime {
    double until = 0.0; ///< port time of a piece; infinite for the last
    RegimeFit fit;
};

/// The prior for a range of pieces, by its middle (a geometric mean).
using RegimePrior = std::function<std::optional<RegimeCoefficients>(double piece)>;

/// The best partition of the rows by `piece` into at most `regimes` ranges, each with a line of its own;
/// empty if there are too few rows for one.
std::vector<FittedRegime> fit_regimes(std::vector<RegimeRow> rows, int regimes, const RegimePrior& prior);

} // namespace chokepoint::hw
