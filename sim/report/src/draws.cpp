// SPDX-License-Identifier: Apache-2.0
// Shuffles the ranges of a normal distribution.
#include <chokepoint/sim/draws.hpp>

#include <chokepoint/sim/quantile.hpp>

#include "mixing.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace chokepoint::sim {

namespace {

std::vector<double> middles() {
    std::vector<double> made(kEvenDraws);
    for (std::size_t i = 0; i < kEvenDraws; ++i) {
        made[i] = normal_quantile((static_cast<double>(i) + 0.5) / static_cast<double>(kEvenDraws));
    }
    return made;
}

} // namespace

double normal_quantile(double share) {
    constexpr int kIterations = 60;
    constexpr double kEnough = 1e-14;
    double x = 0.0;
    for (int i = 0; i < kIterations; ++i) { // Newton from the middle, which cannot overshoot on either side
        const double below = 0.5 * std::erfc(-x / std::numbers::sqrt2);
        const double density = std::exp(-0.5 * x * x) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
        const double change = (share - below) / density;
        x += change;
        if (std::abs(change) < kEnough) {
            break;
        }
    }
    return x;
}

const std::vector<double>& EvenDraws::of(std::string_view name) {
    static const std::vector<double> kMiddles = middles();
    const auto found = known_.find(name);
    if (found != known_.end()) {
        return found->second;
    }
    std::vector<double> shuffled = kMiddles;
    std::uint64_t state = 0;
    for (const char c : name) {
        state = mixed(state ^ static_cast<unsigned char>(c));
    }
    for (std::size_t left = shuffled.size(); left > 1; --left) { // Fisher and Yates
        state = mixed(state);
        std::swap(shuffled[left - 1], shuffled[state % left]);
    }
    return known_.emplace(name, std::move(shuffled)).first->second;
}

std::vector<double> step_seconds(const StepResponse& response, EvenDraws& draws) {
    std::vector<const std::vector<double>*> columns;
    for (const Variable& variable : response.work.variables()) {
        columns.push_back(&draws.of(variable.name));
    }
    std::vector<double> made(kEvenDraws);
    std::vector<double> deviates(columns.size());
    for (std::size_t draw = 0; draw < kEvenDraws; ++draw) {
        std::ranges::transform(columns, deviates.begin(),
                               [&](const auto* column) { return (*column)[draw]; });
        made[draw] = response.seconds(response.work.factors(deviates));
    }
    return made;
}

Percentiles percentiles(std::vector<double> values) {
    std::ranges::sort(values);
    return {quantile(values, 0.05), quantile(values, 0.5), quantile(values, 0.95)};
}

} // namespace chokepoint::sim
