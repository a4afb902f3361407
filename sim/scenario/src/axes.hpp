// SPDX-License-Identifier: Apache-2.0
// Reads axes: from [sweep] of a scenario, and from the command line.
#pragma once

#include "key.hpp"

#include <chokepoint/sim/scenario_template.hpp>

namespace chokepoint::sim::loader {

/// Takes [sweep] out of a document.
std::vector<Axis> take_axes(Document&, const Library&, std::vector<Diagnostic>& faults);

/// "plan.tensor=1,2; plan.expert=8,4", as the command line has it.
Axis axis_from(const std::string& text, const Place&, const Library&, std::vector<Diagnostic>& faults);

} // namespace chokepoint::sim::loader
