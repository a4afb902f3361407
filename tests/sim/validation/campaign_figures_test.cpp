// SPDX-License-Identifier: Apache-2.0
// Published figures of whole trainings: what the table may say, and how steps become GPU-hours.
#include <chokepoint/sim/campaign_figures.hpp>
#include <chokepoint/sim/scenario.hpp>

#include <gmock/gmock.h>

using namespace chokepoint;
using sim::CampaignFigure;
using testing::HasSubstr;

namespace {

std::string faults_of(std::string_view table) {
    try {
        (void)sim::parse_campaign_figures(table, "t.tsv");
    } catch (const sim::ScenarioError& error) {
        return error.what();
    }
    return {};
}

constexpr std::string_view kHeader = "scenario\tfigure\tpublished\tsource\tnote\n";

} // namespace

TEST(CampaignFigures, NameEveryFaultOfTheirTable) {
    const std::string faults = faults_of(std::string(kHeader) + "# a comment\na.toml\tweeks\t1\tx\t\n"
                                                                "a.toml\tgpu_hours\t-3\tx\t\na.toml\tusd\n");
    EXPECT_THAT(faults, HasSubstr("t.tsv:3:1: error: figure is 'weeks'; expected gpu_hours"));
    EXPECT_THAT(faults, HasSubstr("t.tsv:4:1: error: published is '-3'; expected a positive number"));
    EXPECT_THAT(faults, HasSubstr("t.tsv:5:1: error: 2 cells; expected 5"));
    EXPECT_THAT(faults_of("id\tfigure\n"), HasSubstr("no header"));
    EXPECT_EQ(faults_of(std::string(kHeader) + "a.toml\tgpu_hours:pre\t1e6\tx\t\n"), "");
}

TEST(CampaignFigures, AreTheStepsOfAllTokens) {
    sim::PublishedRun run;
    run.id = "a";
    run.source = "x";
    run.seconds = hw::Seconds(10.0);
    run.keys = {{"cluster.nodes", "2"},
                {"cluster.gpus_per_node", "8"},
                {"campaign.tokens", "3.6e9"},
                {"plan.global_batch", "100"},
                {"plan.sequence", "1000"}};
    sim::Prediction prediction;
    prediction.measured = run.seconds;
    prediction.predicted = hw::Seconds(11.0);
    prediction.tokens = 100.0 * 1000.0;
    prediction.interval = {10.5, 12.0};
    const auto figures = sim::campaign_figures(std::vector{run}, std::vector{prediction});
    ASSERT_EQ(figures.size(), 1U);
    // 36,000 steps of 10 s on 16 GPUs.
    EXPECT_DOUBLE_EQ(figures[0].published, 36000.0 * 10.0 * 16.0 / 3600.0);
    EXPECT_NEAR(*figures[0].error(), 0.1, 1e-12);
    EXPECT_THAT(sim::to_text(figures), HasSubstr("1,600"));
    EXPECT_THAT(sim::to_csv(figures), HasSubstr("\na,gpu_hours,1600,1760,1680,1920,0.1,"));
    run.keys.clear();
    EXPECT_TRUE(sim::campaign_figures(std::vector{run}, std::vector{prediction}).empty());
}

TEST(CampaignFigures, OfAnUnpredictedRunSayWhy) {
    const std::vector<CampaignFigure> figures{
        {.run = "a", .published = 5.0, .source = "x", .reason = "no such key"}};
    EXPECT_EQ(figures[0].error(), std::nullopt);
    EXPECT_THAT(sim::to_text(figures), HasSubstr("a: not predicted: no such key"));
}
