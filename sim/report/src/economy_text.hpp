// SPDX-License-Identifier: Apache-2.0
// Lines of the report that speak of interruptions, energy and dollars.
#pragma once

#include <chokepoint/sim/report.hpp>

namespace chokepoint::sim {

/// @param hours of the interrupted run: the percentiles of its GPU-hours.
std::vector<std::string> interruption_lines(const FailureReport&, int gpus, const Percentiles& hours);
std::vector<std::string> energy_lines(const EnergyReport&);
/// The items of [cost]; none without it.
std::vector<std::string> cost_item_lines(const CostReport&);

} // namespace chokepoint::sim
