// SPDX-License-Identifier: Apache-2.0
// Rank correlation says how well all are ordered; pairs that differ, and the pick, say what that matters.
#include "choice.hpp"

#include <chokepoint/sim/validation_report.hpp>

#include <algorithm>
#include <vector>

namespace chokepoint::sim {
namespace {

/// 1 for the same order, 0 for the other, a half where the prediction sees no difference.
double agreement(const Rates& a, const Rates& b) {
    if (a.predicted == b.predicted) {
        return 0.5;
    }
    return (a.measured < b.measured) == (a.predicted < b.predicted) ? 1.0 : 0.0;
}

std::optional<double> share_in_order(std::span<const Rates> rates) {
    constexpr double kApart = 1.1;
    double right = 0.0;
    int pairs = 0;
    for (std::size_t i = 0; i < rates.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const auto [low, high] = std::minmax(rates[i].measured, rates[j].measured);
            if (high >= kApart * low) {
                right += agreement(rates[i], rates[j]);
                ++pairs;
            }
        }
    }
    return pairs > 0 ? std::optional(right / pairs) : std::nullopt;
}

} // namespace

std::optional<Choice> judge(std::span<const Rates> rates) {
    std::vector<std::pair<double, double>> pairs;
    for (const Rates& each : rates) {
        pairs.emplace_back(each.measured, each.predicted);
    }
    const std::optional<double> rank = spearman(pairs);
    if (!rank) {
        return std::nullopt;
    }
    const double best = std::ranges::max(rates, {}, &Rates::measured).measured;
    const Rates& picked = std::ranges::max(rates, {}, &Rates::predicted);
    return Choice{*rank, share_in_order(rates), best / picked.measured - 1.0};
}

} // namespace chokepoint::sim
