// SPDX-License-Identifier: Apache-2.0
// Walks through a schedule in the order in which its actions can run.
#pragma once

#include "step_builder.hpp"

namespace chokepoint::work {

/// Runs the schedule's actions as their inputs come to exist, which numbers the tasks in the order they are
/// issued.
void run_schedule(const Schedule&, const std::vector<Blocks>& stages, StepBuilder&);

} // namespace chokepoint::work
