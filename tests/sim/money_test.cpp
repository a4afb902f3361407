// SPDX-License-Identifier: Apache-2.0
// Laws of dollars and kilowatt-hours: parts add up, limits hold, and the published formula comes out.
#include <chokepoint/sim/energy.hpp>
#include <chokepoint/sim/money.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

using namespace chokepoint;
using hw::Seconds;
using hw::Usd;
using sim::CostItem;
using sim::Ownership;

namespace {

constexpr Seconds kYear{365.25 * 86400.0};

double share(double low, double high) { return low + (high - low) * *rc::gen::inRange(0, 1001) / 1000.0; }

Ownership owned() {
    Ownership own;
    own.model.server_overhead = 1.5;
    own.model.storage = Usd(1000.0);
    own.model.facility = hw::UsdPerWatt(10.0);
    own.model.lifetime = 4.0 * kYear;
    own.model.facility_lifetime = 16.0 * kYear;
    own.model.utilisation = 0.8;
    own.model.power_price = hw::UsdPerJoule(0.1 / 3.6e6);
    own.accelerator = {Usd(20000.0), Usd(30000.0), Usd(40000.0)};
    own.network = Usd(4000.0);
    own.rated_power = hw::Watts(1000.0);
    return own;
}

Usd item(const std::vector<CostItem>& items, std::string_view name) {
    const auto found = std::ranges::find(items, name, &CostItem::name);
    return found == items.end() ? Usd() : found->usd.mid;
}

} // namespace

TEST(Ownership, AFullyUsedLifetimePaysThePrice) {
    const Ownership own = owned();
    const sim::Usage usage{0.8 * 4.0 * kYear, 4.0 * kYear, hw::Joules()};
    const auto items = sim::ownership_cost(own, usage);
    EXPECT_NEAR(item(items, "accelerators").value(), 30000.0, 1e-6);
    EXPECT_NEAR(item(items, "servers").value(), 15000.0, 1e-6);
    EXPECT_NEAR(item(items, "network").value(), 4000.0, 1e-6);
    EXPECT_NEAR(item(items, "storage").value(), 1000.0, 1e-6);
    EXPECT_NEAR(item(items, "facility").value(), 10000.0 / 4.0, 1e-6);
    EXPECT_EQ(item(items, "interest"), Usd());
    EXPECT_EQ(item(items, "power"), Usd());
}

TEST(Ownership, PowerIsItsEnergy) {
    const sim::Usage usage{kYear, kYear, hw::Joules(3.6e9)};
    EXPECT_NEAR(item(sim::ownership_cost(owned(), usage), "power").value(), 100.0, 1e-9);
}

TEST(Ownership, AnAnnuityPaysBackItsLoan) {
    // Each year's payment, discounted, adds up to the loan.
    for (const double rate : {0.01, 0.1, 0.3}) {
        const double payment = (1.0 + sim::interest(rate, 5.0)) / 5.0;
        double worth = 0.0;
        for (int year = 1; year <= 5; ++year) {
            worth += payment * std::pow(1.0 + rate, -year);
        }
        EXPECT_NEAR(worth, 1.0, 1e-12);
    }
    EXPECT_EQ(sim::interest(0.0, 5.0), 0.0);
}

RC_GTEST_PROP(Ownership, CostIsProportionalToGpuTimeOnAStraightLine, ()) {
    Ownership own = owned();
    own.model.cost_of_capital = share(0.0, 0.5);
    own.premium = share(1.0, 3.0);
    const double factor = share(0.1, 20.0);
    const sim::Usage usage{kYear, kYear, hw::Joules(1e9)};
    const sim::Usage more{kYear * factor, kYear, hw::Joules(1e9) * factor};
    const auto once = sim::total(sim::ownership_cost(own, usage));
    const auto often = sim::total(sim::ownership_cost(own, more));
    RC_ASSERT(std::abs(often.mid / once.mid - factor) < 1e-9 * factor);
    RC_ASSERT(once.low < once.mid && once.mid < once.high);
}

TEST(Ownership, APremiumIsPaidOnTheAcceleratorAlone) {
    Ownership own = owned();
    own.premium = 1.5;
    const sim::Usage usage{0.8 * 4.0 * kYear, 4.0 * kYear, hw::Joules()};
    const auto with = sim::ownership_cost(own, usage);
    EXPECT_NEAR(item(with, "premium").value(), 15000.0, 1e-6);
    EXPECT_EQ(item(with, "servers"), item(sim::ownership_cost(owned(), usage), "servers"));
}

TEST(Ownership, MarketValueComesToThePublishedFormula) {
    // Cottier et al., arXiv 2405.21015: start value x chip-hours / (365 x 24) x r ln 10, to first order.
    Ownership own = owned();
    own.model.depreciation = hw::Depreciation::market_value;
    own.model.price_trend = 0.14;
    own.model.network_share = 0.19;
    own.age = 1.7;
    const Seconds wall = kYear / 24.0;
    const double chips = 2048.0;
    const auto items = sim::ownership_cost(own, {wall * chips, wall, hw::Joules()});
    const double start = (30000.0 + 15000.0) * std::pow(10.0, -0.14 * 1.7);
    const double first_order = start * chips / 24.0 * 0.14 * std::log(10.0);
    EXPECT_NEAR((item(items, "accelerators") + item(items, "servers")).value() / first_order, 1.0, 0.01);
    EXPECT_NEAR(item(items, "network") / sim::total(items).mid, 0.19, 1e-12);
}

TEST(Rent, IsPriceTimesTimeAndPremiumOnTop) {
    const hw::UsdPerSecond two(2.0 / 3600.0);
    const hw::PriceRange price{two * 0.5, two, two * 2.0, {}};
    const sim::Usage usage{1e6 * hw::kHour, Seconds(1.0), hw::Joules()};
    EXPECT_NEAR(sim::total(sim::rental_cost(price, 1.0, usage)).mid.value(), 2e6, 1e-3);
    const auto dearer = sim::total(sim::rental_cost(price, 1.25, usage));
    EXPECT_NEAR(dearer.low.value(), 1.25e6, 1e-3);
    EXPECT_NEAR(dearer.high.value(), 5e6, 1e-3);
}

RC_GTEST_PROP(Energy, LiesBetweenIdleAndCompute, ()) {
    const sim::PowerStates states{hw::Watts(600.0), hw::Watts(350.0), hw::Watts(100.0), hw::Watts(300.0),
                                  1.25};
    const double compute = share(0.0, 1.0);
    const double communication = share(0.0, 1.0 - compute);
    const sim::BusyShares shares{compute, communication, 1.0 - compute - communication};
    const hw::Watts power = sim::node_power(states, shares);
    RC_ASSERT(power.value() >= 400.0 - 1e-9 && power.value() <= 900.0 + 1e-9);
    RC_ASSERT(std::abs(sim::energy(states, shares, Seconds(10.0)).value() - 12.5 * power.value()) < 1e-6);
    RC_ASSERT(sim::peak_power(states, 8).value() == 8 * 900.0 * 1.25);
}

TEST(Energy, SharesOfTheTimeAddUpToOne) {
    EXPECT_THROW((void)sim::node_power({}, {0.5, 0.2, 0.2}), std::invalid_argument);
}
