// SPDX-License-Identifier: Apache-2.0
// What [reliability], [energy] and [cost] take, what they fill in from the catalog, and what they refuse.
#include "scenario_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

using namespace chokepoint;
using test::load;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::vector<std::string> faults_of(std::string_view sections) {
    return test::faults_of(std::string(test::kValid) + std::string(sections));
}
sim::Scenario with(std::string_view sections, std::vector<std::string> overrides = {}) {
    return load(std::move(overrides), std::string(test::kValid) + std::string(sections));
}

constexpr double kHour = 3600.0;

} // namespace

TEST(ReliabilitySection, IsOffUnlessGiven) { EXPECT_FALSE(load().failures()); }

TEST(ReliabilitySection, TakesItsRateFromARecordAndItsCheckpointFromTheState) {
    const auto scenario = with("[reliability]\nrecord = \"llama3-h100\"\nstorage_bandwidth = \"100 GB/s\"\n");
    const sim::FailureSettings& failures = *scenario.failures();
    EXPECT_NEAR(failures.process.gpu_mtbf.value() / kHour, 50677.0, 1.0);
    // FP32 master weights and two BF16 moments (arXiv 2412.19437, section 3.3.3) of 671 B parameters, and
    // MTP.
    EXPECT_NEAR(failures.state.value(), 8.0 * 683e9, 8.0 * 15e9);
    EXPECT_DOUBLE_EQ(failures.process.checkpoint.value(), failures.state.value() / 1e11);
}

TEST(ReliabilitySection, AsksForOneRateAndOneCheckpoint) {
    EXPECT_THAT(faults_of("[reliability]\nrestart = \"5 min\"\n"),
                ElementsAre(HasSubstr("v3.toml:15:1: error: none of record and gpu_mtbf"),
                            HasSubstr("none of checkpoint_time and storage_bandwidth")));
    EXPECT_THAT(faults_of("[reliability]\nrecord = \"meta-rsc\"\ngpu_mtbf = \"1000 h\"\n"
                          "checkpoint_time = \"10 s\"\n"),
                ElementsAre(HasSubstr("both of record and gpu_mtbf")));
}

TEST(ReliabilitySection, ARunThatNeverEndsIsRefusedWithItsProgress) {
    EXPECT_THAT(faults_of("[reliability]\ngpu_mtbf = \"100 h\"\ncheckpoint_time = \"10 min\"\n"
                          "restart = \"1 h\"\n"),
                ElementsAre(AllOf(HasSubstr("v3.toml:16:12: error: the run never ends: 2048 GPUs fail every"),
                                  HasSubstr("expected progress per day: "))));
}

TEST(CostSection, WarnsOfWhatItsModelDoesNotAskFor) {
    const auto messages = [](const sim::Scenario& scenario) {
        std::vector<std::string> found;
        for (const sim::Diagnostic& warning : scenario.warnings()) {
            found.push_back(warning.message);
        }
        return found;
    };
    const std::string_view rental = "[cost]\nmodel = \"rental\"\n", owned = "[cost]\nmodel = \"bottom-up\"\n";
    EXPECT_THAT(messages(with(rental, {"campaign.price=4 USD/GPU-h"})), testing::IsEmpty());
    EXPECT_THAT(messages(with(rental, {"campaign.price=4 USD/GPU-h", "cost.power_price=5 USD/kWh"})),
                ElementsAre(HasSubstr("power_price changes nothing: a rent covers")));
    EXPECT_THAT(messages(with(owned, {"cost.power_price=5 USD/kWh"})), testing::IsEmpty());
    EXPECT_THAT(messages(with(owned, {"campaign.price=4 USD/GPU-h"})),
                ElementsAre(HasSubstr("price changes nothing: cost.model \"bottom-up\" prices what")));
}

TEST(EnergySection, IsFilledInFromThePartsProfile) {
    const auto scenario = load();
    const sim::EnergySettings& energy = *scenario.energy();
    EXPECT_DOUBLE_EQ(energy.states.compute.value(), 0.88 * 700.0);
    EXPECT_DOUBLE_EQ(energy.states.host.value(), 350.0);
    EXPECT_EQ(energy.grid, "World");
    const auto own = load({"energy.compute=1", "energy.carbon=0.1 kg/kWh", "energy.pue=1.1"});
    EXPECT_DOUBLE_EQ(own.energy()->states.compute.value(), 700.0);
    EXPECT_NEAR(own.energy()->carbon.value() * 3.6e6, 0.1, 1e-12);
}

TEST(EnergySection, RefusesNegativeFigures) {
    EXPECT_THAT(faults_of("[energy]\npue = 0.9\nhost = \"-1 W\"\n"),
                ElementsAre(HasSubstr("v3.toml:16:7: error: pue: 0.9 is out of range"),
                            HasSubstr("v3.toml:17:8: error: host: \"-1 W\" is out of range")));
}

TEST(CostSection, RentHoldsOnADay) {
    const auto scenario = with("[cost]\nmodel = \"rental\"\ndate = \"2024-12-01\"\n");
    EXPECT_NEAR(scenario.cost()->rent->low.value() * kHour, 2.0, 1e-12);
    EXPECT_NEAR(scenario.cost()->rent->mid.value() * kHour, 3.42, 1e-12);
    EXPECT_THAT(faults_of("[cost]\nmodel = \"rental\"\n"),
                ElementsAre(HasSubstr("expected cost.date or campaign.start")));
}

TEST(CostSection, ADayOutOfHistoryIsRefusedWithTheHistory) {
    EXPECT_THAT(
        faults_of("[cost]\nmodel = \"rental\"\ndate = \"2019-12-01\"\n"),
        ElementsAre(
            "v3.toml:17:8: error: date: no price of h800-sxm within a year of 2019-12-01; its history "
            "runs from 2024-08 to 2025-03"));
}

TEST(CostSection, AMissingPriceNamesTheKnownOnes) {
    EXPECT_THAT(
        test::faults_of(test::kValid, {"cluster.gpu=h100-nvl", "cost.model=rental", "cost.date=2024-12-01"}),
        testing::Contains(AllOf(HasSubstr("no rental price of h100-nvl is known"), HasSubstr("h100-sxm"))));
    EXPECT_THAT(
        test::faults_of(test::kValid, {"cluster.gpu=h100-nvl", "cost.model=bottom-up"}),
        testing::Contains(AllOf(HasSubstr("no purchase price of h100-nvl is known"), HasSubstr("h20-sxm"))));
}

TEST(CostSection, NegativeRatesAreRefused) {
    EXPECT_THAT(
        faults_of("[cost]\nmodel = \"bottom-up\"\npower_price = \"-0.1 USD/kWh\"\ncost_of_capital = -0.1\n"),
        ElementsAre(HasSubstr("power_price: \"-0.1 USD/kWh\" is out of range"),
                    HasSubstr("cost_of_capital: -0.1 is out of range")));
}

TEST(CostSection, OwnershipIsFilledInFromItsModel) {
    const auto scenario = with("[cost]\nmodel = \"bottom-up\"\nutilisation = 0.5\n");
    const sim::Ownership& own = *scenario.cost()->ownership;
    EXPECT_DOUBLE_EQ(own.model.server_overhead, 1.64);
    EXPECT_DOUBLE_EQ(own.model.utilisation, 0.5);
    EXPECT_FALSE(own.model.ranges.contains("utilisation")) << "what the scenario says is exact";
    EXPECT_TRUE(own.model.ranges.contains("lifetime"));
    EXPECT_NEAR(own.network.value(), 72e6 / 16384.0, 0.01 * 72e6 / 16384.0);
    EXPECT_LT(own.accelerator.low, own.accelerator.high);
    const auto found =
        std::ranges::find(scenario.resolved(), "cost.server_overhead", &sim::ResolvedValue::key);
    EXPECT_EQ(found->origin, sim::Origin::catalog);
}

TEST(CostSection, ANetworkIsPricedCableByCable) {
    const auto network = [](std::vector<std::string> overrides) {
        overrides.emplace_back("cost.model=bottom-up");
        return load(std::move(overrides)).cost()->ownership->network.value();
    };
    const double full = network({"cluster.fabric=fat-tree-2"});
    EXPECT_NEAR(full, 9e6 / 2048.0, 0.01 * full); // 2,048 NICs are the published FT2
    // A third of the uplinks: 48 ports down, 16 up.
    const double thin = network({"cluster.fabric=fat-tree-2", "cluster.fabric.oversubscription=3:1"});
    EXPECT_LT(thin, full);
    EXPECT_GT(thin, full / 3.0);
    EXPECT_NEAR(network({"cost.topology=SF"}), 146e6 / 32928.0, 1e-6);
    EXPECT_NEAR(network({"cost.topology=DF"}), 1522e6 / 261632.0, 1e-6);
    EXPECT_THAT(test::faults_of(test::kValid, {"cost.model=bottom-up", "cost.topology=torus"}),
                ElementsAre(AllOf(HasSubstr("torus"), HasSubstr("FT2, MPFT, FT3, SF"))));
    EXPECT_THAT(faults_of("[cost]\nmodel = \"bottom-up\"\nnetwork = \"1 USD\"\ntopology = \"SF\"\n"),
                ElementsAre(HasSubstr("v3.toml:18:12: error: cost.topology: cost.network says")));
}

TEST(CostSection, EpochsModelAgesThePart) {
    EXPECT_THAT(faults_of("[cost]\nmodel = \"epoch\"\n"),
                ElementsAre(HasSubstr("expected cost.date or campaign.start")));
    const auto scenario = with("[cost]\nmodel = \"epoch\"\ndate = \"2024-11-01\"\n");
    EXPECT_NEAR(scenario.cost()->ownership->age, 1.62 - 0.25, 0.05);
}

TEST(CostSection, APartIsNotOwnedBeforeItWasSold) {
    EXPECT_THAT(
        faults_of("[cost]\nmodel = \"bottom-up\"\ndate = \"2020-01-01\"\n"),
        ElementsAre("v3.toml:17:8: error: date: h800-sxm could not be bought on 2020-01-01; expected a day "
                    "from 2023-03 on"));
}

TEST(CostSection, PremiumsAreOfAPartAndADay) {
    EXPECT_THAT(
        faults_of("[cost]\nmodel = \"rental\"\ndate = \"2024-12-01\"\npremiums = [\"revenue-share-h20\"]\n"),
        ElementsAre(HasSubstr("revenue-share-h20 is paid on h20-sxm, not on h800-sxm")));
    EXPECT_THAT(
        test::faults_of(test::kValid,
                        {"cluster.gpu=h20-sxm", "cost.model=rental", "campaign.price=1 USD/GPU-h",
                         "cost.date=2024-12-01", "cost.premiums=[\"revenue-share-h20\"]"}),
        testing::Contains(HasSubstr("revenue-share-h20 holds from 2025-08-11, after the 2024-12-01")));
    const auto own = with("[cost]\nmodel = \"rental\"\ndate = \"2024-12-01\"\npremium = 0.5\n");
    EXPECT_DOUBLE_EQ(own.cost()->premium, 1.5);
}

TEST(CostSection, NeedsAModel) {
    EXPECT_THAT(faults_of("[cost]\ndate = \"2024-12-01\"\n"),
                ElementsAre(HasSubstr(
                    "v3.toml:15:1: error: missing key 'model' in [cost]; expected \"rental\" or one of "
                    "bottom-up, epoch")));
}
