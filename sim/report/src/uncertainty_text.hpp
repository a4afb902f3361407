// SPDX-License-Identifier: Apache-2.0
// How sure a run's figures are, as a person reads it; part of to_text(RunReport).
#pragma once

#include <chokepoint/sim/report.hpp>

#include <string>
#include <vector>

namespace chokepoint::sim {

/// The inputs that contribute most, largest first. Nothing if every input is exact.
std::vector<std::string> tornado_lines(const RunReport&);
/// The Monte-Carlo beside the interval. Nothing without one.
std::vector<std::string> sample_lines(const RunReport&);

} // namespace chokepoint::sim
