// SPDX-License-Identifier: Apache-2.0
// The four axioms that define Shapley's value, on games of random worths.
#include <chokepoint/sim/shapley.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <numeric>

using namespace chokepoint::sim;

namespace {

std::vector<double> random_worths(int players) {
    std::vector<double> worths;
    for (int i = 0; i < 1 << players; ++i) {
        worths.push_back(*rc::gen::inRange(-1000, 1000) / 7.0);
    }
    return worths;
}

std::function<Amounts(unsigned)> game(const std::vector<double>& worths) {
    return [&worths](unsigned coalition) { return Amounts{worths[coalition]}; };
}

double total(const std::vector<Amounts>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0,
                           [](double sum, const Amounts& value) { return sum + value.front(); });
}

} // namespace

RC_GTEST_PROP(Shapley, ValuesAddUpToWhatAllAchieve, ()) {
    const int players = *rc::gen::inRange(0, 8);
    const std::vector<double> worths = random_worths(players);
    RC_ASSERT(std::abs(total(shapley(players, game(worths))) - (worths.back() - worths.front())) < 1e-9);
}

RC_GTEST_PROP(Shapley, WhoChangesNothingGetsNothing, ()) {
    const int players = *rc::gen::inRange(1, 7);
    const int idle = *rc::gen::inRange(0, players);
    const std::vector<double> worths = random_worths(players);
    const auto values =
        shapley(players, [&](unsigned coalition) { return Amounts{worths[coalition & ~(1U << idle)]}; });
    RC_ASSERT(std::abs(values[static_cast<std::size_t>(idle)].front()) < 1e-12);
}

RC_GTEST_PROP(Shapley, EqualPlayersGetTheSame, ()) {
    const int players = *rc::gen::inRange(2, 8);
    const std::vector<double> worths = random_worths(players);
    const auto values = shapley(players, [&](unsigned coalition) { // only how many there are matters
        return Amounts{worths[static_cast<std::size_t>(std::popcount(coalition))]};
    });
    for (const Amounts& value : values) {
        RC_ASSERT(std::abs(value.front() - values.front().front()) < 1e-9);
    }
}

RC_GTEST_PROP(Shapley, PlayedFromTheOtherEndEveryValueChangesItsSign, ()) {
    const int players = *rc::gen::inRange(1, 7);
    const std::vector<double> worths = random_worths(players);
    const unsigned all = (1U << players) - 1U;
    const auto there = shapley(players, game(worths));
    const auto back = shapley(players, [&](unsigned coalition) { return Amounts{worths[all ^ coalition]}; });
    for (std::size_t i = 0; i < there.size(); ++i) {
        RC_ASSERT(std::abs(there[i].front() + back[i].front()) < 1e-9);
    }
}

TEST(Shapley, TwoGlovesAndOneAreWorthTheirShareOfOrders) {
    // Players 0 and 1 own a left glove each, 2 a right one; a pair is worth 1. The textbook's answer.
    const auto pairs = [](unsigned coalition) {
        return Amounts{(coalition & 4U) != 0 && (coalition & 3U) != 0 ? 1.0 : 0.0};
    };
    const auto values = shapley(3, pairs);
    EXPECT_NEAR(values[0].front(), 1.0 / 6.0, 1e-12);
    EXPECT_NEAR(values[1].front(), 1.0 / 6.0, 1e-12);
    EXPECT_NEAR(values[2].front(), 4.0 / 6.0, 1e-12);
}

TEST(Shapley, RefusesMorePlayersThanItCouldPlay) {
    EXPECT_THROW(shapley(17, [](unsigned) { return Amounts{}; }), std::invalid_argument);
}
