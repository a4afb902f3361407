// SPDX-License-Identifier: Apache-2.0
// How many GPUs of another kind do the same job in the same days or for the same money.
#pragma once

#include <chokepoint/sim/waterfall.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace chokepoint::sim {

enum class Match {
    gpus, ///< as many GPUs
    days, ///< the campaign ends on the same day
    usd   ///< it costs the same
};
std::string_view name(Match);
std::optional<Match> match_from(std::string_view);

struct Matched {
    Scenario scenario; ///< with the number of nodes that comes nearest
    Match by = Match::gpus;
    int gpus_before = 0;
    double target = 0.0, reached = 0.0; ///< GPUs, days or dollars
    std::string limit;                  ///< why it is not nearer; empty where it is exact
};

/// The scenario with so many nodes; nothing if the loader refuses it.
using Resize = std::function<std::optional<Scenario>(int nodes)>;

/// Only whole data-parallel replicas that divide the global batch are tried, from the scenario's own number
/// towards the target, since time falls and cost rises with it, until it is passed, no further count is
/// feasible, or cost hardly changes any more.
/// @throws std::invalid_argument if a scenario has no campaign, or none with a price where money is matched.
Matched match(const Scenario& target, const Scenario& scenario, Match, const Resize&, const RunOptions& = {});

} // namespace chokepoint::sim
