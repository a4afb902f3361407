// SPDX-License-Identifier: GPL-3.0-or-later
// The charts of the comparison, as values.
#pragma once

#include "contract.hpp"

#include "charts/description.hpp"

#include <vector>

namespace chokepoint::gui {

/// A result and its place on the page: 0 is A.
struct Compared {
    int number = 0;
    RunResult run;
};

/// Where each step goes: a bar per scenario, a layer per phase.
Chart phase_chart(const std::vector<Compared>&);
/// Memory of the fullest rank, a bar per scenario, with a line at each capacity.
Chart memory_chart(const std::vector<Compared>&);
/// What the critical path waits for: a bar per scenario.
Chart wait_chart(const std::vector<Compared>&);
/// How far each uncertain input moves the step.
Chart driver_chart(const Compared&);

} // namespace chokepoint::gui
