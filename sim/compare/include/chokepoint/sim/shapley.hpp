// SPDX-License-Identifier: Apache-2.0
// Shares out a difference over those who made it together, whatever order they came in.
#pragma once

#include <functional>
#include <vector>

namespace chokepoint::sim {

/// What a coalition achieves: several amounts at once.
using Amounts = std::vector<double>;

/// Shapley's value of each player (L. S. Shapley, A value for n-person games, Contributions to the Theory of
/// Games II, 1953): what it adds to those before it, averaged over all orders. The values add up to what all
/// achieve less what nobody does, in each amount; a player that changes nothing gets nothing.
/// @param worth of the coalition whose members' bits are set; called once for each of the 2^players
/// @throws std::invalid_argument if there are more than 16 players, or two worths differ in length.
std::vector<Amounts> shapley(int players, const std::function<Amounts(unsigned)>& worth);

} // namespace chokepoint::sim
