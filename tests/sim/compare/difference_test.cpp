// SPDX-License-Identifier: Apache-2.0
// What two runs share cancels in their difference, and what only one has does not.
#include "clusters.hpp"

#include <chokepoint/sim/difference.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

using namespace chokepoint;
using sim::Difference;
using sim::Measure;

TEST(Difference, OfARunWithItselfIsCertain) {
    const sim::RunReport a = sim::run(test::small());
    for (const Difference& difference : sim::differences(a, a)) {
        EXPECT_EQ(difference.centre, 0.0);
        EXPECT_EQ(difference.sigma, 0.0);
        EXPECT_THAT(difference.percentiles, testing::Each(0.0));
        EXPECT_GT(difference.independent_sigma, 0.0);
    }
}

TEST(Difference, OfTwiceTheTokensIsAsUnsureAsTheHalf) {
    // Twice the GPU-hours of the same step: every term moves the difference as it moves the first run.
    const sim::RunReport a = sim::run(test::small());
    const sim::RunReport b = sim::run(test::small({"campaign.tokens=2e11"}));
    const std::vector<Difference> found = sim::differences(a, b);
    ASSERT_EQ(found[1].measure, Measure::gpu_hours);
    EXPECT_NEAR(found[1].sigma, a.uncertainty.gpu_hours_sigma * a.campaign->gpu_hours, 1e-9 * found[1].sigma);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(found[1].percentiles[i] / a.uncertainty.gpu_hours[i], 1.0, 1e-9);
    }
    EXPECT_EQ(found[0].sigma, 0.0);
}

TEST(Difference, OfPartsOfOneArchitectureIsSurerThanIfTheySharedNothing) {
    const sim::RunReport a = sim::run(test::small());
    const sim::RunReport same = sim::run(test::small({"cluster.caps.nvlink=100 GB/s"}));
    const sim::RunReport other = sim::run(test::small({"cluster.gpu=a100-sxm"}));
    const Difference capped = sim::differences(a, same)[0];
    EXPECT_LT(capped.sigma, 0.5 * capped.independent_sigma);
    const Difference older = sim::differences(a, other)[0];
    EXPECT_GT(older.sigma, 0.5 * older.independent_sigma); // kernels of two architectures err each for itself
}

TEST(Difference, BackwardsIsAsSure) {
    const sim::RunReport a = sim::run(test::small());
    const sim::RunReport b = sim::run(test::small(
        {"cluster.gpu=h20-sxm", "reliability.gpu_mtbf=5000 h", "reliability.checkpoint_time=30 s"}));
    const std::vector<Difference> there = sim::differences(a, b);
    const std::vector<Difference> back = sim::differences(b, a);
    for (std::size_t i = 0; i < there.size(); ++i) {
        EXPECT_DOUBLE_EQ(there[i].centre, -back[i].centre);
        EXPECT_DOUBLE_EQ(there[i].sigma, back[i].sigma);
        for (std::size_t share = 0; share < 3; ++share) {
            EXPECT_NEAR(there[i].percentiles[share], -back[i].percentiles[2 - share],
                        1e-9 * std::abs(there[i].centre));
        }
    }
}

TEST(Uncertainty, OfACampaignCountsOnlyWhatIsNotGiven) {
    const sim::RunReport a = sim::run(test::small());
    EXPECT_NEAR(a.uncertainty.gpu_hours_sigma, a.uncertainty.relative_sigma, 1e-9);
    EXPECT_NEAR(a.uncertainty.usd_sigma, a.uncertainty.relative_sigma, 1e-9); // at a price that is given
}

TEST(Uncertainty, PricesPowerAndFailureRateMoveDollarsAndNotTheStep) {
    const sim::RunReport plain = sim::run(test::small());
    const sim::RunReport owned =
        sim::run(test::small({"cost.model=bottom-up", "energy.grid=china", "reliability.gpu_mtbf=5000 h",
                              "reliability.checkpoint_time=30 s"}));
    EXPECT_EQ(owned.uncertainty.relative_sigma, plain.uncertainty.relative_sigma);
    EXPECT_GT(owned.uncertainty.gpu_hours_sigma, plain.uncertainty.gpu_hours_sigma);
    EXPECT_NEAR(owned.uncertainty.uninterrupted_sigma, plain.uncertainty.gpu_hours_sigma, 1e-9);
    EXPECT_GT(owned.uncertainty.usd_sigma, owned.uncertainty.gpu_hours_sigma);
    std::vector<std::string> inputs;
    for (const sim::Driver& driver : owned.uncertainty.drivers) {
        inputs.push_back(driver.input);
    }
    EXPECT_THAT(inputs,
                testing::IsSupersetOf({"failure rate", "price of h800-sxm", "power of hopper nodes",
                                       "utilisation", "cost of capital", "lifetime of the equipment"}));
}

TEST(Uncertainty, OfOwningIsSharedByTwoClusters) {
    const auto owned = [](std::vector<std::string> more) {
        more.emplace_back("cost.model=bottom-up");
        return sim::run(test::small(std::move(more)));
    };
    const sim::RunReport a = owned({});
    const sim::RunReport b = owned({"cluster.caps.nvlink=100 GB/s"});
    const Difference apart = sim::differences(a, b).back();
    ASSERT_EQ(apart.measure, Measure::usd);
    const auto sigma_of = [](const auto& drivers, std::string_view input) {
        const auto found = std::ranges::find(drivers, input, [](const auto& d) { return d.first; });
        return found == drivers.end() ? 0.0 : found->second;
    };
    const auto alone = std::ranges::find(a.uncertainty.drivers, "utilisation", &sim::Driver::input);
    ASSERT_NE(alone, a.uncertainty.drivers.end());
    EXPECT_LT(sigma_of(apart.drivers, "utilisation"), alone->effect.usd.value());
    // What is used more of its life is cheaper, so the term has a sign.
    EXPECT_LT(alone->terms.front().ends.high.usd, hw::Usd());
}

TEST(Cost, OfResearchAndStaffIsInItOnlyIfGiven) {
    const std::vector<std::string> rented{"cost.model=rental", "cost.date=2024-12-01"};
    const sim::RunReport a = sim::run(test::small(rented));
    std::vector<std::string> more = rented;
    more.insert(more.end(), {"cost.research=1.5", "cost.staff=3 million USD"});
    const sim::RunReport b = sim::run(test::small(more));
    EXPECT_NEAR(b.cost->campaign->value(), 2.5 * a.cost->campaign->value() + 3e6, 1e-3);
    EXPECT_NEAR(sim::total(b.cost->items).mid.value(), b.cost->campaign->value(), 1e-3);
    EXPECT_NEAR(b.cost->price / a.cost->price, 2.5, 1e-12); // no GPU-hour pays for staff
    EXPECT_THAT(a.cost->notes, testing::Contains("staff and research are not in it"));
    EXPECT_THAT(b.cost->notes, testing::Contains("research and staff as the scenario gives them"));
    // Staff is as exact as the scenario says it.
    EXPECT_NEAR(b.uncertainty.usd_sigma * b.cost->campaign->value(),
                2.5 * a.uncertainty.usd_sigma * a.cost->campaign->value(), 1.0);
}

TEST(Cost, AtAGivenPriceSaysWhatItLeavesOut) {
    EXPECT_THAT(sim::run(test::small()).cost->notes, testing::Contains("staff and research are not in it"));
}
