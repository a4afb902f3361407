// SPDX-License-Identifier: Apache-2.0
// What every explanation of a difference must keep, on simulated campaigns.
#include "clusters.hpp"

#include <chokepoint/sim/comparison.hpp>
#include <chokepoint/sim/waterfall.hpp>

#include <gmock/gmock.h>

#include <cmath>
#include <map>

using namespace chokepoint;
using sim::Measure;
using sim::ResourceGroup;
using sim::Waterfall;

namespace {

const std::vector<std::string> kDifferent{"cluster.gpu=h20-sxm",
                                          "cluster.nic=200 Gb/s",
                                          "cluster.nodes=4",
                                          "plan.recompute=[\"norm\"]",
                                          "campaign.price=1.2 USD/GPU-h",
                                          "reliability.gpu_mtbf=5000 h",
                                          "reliability.checkpoint_time=30 s",
                                          "reliability.restart=10 min"};

double total(const Waterfall& waterfall) {
    double sum = 0.0;
    for (const sim::WaterfallBar& bar : waterfall.bars) {
        sum += sim::sum(bar.parts);
    }
    return sum;
}

std::map<ResourceGroup, double> by_group(const Waterfall& waterfall) {
    std::map<ResourceGroup, double> found;
    for (const sim::WaterfallBar& bar : waterfall.bars) {
        found[bar.group] = sim::sum(bar.parts);
    }
    return found;
}

} // namespace

TEST(Waterfall, BarsAddUpToTheDifferenceInEveryMeasureAndEveryPart) {
    const sim::Scenario a = test::small();
    const sim::Scenario b = test::small(kDifferent);
    const std::vector<Waterfall> found = sim::waterfalls(a, b);
    ASSERT_EQ(found.size(), sim::kMeasures.size());
    const sim::RunReport left = sim::run(a);
    const sim::RunReport right = sim::run(b);
    for (const Waterfall& waterfall : found) {
        SCOPED_TRACE(sim::name(waterfall.measure));
        const double size = sim::sum(waterfall.from) + sim::sum(waterfall.to);
        EXPECT_NEAR(total(waterfall), sim::sum(waterfall.to) - sim::sum(waterfall.from), 1e-12 * size);
        for (std::size_t part = 0; part < sim::kTimeParts; ++part) {
            double change = 0.0;
            for (const sim::WaterfallBar& bar : waterfall.bars) {
                change += bar.parts[part];
            }
            EXPECT_NEAR(change, waterfall.to[part] - waterfall.from[part], 1e-12 * size);
        }
    }
    EXPECT_NEAR(sim::sum(found[0].from), left.step.seconds.value(), 1e-12);
    EXPECT_NEAR(sim::sum(found[1].to), sim::paid_gpu_time(*right.campaign) / hw::kHour, 1e-6);
    EXPECT_NEAR(sim::sum(found[2].to), right.campaign->failures->expected.wall / hw::kDay, 1e-9);
    EXPECT_NEAR(sim::sum(found[3].to), right.cost->campaign->value(), 1e-6);
}

TEST(Waterfall, WhatRoundsToNothingIsNothing) {
    for (const double change : {-499.0, -1e-9, 0.0, 499.0}) {
        EXPECT_EQ(sim::change_text(Measure::usd, change, 5e6), "0");
    }
    EXPECT_EQ(sim::change_text(Measure::usd, -501.0, 5e6), "-0.001 M USD");
    EXPECT_EQ(sim::change_text(Measure::usd, -501.0, 5e5), "-501.00 USD");
}

TEST(Waterfall, OfAScenarioWithItselfHasNoBars) {
    const sim::Scenario a = test::small();
    for (const Waterfall& waterfall : sim::waterfalls(a, test::small({"title=again"}))) {
        EXPECT_TRUE(waterfall.bars.empty());
        EXPECT_EQ(waterfall.from, waterfall.to);
    }
}

TEST(Waterfall, BackwardsIsTheNegative) {
    const sim::Scenario a = test::small();
    const sim::Scenario b = test::small(kDifferent);
    const std::vector<Waterfall> there = sim::waterfalls(a, b);
    const std::vector<Waterfall> back = sim::waterfalls(b, a);
    for (std::size_t m = 0; m < there.size(); ++m) {
        const double size = sim::sum(there[m].from) + sim::sum(there[m].to);
        ASSERT_EQ(there[m].bars.size(), back[m].bars.size());
        for (std::size_t i = 0; i < there[m].bars.size(); ++i) {
            EXPECT_EQ(there[m].bars[i].group, back[m].bars[i].group);
            EXPECT_NEAR(sim::sum(there[m].bars[i].parts), -sim::sum(back[m].bars[i].parts), 1e-9 * size);
        }
    }
}

TEST(Waterfall, ALoneChangedResourceGetsTheWholeDifference) {
    const sim::Scenario a = test::small();
    const sim::Scenario b = test::small({"cluster.caps.nvlink=100 GB/s"});
    for (const Waterfall& waterfall : sim::waterfalls(a, b)) {
        ASSERT_EQ(waterfall.bars.size(), 1U);
        EXPECT_EQ(waterfall.bars.front().group, ResourceGroup::nvlink);
        EXPECT_GT(total(waterfall), 0.0);
        const double difference = sim::sum(waterfall.to) - sim::sum(waterfall.from);
        EXPECT_NEAR(total(waterfall), difference, 1e-12 * sim::sum(waterfall.to));
    }
}

TEST(Waterfall, PriceMovesDollarsAloneAndFailuresOnlyInterruptions) {
    const sim::Scenario a = test::small();
    const std::vector<Waterfall> found =
        sim::waterfalls(a, test::small({"campaign.price=3 USD/GPU-h", "reliability.gpu_mtbf=5000 h",
                                        "reliability.checkpoint_time=30 s", "reliability.restart=10 min"}));
    EXPECT_EQ(by_group(found[0])[ResourceGroup::failures], 0.0);
    EXPECT_EQ(by_group(found[1])[ResourceGroup::price], 0.0);
    EXPECT_GT(by_group(found[1])[ResourceGroup::failures], 0.0);
    EXPECT_GT(by_group(found[3])[ResourceGroup::price], 0.0);
    for (const sim::WaterfallBar& bar : found[1].bars) {
        for (std::size_t part = 0; part + 1 < sim::kTimeParts; ++part) {
            EXPECT_EQ(bar.parts[part], 0.0);
        }
    }
}

TEST(Waterfall, ASlowerLinkMakesTheStepWaitLonger) {
    const std::vector<Waterfall> found =
        sim::waterfalls(test::small(), test::small({"cluster.caps.nvlink=50 GB/s"}));
    const auto exposed = static_cast<std::size_t>(sim::TimePart::exposed_communication);
    EXPECT_GT(found[0].bars.front().parts[exposed], 0.5 * total(found[0]));
}
