// SPDX-License-Identifier: Apache-2.0
// `compare` as a user calls it: every output, and every way to call it wrongly.
#include "run_cli.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <cmath>

using chokepoint::test::read_file;
using chokepoint::test::run_cli;
using chokepoint::test::ScratchDirectory;
using nlohmann::json;
using testing::HasSubstr;

namespace {

const std::string kA = "scenarios/small-16-gpus.toml";
const std::string kB = "tests/data/small-16-h20.toml";

} // namespace

TEST(Compare, BarsOfTheJsonAddUpToTheDifferenceOfTheRuns) {
    const json result = json::parse(run_cli({"compare", kA, kB, kA, "--json", "-"}).out);
    ASSERT_EQ(result.at("comparisons").size(), 2U);
    const json& runs = result.at("runs");
    for (const json& fall : result.at("comparisons").at(0).at("waterfalls")) {
        double sum = 0.0;
        for (const json& bar : fall.at("bars")) {
            sum += bar.at("difference").get<double>();
        }
        EXPECT_NEAR(sum, fall.at("difference").get<double>(), 1e-12 * fall.at("b").get<double>());
    }
    const auto usd = [&](std::size_t run) { return runs.at(run).at("cost").at("usd").get<double>(); };
    const json& fall = result.at("comparisons").at(0).at("waterfalls").back();
    ASSERT_EQ(fall.at("measure"), "usd");
    EXPECT_NEAR(fall.at("difference").get<double>(), usd(1) - usd(0), 1e-9 * usd(0));
    for (const json& same : result.at("comparisons").at(1).at("waterfalls")) {
        EXPECT_TRUE(same.at("bars").empty());
    }
}

TEST(Compare, MatchingDaysAddsReplicasUntilTheDayIsPassed) {
    const json result = json::parse(run_cli({"compare", kA, kB, "--match", "days", "--json", "-"}).out);
    const json& match = result.at("comparisons").at(0).at("match");
    EXPECT_GT(match.at("gpus"), 16);
    EXPECT_EQ(match.at("gpus"),
              result.at("runs").at(1).at("scenario").at("values").at("derived.gpus").at("value"));
    const double target = match.at("target").get<double>();
    const double reached = match.at("reached").get<double>();
    const double before = result.at("runs").at(1).at("campaign").at("days").get<double>();
    EXPECT_NEAR(before, reached, 1e-9);
    EXPECT_LT(std::abs(std::log(reached / target)), std::log(2.0)); // replicas go by divisors of the batch
    EXPECT_EQ(match.at("gpus_before"), 16);
}

TEST(Compare, MatchingAScenarioToItselfChangesNothing) {
    for (const char* what : {"gpus", "days", "usd"}) {
        const json result = json::parse(run_cli({"compare", kA, kA, "--match", what, "--json", "-"}).out);
        EXPECT_EQ(result.at("comparisons").at(0).at("match").at("gpus"), 16) << what;
    }
}

TEST(Compare, WritesMarkdownCsvAndTheChartsDescription) {
    const ScratchDirectory scratch;
    const auto file = [&](const char* name) { return (scratch.path() / name).string(); };
    const auto result = run_cli({"compare", kA, kB, "--md", file("c.md"), "--csv", file("c.csv"), "--chart",
                                 file("c.json"), "--measure", "gpu_hours"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("What makes the difference in GPU-hours of the campaign"));
    EXPECT_THAT(read_file(file("c.md")), HasSubstr("| tensor cores and SMs |"));
    EXPECT_THAT(read_file(file("c.csv")),
                HasSubstr("\nB,tests/data/small-16-h20.toml,16,usd,price,kernels,-"));
    const json bars = json::parse(read_file(file("c.json"))).at("panels").at(0).at("bars");
    for (std::size_t i = 1; i + 1 < bars.size(); ++i) { // each begins where the one above ends
        EXPECT_DOUBLE_EQ(bars.at(i).at("from").get<double>(), bars.at(i - 1).at("to").get<double>());
    }
    EXPECT_NEAR(bars.at(bars.size() - 2).at("to").get<double>(), bars.back().at("to").get<double>(), 1e-9);
}

TEST(Compare, RefusesWhatItCannotCompare) {
    const auto wrong = [](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "compare");
        const auto result = run_cli(arguments);
        EXPECT_EQ(result.exit_code, 2) << result.out;
        EXPECT_EQ(result.out, "");
        return result.err;
    };
    EXPECT_THAT(wrong({kA}), HasSubstr("2 required"));
    EXPECT_THAT(wrong({kA, "none.toml"}), HasSubstr("none.toml: error: cannot be read"));
    EXPECT_THAT(wrong({kA, kB, "--match", "tokens"}), HasSubstr("tokens not in {gpus,days,usd}"));
    EXPECT_THAT(wrong({kA, kB, "--measure", "eur"}),
                HasSubstr("eur not in {step_seconds,gpu_hours,days,usd}"));
    EXPECT_THAT(wrong({kA, kB, "--csv", "-", "--json", "-"}), HasSubstr("only one of the output files"));
    std::string text = read_file(kA);
    const ScratchDirectory scratch;
    const std::string step_only = scratch.write("step.toml", text.substr(0, text.find("[campaign]")));
    EXPECT_THAT(wrong({kA, step_only, "--measure", "usd"}), HasSubstr("it has no campaign"));
    EXPECT_THAT(wrong({kA, step_only, "--match", "days"}), HasSubstr("expected campaign.tokens"));
    std::vector<std::string> many(27, kA);
    EXPECT_THAT(wrong(many), HasSubstr("27 scenarios; expected at most 26"));
}
