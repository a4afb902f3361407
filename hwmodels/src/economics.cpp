// SPDX-License-Identifier: Apache-2.0
// Looks up what the economic data say of a part, a fabric and a day.
#include <chokepoint/hwmodels/economics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

constexpr double kDaysPerYear = 365.25;

/// Days since 1970; "2024" is its July, "2024-12" its 15th.
double day_number(std::string_view date) {
    const auto part = [&](std::size_t from, std::size_t digits, int missing) {
        return date.size() >= from + digits ? std::atoi(std::string(date.substr(from, digits)).c_str())
                                            : missing;
    };
    const std::chrono::year_month_day day{std::chrono::year(part(0, 4, 1970)),
                                          std::chrono::month(static_cast<unsigned>(part(5, 2, 7))),
                                          std::chrono::day(static_cast<unsigned>(part(8, 2, 15)))};
    return static_cast<double>(std::chrono::sys_days(day).time_since_epoch().count());
}

} // namespace

std::string_view name(Depreciation depreciation) {
    return depreciation == Depreciation::straight_line ? "straight-line" : "market-value";
}

const PowerProfile* Economics::power_of(std::string_view part) const {
    const auto found = std::ranges::find_if(
        power, [&](const PowerProfile& p) { return std::ranges::find(p.parts, part) != p.parts.end(); });
    return found == power.end() ? nullptr : &*found;
}

const PurchasePrice* Economics::purchase_of(std::string_view part) const {
    const auto found = std::ranges::find(purchases, part, &PurchasePrice::id);
    return found == purchases.end() ? nullptr : &*found;
}

double years_between(std::string_view from, std::string_view to) {
    return (day_number(to) - day_number(from)) / kDaysPerYear;
}

const NetworkCost* NetworkCosts::row_of(std::string_view topology) const {
    const auto found = std::ranges::find(rows, topology, &NetworkCost::topology);
    return found == rows.end() ? nullptr : &*found;
}

NetworkPrices network_prices(const std::vector<NetworkCost>& rows) {
    double ee = 0.0, el = 0.0, ll = 0.0, e = 0.0, l = 0.0; // sums of products of the rows' shares
    for (const NetworkCost& row : rows) {
        const double endpoints = row.endpoints / row.cost.value();
        const double links = row.links / row.cost.value();
        ee += endpoints * endpoints;
        el += endpoints * links;
        ll += links * links;
        e += endpoints;
        l += links;
    }
    constexpr double kApart = 1e-6;
    const double determinant = ee * ll - el * el;
    if (rows.empty() || determinant <= kApart * ee * ll) {
        throw std::invalid_argument(
            "all rows have as many links for each endpoint; expected two that differ, "
            "to tell the price of the one from that of the other");
    }
    const NetworkPrices prices{Usd((e * ll - l * el) / determinant), Usd((l * ee - e * el) / determinant)};
    if (prices.endpoint <= Usd() || prices.link <= Usd()) {
        throw std::invalid_argument(fmt::format("the rows come to {} for an endpoint and {} for a link; "
                                                "expected both above zero",
                                                to_text(prices.endpoint), to_text(prices.link)));
    }
    return prices;
}

Usd network_cost(const NetworkPrices& prices, double endpoints, double links) {
    return prices.endpoint * endpoints + prices.link * links;
}

std::optional<PriceRange> rental_price(const GpuSpec& gpu, std::string_view day) {
    PriceRange range;
    std::ranges::copy_if(gpu.prices, std::back_inserter(range.quotes), [&](const PriceEntry& quote) {
        return std::abs(years_between(quote.date, day)) <= 1.0;
    });
    if (range.quotes.empty()) {
        return std::nullopt;
    }
    std::vector<UsdPerSecond> prices;
    std::ranges::transform(range.quotes, std::back_inserter(prices), &PriceEntry::per_gpu);
    std::ranges::sort(prices);
    range.low = prices.front();
    range.high = prices.back();
    range.mid = (prices[(prices.size() - 1) / 2] + prices[prices.size() / 2]) / 2.0;
    if (prices.size() == 1) {
        range.low = range.mid / kSingleQuote;
        range.high = range.mid * kSingleQuote;
    }
    return range;
}

} // namespace chokepoint::hw
