// SPDX-License-Identifier: Apache-2.0
// Runs the sides of a comparison and explains them.
#include <chokepoint/sim/comparison.hpp>

#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace chokepoint::sim {
namespace {

/// What all of them know.
Measure most_telling(const std::vector<Side>& sides) {
    Measure least = Measure::usd;
    for (const Side& side : sides) {
        least = std::min(least, most_telling(side.report));
    }
    return least;
}

void expect_known(const std::vector<Side>& sides, Measure measure) {
    for (const Side& side : sides) {
        if (!parts_of(side.report, measure)) {
            throw std::invalid_argument(fmt::format("{}: says nothing of the {}; it has no {}",
                                                    side.scenario.file(), label(measure),
                                                    side.report.campaign ? "price" : "campaign"));
        }
    }
}

} // namespace

char letter(std::size_t side) { return static_cast<char>('A' + side); }

Comparison compare(std::vector<Side> sides, std::optional<Measure> headline, const RunOptions& options) {
    if (sides.empty() || sides.size() > kMostSides) {
        throw std::invalid_argument(
            fmt::format("{} scenarios to compare; expected 1 to {}", sides.size(), kMostSides));
    }
    StepCache own;
    RunOptions shared = options;
    shared.cache = options.cache != nullptr ? options.cache : &own;
    for (Side& side : sides) {
        side.report = run(side.scenario, shared);
    }
    Comparison comparison;
    comparison.headline = headline.value_or(most_telling(sides));
    expect_known(sides, comparison.headline);
    for (std::size_t i = 1; i < sides.size(); ++i) {
        comparison.waterfalls.push_back(waterfalls(sides[0].scenario, sides[i].scenario, shared));
        comparison.differences.push_back(differences(sides[0].report, sides[i].report));
    }
    comparison.sides = std::move(sides);
    return comparison;
}

const Waterfall& headline_waterfall(const Comparison& comparison, std::size_t side) {
    const std::vector<Waterfall>& found = comparison.waterfalls.at(side - 1);
    return *std::ranges::find(found, comparison.headline, &Waterfall::measure);
}

const Difference& headline_difference(const Comparison& comparison, std::size_t side) {
    return *std::ranges::find(comparison.differences.at(side - 1), comparison.headline, &Difference::measure);
}

std::string amount_text(Measure measure, double amount, double largest) {
    switch (measure) {
    case Measure::step_seconds:
        return hw::to_text(hw::Seconds(amount));
    case Measure::gpu_hours:
        return hw::group_digits(amount);
    case Measure::days:
        return fmt::format("{:.1f}", amount);
    case Measure::usd:
        constexpr double kMillion = 1e6;
        constexpr double kShown = 0.5e-3 * kMillion; // the least that does not round to nothing
        if (largest < kMillion) {
            return money_text(hw::Usd(amount));
        }
        return std::abs(amount) < kShown ? money_text(hw::Usd(0.0))
                                         : fmt::format("{:.3f} M USD", amount / kMillion);
    }
    throw std::logic_error("a measure without a text");
}

std::string change_text(Measure measure, double change, double largest) {
    const std::string size = amount_text(measure, std::abs(change), largest);
    const bool nothing = change == 0.0 || size == amount_text(measure, 0.0);
    return nothing ? "0" : (change < 0.0 ? "-" : "+") + size;
}

double largest_amount(const Waterfall& waterfall) {
    return std::max(std::abs(sum(waterfall.from)), std::abs(sum(waterfall.to)));
}

} // namespace chokepoint::sim
