// SPDX-License-Identifier: Apache-2.0
// What --monte-carlo asks for.
#pragma once

#include "commands.hpp"

#include <chokepoint/sim/report.hpp>

#include <optional>

namespace chokepoint::cli {

/// Nothing if it was interrupted.
std::optional<sim::Sample> draw_sample(const sim::Scenario&, const MonteCarlo&, Progress&, const Common&);

} // namespace chokepoint::cli
