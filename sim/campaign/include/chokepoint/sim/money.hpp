// SPDX-License-Identifier: Apache-2.0
// What a campaign costs, item by item: rented by the GPU-hour, or bought, written off, housed and powered.
#pragma once

#include <chokepoint/hwmodels/economics.hpp>

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::sim {

/// A sum known to a range.
struct UsdRange {
    hw::Usd low, mid, high;
    friend bool operator==(const UsdRange&, const UsdRange&) = default;
};
UsdRange operator+(const UsdRange&, const UsdRange&);
UsdRange operator*(const UsdRange&, double);

struct CostItem {
    std::string name;
    UsdRange usd;
    friend bool operator==(const CostItem&, const CostItem&) = default;
};
UsdRange total(const std::vector<CostItem>&);

/// A cluster bought for use, per GPU.
struct Ownership {
    hw::OwnershipModel model;
    UsdRange accelerator;  ///< one GPU, without premium
    double premium = 1.0;  ///< multiplies its price
    hw::Usd network;       ///< of one GPU's NICs; where model.network_share is unset
    hw::Watts rated_power; ///< of the server, for each GPU: what the facility must feed and cool
    double pue = 1.0;      ///< of the building, where model.power_share stands for the timeline
    double age = 0.0;      ///< years from the day it was bought to the run (market value)
    friend bool operator==(const Ownership&, const Ownership&) = default;
};

/// A figure of ownership that a cost model may know to a range.
struct OwnershipFigure {
    std::string_view key;   ///< in the cost model's file
    std::string_view label; ///< as reports call it
    double (*get)(const hw::OwnershipModel&);
    void (*set)(hw::OwnershipModel&, double);              ///< in base units
    double most = std::numeric_limits<double>::infinity(); ///< that it can be
};
std::span<const OwnershipFigure> ownership_figures();

/// What a run needs of a cluster.
struct Usage {
    hw::Seconds gpu_time; ///< GPU-seconds, spares included
    hw::Seconds wall;
    hw::Joules energy; ///< of the building
};

/// Accelerators, premium, servers, network, storage and facility as they are used up; interest; power.
/// Straight line: price / lifetime / utilisation for each second, and the interest of an annuity at the cost
/// of capital. Market value (Cottier et al., arXiv 2405.21015): the value on the first day, price x
/// 10^(-trend x age), less that on the last.
std::vector<CostItem> ownership_cost(const Ownership&, const Usage&);

/// One item of rent, and one of the premium if there is any.
std::vector<CostItem> rental_cost(const hw::PriceRange&, double premium, const Usage&);

/// What an annuity of a loan of 1 pays in interest over the whole term of `years`: 0 at no rate.
double interest(double rate, double years);

} // namespace chokepoint::sim
