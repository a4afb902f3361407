// SPDX-License-Identifier: Apache-2.0
// What [[campaign.phase]] may say, and that each phase is the scenario with its own keys in place.
#include "scenario_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

using namespace chokepoint;
using test::faults_of;
using test::load;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::string with_phases(std::string_view phases) { return std::string(test::kValid) + std::string(phases); }

constexpr std::string_view kThree = R"([[campaign.phase]]
name = "pre-training"
tokens = "14.8e12"
ramp_from = 3072
ramp_tokens = "469e9"
[[campaign.phase]]
name = "long"
steps = 1000
plan.sequence = 2048
plan.global_batch = 4096
[[campaign.phase]]
name = "post-training"
gpu_hours = 5000
)";

} // namespace

TEST(CampaignPhase, ReplacesKeysOfItsOwnRunAlone) {
    const sim::Scenario scenario = load({}, with_phases(kThree));
    ASSERT_EQ(scenario.phases().size(), 3U);
    const sim::Phase& first = scenario.phases()[0];
    EXPECT_EQ(first.scenario->plan(), scenario.plan());
    EXPECT_EQ(first.scenario->campaign().ramp_from, 3072);
    const sim::Phase& second = scenario.phases()[1];
    EXPECT_EQ(second.scenario->plan().sequence, 2048);
    EXPECT_EQ(second.scenario->plan().global_batch, 4096);
    EXPECT_EQ(second.scenario->plan().schedule, scenario.plan().schedule);
    EXPECT_EQ(scenario.plan().sequence, 4096);
}

TEST(CampaignPhase, TokensOfStepsAreTheirBatches) {
    const sim::Scenario scenario = load({}, with_phases(kThree));
    EXPECT_DOUBLE_EQ(scenario.phases()[1].tokens, 1000.0 * 4096 * 2048);
    EXPECT_DOUBLE_EQ(scenario.campaign().tokens, 14.8e12 + 1000.0 * 4096 * 2048);
    EXPECT_DOUBLE_EQ(scenario.phases()[2].gpu_time->value(), 5000.0 * 3600.0);
    EXPECT_EQ(scenario.phases()[2].scenario, nullptr);
}

TEST(CampaignPhase, ItsKeysAreResolvedWithTheirPlaces) {
    const sim::Scenario scenario = load({}, with_phases(kThree));
    const auto found =
        std::ranges::find(scenario.resolved(), "campaign.phase[1].plan.sequence", &sim::ResolvedValue::key);
    ASSERT_NE(found, scenario.resolved().end());
    EXPECT_EQ(found->base, 2048.0);
    EXPECT_EQ(found->where, "v3.toml:23:17");
}

TEST(CampaignPhase, AnOverrideReachesOneTable) {
    const sim::Scenario scenario = load(
        {"campaign.phase[1].plan.global_batch=8192", "campaign.phase[2].gpu_hours=7"}, with_phases(kThree));
    EXPECT_EQ(scenario.phases()[1].scenario->plan().global_batch, 8192);
    EXPECT_DOUBLE_EQ(scenario.phases()[2].gpu_time->value(), 7.0 * 3600.0);
    EXPECT_THAT(faults_of(with_phases(kThree), {"campaign.phase[3].tokens=1"}),
                ElementsAre("--set campaign.phase[3].tokens=1: error: the scenario has 3 "
                            "[[campaign.phase]], counted from 0"));
}

TEST(CampaignPhase, NeedsExactlyOneMeasureOfItsLength) {
    EXPECT_THAT(faults_of(with_phases("[[campaign.phase]]\nname = \"a\"\n")),
                ElementsAre("v3.toml:15:1: error: phase \"a\": none of tokens, steps and gpu_hours; expected "
                            "exactly one"));
    EXPECT_THAT(faults_of(with_phases("[[campaign.phase]]\nname = \"a\"\ntokens = 1\nsteps = 1\n")),
                ElementsAre(HasSubstr("more than one of tokens, steps and gpu_hours")));
}

TEST(CampaignPhase, FaultsOfItsPlanNameItAndTheirPlace) {
    EXPECT_THAT(
        faults_of(with_phases("[[campaign.phase]]\nname = \"a\"\nsteps = 1\nplan.global_batch = 100\n")),
        ElementsAre(HasSubstr("v3.toml:18:21: error: phase \"a\": global_batch (100)")));
}

TEST(CampaignPhase, SaysEveryFaultOfEveryTable) {
    EXPECT_THAT(
        faults_of(with_phases("[[campaign.phase]]\nnaem = \"a\"\ntokens = -1\n"
                              "[[campaign.phase]]\nname = 3\nplan.pipelin = 2\nsteps = 1\n")),
        ElementsAre(HasSubstr("v3.toml:16:1: error: unknown key 'naem' in [[campaign.phase]]; did you "
                              "mean 'name'?"),
                    HasSubstr("v3.toml:17:10: error: phase.tokens: -1 is out of range"),
                    HasSubstr("v3.toml:19:8: error: phase.name: found 3"),
                    HasSubstr("v3.toml:20:6: error: unknown key 'pipelin' in [plan]")));
}

TEST(CampaignPhase, ATableInPlaceOfAnArrayIsRefused) {
    EXPECT_THAT(faults_of(with_phases("[campaign.phase]\nname = \"a\"\ntokens = 1\n")),
                ElementsAre("v3.toml:15:1: error: phase: found a table; expected a list of tables, "
                            "[[campaign.phase]]"));
    EXPECT_THAT(faults_of(with_phases("[campaign]\nphase = 3\n")),
                ElementsAre("v3.toml:16:9: error: phase: found 3; expected a list of tables, "
                            "[[campaign.phase]]"));
}

TEST(CampaignPhase, TokensMustAddUpToTheCampaigns) {
    EXPECT_THAT(faults_of(with_phases("[campaign]\ntokens = \"3e12\"\n[[campaign.phase]]\nname = \"a\"\n"
                                      "tokens = \"1e12\"\n[[campaign.phase]]\nname = \"b\"\n"
                                      "tokens = \"1e12\"\n")),
                ElementsAre("v3.toml:16:10: error: tokens (3e+12) differ from the 2e+12 that the phases add "
                            "up to"));
}

TEST(CampaignPhase, ARampBelongsToAPhase) {
    EXPECT_THAT(
        faults_of(with_phases("[campaign]\nramp_from = 3072\nramp_tokens = \"1e9\"\ntokens = \"1e12\"\n"
                              "[[campaign.phase]]\nname = \"a\"\ntokens = \"1e12\"\n")),
        ElementsAre(HasSubstr("ramp_from is given beside [[campaign.phase]]"),
                    HasSubstr("ramp_tokens is given beside [[campaign.phase]]")));
}

TEST(CampaignPhase, InputGpuHoursTakeNoPlan) {
    EXPECT_THAT(
        faults_of(with_phases("[[campaign.phase]]\nname = \"a\"\ngpu_hours = 5\nplan.pipeline = 8\n")),
        ElementsAre(HasSubstr("v3.toml:18:6: error: phase \"a\": gpu_hours are an input")));
}

TEST(Calendar, AStartIsADayThatExists) {
    EXPECT_THAT(faults_of(with_phases("[campaign]\ntokens = 1\nstart = \"2023-02-29\"\n")),
                ElementsAre("v3.toml:17:9: error: start: \"2023-02-29\" is no day; expected a date in quotes "
                            "such as \"2024-12-27\""));
    EXPECT_EQ(sim::to_text(sim::after(*sim::day_from("2024-02-28"), 2.0 * hw::kDay)), "2024-03-01");
    EXPECT_EQ(sim::to_text(sim::after(*sim::day_from("2024-12-31"), 0.9 * hw::kDay)), "2024-12-31");
}
