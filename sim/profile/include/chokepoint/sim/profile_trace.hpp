// SPDX-License-Identifier: Apache-2.0
// A profile as a timeline that stands beside the one a scenario simulates.
#pragma once

#include <chokepoint/sim/profile.hpp>

#include <chokepoint/hwmodels/kernel_rules.hpp>

namespace chokepoint::sim {

/// Chrome trace JSON (docs/schema/trace.schema.json) from the first kernel's start on: a track per stream,
/// spans named by their class and coloured as `to_trace_json` of a simulated step colours the same work.
std::string to_trace_json(const Profile&, const hw::KernelRules&);

} // namespace chokepoint::sim
