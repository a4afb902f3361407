// SPDX-License-Identifier: Apache-2.0
// What parts cost, draw and break, as cited figures: the data behind dollars, kilowatt-hours and
// interruptions.
#pragma once

#include <chokepoint/hwmodels/catalog.hpp>

#include <array>
#include <functional>

namespace chokepoint::hw {

/// Power of the parts of one family in a node. A part's GPU draws a share of its TDP by what it does; the
/// rest of its node (CPUs, NICs, switches, fans, losses of the supplies) draws `host` whatever the GPU does.
struct PowerProfile {
    std::string id;
    std::vector<std::string> parts;
    double compute = 0.0;       ///< share of the TDP while kernels run
    double communication = 0.0; ///< while only transfers run
    double idle = 0.0;          ///< while it waits for other GPUs
    Watts host;                 ///< for each GPU
    double rated = 1.0;         ///< rated power of the server, as a multiple of its GPUs' TDP
    std::map<std::string, Citation> citations;
    friend bool operator==(const PowerProfile&, const PowerProfile&) = default;
};

/// What one GPU costs to buy, without its server, in the dollars of its quotes' dates.
struct PurchasePrice {
    std::string id; ///< the part's
    Usd low, high;
    std::string released; ///< ISO date from which it could be bought
    std::map<std::string, Citation> citations;
    [[nodiscard]] Usd mid() const { return (low + high) / 2.0; }
    friend bool operator==(const PurchasePrice&, const PurchasePrice&) = default;
};

/// How ownership is counted.
enum class Depreciation {
    straight_line, ///< over the lifetime, with interest on the capital
    market_value   ///< by the yearly fall of price per performance from the day the part could be bought
};
std::string_view name(Depreciation);

struct OwnershipModel {
    std::string id, title;
    Depreciation depreciation = Depreciation::straight_line;
    double server_overhead = 1.0;        ///< price of GPU and server, as a multiple of the GPU's
    std::optional<double> network_share; ///< of the cluster's price; unset: by the table of fabrics
    Usd storage;                         ///< per GPU
    UsdPerWatt facility;                 ///< of IT power
    Seconds lifetime, facility_lifetime; ///< straight line
    double price_trend = 0.0;            ///< market value: orders of magnitude a year
    Seconds delay;                       ///< market value: from release until it is bought
    double utilisation = 1.0;            ///< share of the lifetime that is used and paid for by use
    double cost_of_capital = 0.0;        ///< a year
    UsdPerJoule power_price;
    std::optional<double>
        power_share; ///< of the rated power of the server, where that stands for the timeline's
    /// 5th and 95th percentile of figures that are known to a range, by key, in base units.
    std::map<std::string, std::array<double, 2>, std::less<>> ranges;
    std::map<std::string, Citation> citations;
    friend bool operator==(const OwnershipModel&, const OwnershipModel&) = default;
};

/// A built fabric and what its switches, optics and cables cost.
struct NetworkCost {
    std::string topology; ///< as its source calls it
    double endpoints = 0.0, switches = 0.0;
    double links = 0.0; ///< between switches
    Usd cost;
    friend bool operator==(const NetworkCost&, const NetworkCost&) = default;
};
/// What a table of built fabrics comes to for each of their parts.
struct NetworkPrices {
    Usd endpoint; ///< the cable of one NIC and the switch port that it takes
    Usd link;     ///< between two switches: cable, optics and a port at both ends
    friend bool operator==(const NetworkPrices&, const NetworkPrices&) = default;
};
struct NetworkCosts {
    std::vector<NetworkCost> rows;
    NetworkPrices prices; ///< network_prices(rows)
    Citation citation;
    [[nodiscard]] const NetworkCost* row_of(std::string_view topology) const;
};

struct Grid {
    std::string id, name;
    KilogramsPerJoule carbon; ///< CO2 equivalent over the life cycle
    std::map<std::string, Citation> citations;
    friend bool operator==(const Grid&, const Grid&) = default;
};

/// What a buyer pays on top of a part's price, in force from a day.
struct Premium {
    std::string id, title;
    std::vector<std::string> parts; ///< empty: any
    std::string since;              ///< ISO date
    double share = 0.0;             ///< of the price, on top of it
    std::map<std::string, Citation> citations;
    friend bool operator==(const Premium&, const Premium&) = default;
};

/// How often a cluster's jobs were interrupted.
struct FailureRecord {
    std::string id, title;
    Seconds gpu_mtbf;
    std::map<std::string, Citation> citations;
    friend bool operator==(const FailureRecord&, const FailureRecord&) = default;
};

/// Each list sorted by id.
struct Economics {
    std::vector<PowerProfile> power;
    std::vector<PurchasePrice> purchases;
    std::vector<OwnershipModel> cost_models;
    NetworkCosts networks;
    std::vector<Grid> grids;
    std::vector<Premium> premiums;
    std::vector<FailureRecord> failures;

    [[nodiscard]] const PowerProfile* power_of(std::string_view part) const;
    [[nodiscard]] const PurchasePrice* purchase_of(std::string_view part) const;
};

/// The shipped figures, then those of the user's catalog directories (a later file replaces an earlier one of
/// the same id): power/, purchase/, cost/, network/, grid/, premium/ and failure/*.toml.
/// @throws CatalogError with every fault of every file.
Economics load_economics(const std::vector<std::filesystem::path>& user_directories = {});

/// The two prices that come nearest to every row's cost, by least squares of the relative errors. Switches
/// have none of their own: in every row of 64-port switches their ports are, within 2%, those that the
/// endpoints and links take.
/// @throws std::invalid_argument if the rows do not tell the two apart or make one of them negative
NetworkPrices network_prices(const std::vector<NetworkCost>&);
/// Of so many NICs and links between switches.
Usd network_cost(const NetworkPrices&, double endpoints, double links);

/// A single quote says nothing of the spread of rents: low and high are this factor from it. Of the H800's
/// quotes of 2024 and 2025, 2.00 to 3.79 USD, the square root of highest over lowest.
inline constexpr double kSingleQuote = 1.38;

/// What a rental cost on a day: the lowest, median and highest quote dated within a year of it.
struct PriceRange {
    UsdPerSecond low, mid, high;
    std::vector<PriceEntry> quotes; ///< oldest first
    friend bool operator==(const PriceRange&, const PriceRange&) = default;
};
/// @param day ISO date. Nothing if no quote is that near.
std::optional<PriceRange> rental_price(const GpuSpec&, std::string_view day);

/// Years from one ISO date to another; a date without day or month stands for its middle.
double years_between(std::string_view from, std::string_view to);

} // namespace chokepoint::hw
