// SPDX-License-Identifier: Apache-2.0
// Prices times time: rent, depreciation, interest, power.
#include <chokepoint/sim/money.hpp>

#include <array>
#include <cmath>
#include <type_traits>

namespace chokepoint::sim {

using hw::Usd;

namespace {

constexpr hw::Seconds kYear{365.25 * 86400.0};

UsdRange flat(Usd usd) { return {usd, usd, usd}; }

/// Of one GPU, before it is used up.
struct Capital {
    UsdRange accelerator, premium, server, network;
    Usd storage, facility;
};

Capital capital_of(const Ownership& own) {
    const hw::OwnershipModel& model = own.model;
    Capital capital;
    capital.accelerator = own.accelerator;
    capital.premium = own.accelerator * (own.premium - 1.0);
    capital.server = own.accelerator * (model.server_overhead - 1.0);
    if (model.network_share) {
        const double for_each_dollar = *model.network_share / (1.0 - *model.network_share);
        capital.network = (capital.accelerator + capital.server) * for_each_dollar;
    } else {
        capital.network = flat(own.network);
    }
    capital.storage = model.storage;
    capital.facility = model.facility * own.rated_power;
    return capital;
}

void add(std::vector<CostItem>& items, std::string_view name, const UsdRange& usd) {
    if (usd.high > Usd()) {
        items.push_back({std::string(name), usd});
    }
}

std::vector<CostItem> straight_line(const Ownership& own, const Capital& capital, const Usage& usage) {
    const hw::OwnershipModel& model = own.model;
    const hw::Seconds paid = usage.gpu_time / model.utilisation;
    const double it = paid / model.lifetime;
    const double building = paid / model.facility_lifetime;
    std::vector<CostItem> items;
    add(items, "accelerators", capital.accelerator * it);
    add(items, "premium", capital.premium * it);
    add(items, "servers", capital.server * it);
    add(items, "network", capital.network * it);
    add(items, "storage", flat(capital.storage) * it);
    add(items, "facility", flat(capital.facility) * building);
    const UsdRange equipment =
        capital.accelerator + capital.premium + capital.server + capital.network + flat(capital.storage);
    add(items, "interest",
        equipment * (it * interest(model.cost_of_capital, model.lifetime / kYear)) +
            flat(capital.facility) *
                (building * interest(model.cost_of_capital, model.facility_lifetime / kYear)));
    return items;
}

std::vector<CostItem> market_value(const Ownership& own, const Capital& capital, const Usage& usage) {
    const auto left = [&](double years) { return std::pow(10.0, -own.model.price_trend * years); };
    const double gpus = usage.wall > hw::Seconds() ? usage.gpu_time / usage.wall : 0.0;
    const double used_up = gpus * left(own.age) * (1.0 - left(usage.wall / kYear));
    std::vector<CostItem> items;
    add(items, "accelerators", capital.accelerator * used_up);
    add(items, "premium", capital.premium * used_up);
    add(items, "servers", capital.server * used_up);
    add(items, "network", capital.network * used_up);
    return items;
}

using Model = hw::OwnershipModel;
template <auto Member> double get(const Model& model) {
    if constexpr (requires { (model.*Member).value(); }) {
        return (model.*Member).value();
    } else {
        return model.*Member;
    }
}
template <auto Member> void set(Model& model, double value) {
    model.*Member = std::remove_cvref_t<decltype(model.*Member)>(value);
}
template <auto Member>
constexpr OwnershipFigure owned(std::string_view key, std::string_view label,
                                double most = std::numeric_limits<double>::infinity()) {
    return {key, label, &get<Member>, &set<Member>, most};
}
constexpr std::array kFigures{
    owned<&Model::server_overhead>("server_overhead", "price of servers"),
    owned<&Model::storage>("storage", "price of storage"),
    owned<&Model::facility>("facility", "price of the building"),
    owned<&Model::lifetime>("lifetime", "lifetime of the equipment"),
    owned<&Model::facility_lifetime>("facility_lifetime", "lifetime of the building"),
    owned<&Model::price_trend>("price_trend", "yearly loss of value"),
    owned<&Model::utilisation>("utilisation", "utilisation", 1.0),
    owned<&Model::cost_of_capital>("cost_of_capital", "cost of capital"),
    owned<&Model::power_price>("power_price", "price of electricity"),
};

} // namespace

std::span<const OwnershipFigure> ownership_figures() { return kFigures; }

UsdRange operator+(const UsdRange& a, const UsdRange& b) {
    return {a.low + b.low, a.mid + b.mid, a.high + b.high};
}

UsdRange operator*(const UsdRange& range, double factor) {
    return {range.low * factor, range.mid * factor, range.high * factor};
}

UsdRange total(const std::vector<CostItem>& items) {
    UsdRange sum;
    for (const CostItem& item : items) {
        sum = sum + item.usd;
    }
    return sum;
}

double interest(double rate, double years) {
    return rate > 0.0 ? years * rate / (1.0 - std::pow(1.0 + rate, -years)) - 1.0 : 0.0;
}

std::vector<CostItem> ownership_cost(const Ownership& own, const Usage& usage) {
    const Capital capital = capital_of(own);
    std::vector<CostItem> items = own.model.depreciation == hw::Depreciation::straight_line
                                      ? straight_line(own, capital, usage)
                                      : market_value(own, capital, usage);
    const hw::Joules energy = own.model.power_share
                                  ? own.rated_power * *own.model.power_share * usage.gpu_time * own.pue
                                  : usage.energy;
    add(items, "power", flat(own.model.power_price * energy));
    return items;
}

std::vector<CostItem> rental_cost(const hw::PriceRange& price, double premium, const Usage& usage) {
    const UsdRange rent{price.low * usage.gpu_time, price.mid * usage.gpu_time, price.high * usage.gpu_time};
    std::vector<CostItem> items;
    add(items, "rent", rent);
    add(items, "premium", rent * (premium - 1.0));
    return items;
}

} // namespace chokepoint::sim
