// SPDX-License-Identifier: Apache-2.0
// Unions and intersections of stretches of time, in whole nanoseconds: exact.
#pragma once

#include <chokepoint/sim/profile.hpp>

#include <vector>

namespace chokepoint::sim {

/// From `start` until before `end`.
struct Stretch {
    ProfileTime start{}, end{};
    friend auto operator<=>(const Stretch&, const Stretch&) = default;
};

/// Disjoint, not even touching, ascending, none empty.
using Stretches = std::vector<Stretch>;

/// Adds a stretch that starts no earlier than the last one of them.
void append(Stretches&, const Stretch&);
/// Of stretches in any order that may overlap.
Stretches unite(std::vector<Stretch>);
Stretches intersect(const Stretches&, const Stretches&);
ProfileTime length(const Stretches&);

} // namespace chokepoint::sim
