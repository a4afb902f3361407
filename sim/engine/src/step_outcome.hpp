// SPDX-License-Identifier: Apache-2.0
// From a configuration to what a campaign needs of its step.
#pragma once

#include <chokepoint/sim/run.hpp>

namespace chokepoint::sim {

StepOutcome outcome_of(const StepRun&);
/// Of a step of `plan`, with costs as drawn where `options` has a draw.
StepOutcome simulate_outcome(const Scenario&, const work::ParallelPlan&, const RunOptions&);

} // namespace chokepoint::sim
