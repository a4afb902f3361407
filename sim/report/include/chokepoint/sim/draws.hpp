// SPDX-License-Identifier: Apache-2.0
// Many values of every random variable at once, evenly spread, to read percentiles off a cheap formula.
#pragma once

#include <chokepoint/sim/response.hpp>

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::sim {

/// How many.
inline constexpr std::size_t kEvenDraws = 4096;

/// A Latin hypercube (M. D. McKay, R. J. Beckman and W. J. Conover, Technometrics 21, 1979): every variable
/// takes the middles of kEvenDraws equally likely ranges of a standard normal, once each, in an order that
/// only its name decides. So a name has the same deviate in the same draw of every run.
class EvenDraws {
public:
    /// By number of the draw.
    const std::vector<double>& of(std::string_view name);

private:
    std::map<std::string, std::vector<double>, std::less<>> known_;
};

/// Seconds of a step, by number of the draw.
std::vector<double> step_seconds(const StepResponse&, EvenDraws&);

/// 5th, 50th and 95th.
using Percentiles = std::array<double, 3>;
Percentiles percentiles(std::vector<double> values);

/// x below which a standard normal lies with probability `share`, which is between 0 and 1.
double normal_quantile(double share);

} // namespace chokepoint::sim
