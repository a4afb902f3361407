// SPDX-License-Identifier: Apache-2.0
// The page that a comparison becomes: whole, self-contained, and with its author's own words as sources.
#include "clusters.hpp"

#include <chokepoint/sim/html_report.hpp>

#include <gmock/gmock.h>

using namespace chokepoint;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

constexpr std::string_view kNoted = R"(# [1] A report, arXiv 1234.56789
title = "16 <GPUs> & \"more\""
question = "What does it cost?"
[cluster]
gpu = "h800-sxm"
nodes = 2                 # as published [1, 3.1]
[model]
arch = "moe-tiny"
[plan]
pipeline = 2
expert = 8
schedule = "1f1b"
micro_batch = 1
global_batch = 32
precision = "bf16"
split = [4, 4]
[campaign]
tokens = "100e9"
start = "2024-12-01"
[cost]
model = "bottom-up"
)";

sim::Side side(std::vector<std::string> overrides = {}) {
    return {sim::parse_scenario(kNoted, "noted.toml", {std::move(overrides), {}}), {}, std::nullopt};
}

sim::HtmlReport report_of(std::vector<sim::Side> sides) {
    sim::HtmlReport report;
    report.annotations.assign(sides.size(), sim::read_annotations(kNoted));
    report.comparison = sim::compare(std::move(sides), std::nullopt);
    report.program = "chokepoint <test>";
    return report;
}

} // namespace

TEST(HtmlReport, OfOneScenarioHasEverySectionButTheDifference) {
    const std::string page = sim::to_html(report_of({side()}));
    EXPECT_THAT(page,
                AllOf(HasSubstr("<h1>16 &lt;GPUs&gt; &amp; &quot;more&quot;</h1>"),
                      HasSubstr("What does it cost?"), HasSubstr("<h2>Answer</h2>"),
                      HasSubstr("<h2>What the money goes to</h2>"), HasSubstr("<h2>How sure</h2>"),
                      HasSubstr("<h2>Assumptions</h2>"), HasSubstr("staff and research are not in it")));
    EXPECT_THAT(page, Not(HasSubstr("Where the difference comes from")));
    EXPECT_THAT(page, HasSubstr("chokepoint &lt;test&gt;"));
}

TEST(HtmlReport, SaysWhatTheHoursGoToPhaseByPhase) {
    const std::string phases = std::string(kNoted.substr(0, kNoted.find("tokens ="))) +
                               std::string(kNoted.substr(kNoted.find("start ="))) +
                               "[[campaign.phase]]\nname = \"first\"\ntokens = \"80e9\"\n"
                               "[[campaign.phase]]\nname = \"after <all>\"\ngpu_hours = 123\n";
    const std::string page =
        sim::to_html(report_of({{sim::parse_scenario(phases, "phases.toml"), {}, std::nullopt}}));
    EXPECT_THAT(page, AllOf(HasSubstr("<h2>What the GPU-hours go to</h2>"),
                            HasSubstr("<td>first</td><td>80 B</td>"),
                            HasSubstr("<td>after &lt;all&gt;</td><td>-</td><td>given</td><td>123</td>")));
    EXPECT_THAT(page, HasSubstr("<td>kernels</td>"));
}

TEST(HtmlReport, NeedsNothingFromElsewhere) {
    const std::string page = sim::to_html(report_of({side(), side({"cluster.gpu=h100-sxm"})}));
    EXPECT_THAT(page, AllOf(Not(HasSubstr("src=")), Not(HasSubstr("href=")), Not(HasSubstr("<script")),
                            Not(HasSubstr("@import")), Not(HasSubstr("url("))));
}

TEST(HtmlReport, TakesSourcesFromTheAuthorsComments) {
    const std::string page =
        sim::to_html(report_of({side(), side({"cluster.gpu=h100-sxm", "campaign.tokens=200e9"})}));
    EXPECT_THAT(page, HasSubstr("<td>cluster.nodes</td><td class=\"text\" colspan=\"2\">2</td>"
                                "<td class=\"text\">as published [1, 3.1]</td>"));
    EXPECT_THAT(page, HasSubstr("Cited by A, B:<br>[1] A report, arXiv 1234.56789"));
    // What differs stands side by side, each with where it is from.
    EXPECT_THAT(page, HasSubstr("A: the scenario's own; B: given on the command line"));
    EXPECT_THAT(page, Not(HasSubstr("noted.toml:")));
}

TEST(HtmlReport, SaysWhetherADifferenceIsSure) {
    const std::string twice =
        sim::to_html(report_of({side(), side({"campaign.tokens=200e9", "cost.utilisation=0.8"})}));
    EXPECT_THAT(twice, HasSubstr("more, with 95% confidence"));
    const std::string same = sim::to_html(report_of({side(), side({"cluster.gpu=h100-sxm"})}));
    EXPECT_THAT(same, HasSubstr("so it may be either way"));
}
