// SPDX-License-Identifier: Apache-2.0
// Looks up what the economic data say of a part, a fabric and a day.
#include <chokepoint/hwmodels/economics.hpp>

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

std::optional<Usd> network_cost_per_endpoint(const NetworkCosts& table, std::string_view fabric,
                                             double endpoints) {
    std::vector<NetworkCost> rows;
    std::ranges::copy_if(table.rows, std::back_inserter(rows),
                         [&](const NetworkCost& row) { return std::ranges::count(row.fabrics, fabric) > 0; });
    if (rows.empty()) {
        return std::nullopt;
    }
    std::ranges::sort(rows, {}, &NetworkCost::endpoints);
    const auto above =
        std::ranges::find_if(rows, [&](const auto& row) { return row.endpoints >= endpoints; });
    const auto each = [](const NetworkCost& row) { return row.cost / row.endpoints; };
    if (above == rows.begin() || above == rows.end()) {
        return each(above == rows.end() ? rows.back() : *above);
    }
    const NetworkCost& low = *(above - 1);
    const double at = std::log(endpoints / low.endpoints) / std::log(above->endpoints / low.endpoints);
    return each(low) * (1.0 - at) + each(*above) * at;
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
    return range;
}

} // namespace chokepoint::hw
