// SPDX-License-Identifier: Apache-2.0
// Shapley's value by its definition: every coalition, weighted by the orders in which it comes first.
#include <chokepoint/sim/shapley.hpp>

#include <fmt/format.h>

#include <bit>
#include <stdexcept>

namespace chokepoint::sim {
namespace {

constexpr int kMostPlayers = 16; // 65,536 coalitions

/// Share of the orders of `players` in which exactly `before` given ones come before a given other one:
/// before! (players - before - 1)! / players!.
double order_share(int players, int before) {
    double share = 1.0 / players;
    for (int i = 1; i <= before; ++i) {
        share *= static_cast<double>(i) / (players - i);
    }
    return share;
}

} // namespace

std::vector<Amounts> shapley(int players, const std::function<Amounts(unsigned)>& worth) {
    if (players < 0 || players > kMostPlayers) {
        throw std::invalid_argument(fmt::format("{} players; expected at most {}", players, kMostPlayers));
    }
    std::vector<Amounts> worths;
    for (unsigned coalition = 0; coalition < 1U << players; ++coalition) {
        worths.push_back(worth(coalition));
        if (worths.back().size() != worths.front().size()) {
            throw std::invalid_argument(fmt::format("a coalition is worth {} amounts and another {}",
                                                    worths.back().size(), worths.front().size()));
        }
    }
    std::vector<Amounts> values(static_cast<std::size_t>(players), Amounts(worths.front().size(), 0.0));
    for (unsigned coalition = 0; coalition < worths.size(); ++coalition) {
        for (int player = 0; player < players; ++player) {
            const unsigned joined = coalition | 1U << player;
            if (joined == coalition) {
                continue;
            }
            const double share = order_share(players, std::popcount(coalition));
            Amounts& value = values[static_cast<std::size_t>(player)];
            for (std::size_t i = 0; i < value.size(); ++i) {
                value[i] += share * (worths[joined][i] - worths[coalition][i]);
            }
        }
    }
    return values;
}

} // namespace chokepoint::sim
