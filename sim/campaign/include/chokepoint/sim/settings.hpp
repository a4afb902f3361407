// SPDX-License-Identifier: Apache-2.0
// What a scenario says of failures, energy and money, once the catalog has filled in what it leaves open.
#pragma once

#include <chokepoint/sim/calendar.hpp>
#include <chokepoint/sim/energy.hpp>
#include <chokepoint/sim/money.hpp>
#include <chokepoint/sim/reliability.hpp>

#include <optional>
#include <string>
#include <vector>

namespace chokepoint::sim {

struct FailureSettings {
    Reliability process;
    hw::Bytes state; ///< that a checkpoint saves
    int trials = 0;  ///< of the Monte-Carlo; 0: none
    std::uint64_t seed = 0;
    friend bool operator==(const FailureSettings&, const FailureSettings&) = default;
};

struct EnergySettings {
    PowerStates states;
    hw::KilogramsPerJoule carbon;
    std::string grid; ///< where the carbon intensity comes from
    friend bool operator==(const EnergySettings&, const EnergySettings&) = default;
};

enum class PriceLevel { low, mid, high };
std::string_view name(PriceLevel);
std::optional<PriceLevel> price_level_from(std::string_view);
hw::Usd at(PriceLevel, const UsdRange&);

struct CostSettings {
    std::string title; ///< what is counted
    PriceLevel level = PriceLevel::mid;
    std::optional<hw::PriceRange> rent; ///< one of these two
    std::optional<Ownership> ownership;
    double premium = 1.0;  ///< multiplies the price of the accelerator, or the rent
    double research = 0.0; ///< spent on experiments for each dollar of the training itself
    hw::Usd staff;         ///< of the whole campaign
    std::optional<Day> day;
    std::vector<std::string> notes; ///< whose dollars, which premiums
    friend bool operator==(const CostSettings&, const CostSettings&) = default;
};

} // namespace chokepoint::sim
