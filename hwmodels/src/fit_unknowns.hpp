// SPDX-License-Identifier: Apache-2.0
// The unknowns of one curve's fit: which there are, and how they stand in the solver's vector.
#pragma once

#include "fit_curve.hpp"
#include "fit_form.hpp"

#include <Eigen/Dense>

#include <map>
#include <span>
#include <string>
#include <vector>

namespace chokepoint::hw {

/// Values of everything that a fit may vary.
struct State {
    std::vector<double> parameters; ///< of the form
    double launch = 0.0;            ///< seconds
    double side = 0.0;              ///< share of the bandwidth at which memory-bound kernels in the time run
    double side_launch = 0.0;       ///< seconds that starting them takes
    double sustained = 0.0;         ///< share of the time that a continuous load adds
    std::map<std::string, double> vintages; ///< log(time / curve) of other vintages
};

/// An unknown beside the form's parameters.
struct ExtraUnknown {
    FormParameter parameter;
    double State::* value;
};
std::span<const ExtraUnknown> extra_unknowns();

/// What of a state is free: indices into the form's parameters and the extras, then vintages.
struct Unknowns {
    std::vector<std::size_t> parameters;
    std::vector<std::size_t> extras;
    std::vector<std::string> vintages;
    std::vector<double> vintage_sigmas;
    [[nodiscard]] bool has_side() const;
};

bool is_free(const CurvePlan&, std::string_view parameter);
Unknowns unknowns_of(const CurvePlan&, const std::vector<Sample>&);
/// Where a fit starts, and what its prior is centred on: the form's guesses, or the parent's values.
State initial_state(const CurvePlan&, const Fit* parent);

Eigen::VectorXd pack(const CurvePlan&, const Unknowns&, const State&);
State unpack(const CurvePlan&, const Unknowns&, State, const Eigen::VectorXd&);
/// Standard deviations of the unknowns' transforms about their initial values.
Eigen::VectorXd prior(const CurvePlan&, const Unknowns&);

} // namespace chokepoint::hw
