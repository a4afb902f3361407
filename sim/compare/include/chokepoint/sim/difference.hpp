// SPDX-License-Identifier: Apache-2.0
// How sure the difference between two runs is, most of whose inputs are the same.
#pragma once

#include <chokepoint/sim/waterfall.hpp>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace chokepoint::sim {

/// In the measure's unit.
struct Difference {
    Measure measure = Measure::step_seconds;
    double centre = 0.0;            ///< b - a
    double sigma = 0.0;             ///< to first order; a term that both runs name moves both
    double independent_sigma = 0.0; ///< if no term were shared
    /// Sigma by input, largest first.
    std::vector<std::pair<std::string, double>> drivers;
    /// Of draws in which shared inputs have shared values.
    Percentiles percentiles{};
};

/// What a figure is in each draw, in the measure's unit.
std::vector<double> drawn(const RunReport&, Measure);

/// b - a in every measure that both have. Terms of one name are one random variable, so that only what they
/// move apart counts.
std::vector<Difference> differences(const RunReport& a, const RunReport& b);

} // namespace chokepoint::sim
