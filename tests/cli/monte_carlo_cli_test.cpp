// SPDX-License-Identifier: Apache-2.0
// `run --monte-carlo`, the tornado that `run` draws, and the curves of a report as a user meets them.
#include "run_cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using chokepoint::test::run_cli;
using chokepoint::test::ScratchDirectory;
using nlohmann::json;
using testing::HasSubstr;

namespace {

constexpr const char* kScenario = "scenarios/small-16-gpus.toml";

json drawn(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"run", kScenario, "--json", "-", "--monte-carlo", "12"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return json::parse(run_cli(arguments).out).at("uncertainty").at("monte_carlo");
}

} // namespace

TEST(RunMonteCarlo, PrintsDrawsBesideTheIntervalWithoutThem) {
    const auto result = run_cli({"run", kScenario, "--monte-carlo", "12"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("Monte-Carlo       12 draws of all inputs"));
    EXPECT_THAT(result.out, HasSubstr("and the interval above"));
    EXPECT_THAT(result.out, testing::ContainsRegex("p5 +p50 +p95 +p5 +p50 +p95"));
}

TEST(RunMonteCarlo, IsKnownByItsSeedAlone) {
    const json one = drawn({"--jobs", "1"});
    EXPECT_EQ(one, drawn({"--jobs", "3"}));
    EXPECT_EQ(one.at("draws"), 12);
    EXPECT_NE(one.at("step_seconds"), drawn({"--seed", "2"}).at("step_seconds"));
}

TEST(RunMonteCarlo, RefusesWhatIsNoNumberOfDraws) {
    for (const char* draws : {"0", "-5", "many"}) {
        EXPECT_EQ(run_cli({"run", kScenario, "--monte-carlo", draws}).exit_code, 2) << draws;
    }
    const auto seed = run_cli({"run", kScenario, "--seed", "3"});
    EXPECT_EQ(seed.exit_code, 2);
    EXPECT_THAT(seed.err, HasSubstr("--seed requires --monte-carlo"));
}

TEST(RunTornado, HasTheLargestInputFirst) {
    const json chart = json::parse(run_cli({"run", kScenario, "--chart", "-"}).out);
    const json& bars = chart.at("panels").at(0).at("bars");
    ASSERT_GT(bars.size(), 2U);
    for (std::size_t i = 1; i < bars.size(); ++i) {
        const auto width = [&](std::size_t bar) {
            return bars.at(bar).at("to").get<double>() - bars.at(bar).at("from").get<double>();
        };
        EXPECT_LE(width(i), width(i - 1) * (1.0 + 1e-9));
        EXPECT_LT(bars.at(i).at("from"), 0.0);
        EXPECT_GT(bars.at(i).at("to"), 0.0);
    }
}

TEST(Report, RefusesAStoreThatIsNone) {
    const ScratchDirectory scratch;
    const std::string page = (scratch.path() / "page.html").string();
    const auto missing = run_cli({"report", kScenario, "--html", page, "--store", "none.db"});
    EXPECT_NE(missing.exit_code, 0);
    EXPECT_THAT(missing.err, HasSubstr("none.db"));
    EXPECT_FALSE(std::filesystem::exists(page));
    const auto other = run_cli({"report", kScenario, "--html", page, "--store", kScenario});
    EXPECT_EQ(other.exit_code, 2) << other.err;
    EXPECT_FALSE(std::filesystem::exists(page));
}
