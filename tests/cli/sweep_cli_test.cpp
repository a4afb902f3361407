// SPDX-License-Identifier: Apache-2.0
// `sweep` and `results` as a user meets them.
#include "run_cli.hpp"
#include "support/json_schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <sys/resource.h>

using chokepoint::test::CliResult;
using chokepoint::test::published_schema_violations;
using chokepoint::test::run_cli;
using chokepoint::test::ScratchDirectory;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

namespace {

constexpr const char* kScenario = "scenarios/small-16-gpus.toml";

CliResult sweep(const std::string& store, const std::vector<std::string>& axes,
                std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"sweep", kScenario, "--store", store};
    for (const std::string& axis : axes) {
        arguments.insert(arguments.end(), {"--axis", axis});
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_cli(arguments);
}

const std::vector<std::string> kAxes{"cluster.caps.nvlink=log:50 GB/s:400 GB/s:4",
                                     "plan.schedule=1f1b,zb-h1"};

} // namespace

TEST(SweepCommand, RunsAndResultsGiveBackEveryPoint) {
    const ScratchDirectory scratch;
    const std::string store = (scratch.path() / "s.db").string();
    const CliResult first = sweep(store, kAxes, {"--json", "-"});
    ASSERT_EQ(first.exit_code, 0) << first.err;
    EXPECT_EQ(published_schema_violations("sweep", first.out), "");
    EXPECT_EQ(json::parse(first.out).at("simulated"), 8);

    const CliResult again = run_cli({"sweep", "--resume", "--store", store, "--json", "-"});
    EXPECT_EQ(json::parse(again.out).at("simulated"), 0);
    EXPECT_EQ(json::parse(again.out).at("finished"), 8);

    const CliResult bare = run_cli({"results", store, "--where", "cluster.caps.nvlink>=150"});
    EXPECT_EQ(bare.exit_code, 2) << "bytes or gigabytes a second?";
    EXPECT_THAT(bare.err,
                HasSubstr("cluster.caps.nvlink is compared with \"150\"; expected a value such as"));
    const CliResult listed = run_cli({"results", store, "--json", "-", "--where",
                                      "cluster.caps.nvlink>=150 GB/s", "--sort", "-step_seconds"});
    EXPECT_EQ(published_schema_violations("results", listed.out), "");
    const json points = json::parse(listed.out).at("points");
    ASSERT_EQ(points.size(), 4U);
    EXPECT_GE(points.at(0).at("step_seconds"), points.at(3).at("step_seconds"));
    EXPECT_EQ(
        published_schema_violations("results", run_cli({"results", store, "--sweeps", "--json", "-"}).out),
        "");

    const std::string position = points.at(0).at("position").dump();
    const CliResult whole = run_cli({"results", store, "--point", position});
    EXPECT_EQ(published_schema_violations("run", whole.out), "");
    EXPECT_EQ(json::parse(whole.out).at("step").at("seconds"), points.at(0).at("step_seconds"));

    const CliResult csv = run_cli({"results", store, "--csv", "-"});
    EXPECT_EQ(std::ranges::count(csv.out, '\n'), 9) << csv.out;
}

TEST(SweepCommand, TakesTheAxesOfTheScenarioAndTheCommandLinesInTheirPlace) {
    const ScratchDirectory scratch;
    const std::string scenario =
        scratch.write("swept.toml", chokepoint::test::read_file(kScenario) +
                                        "\n[sweep]\nplan.zero = [0, 1]\n\"plan.schedule\" = [\"1f1b\"]\n");
    const auto points = [&](const std::vector<std::string>& more) {
        std::vector<std::string> arguments{"sweep", scenario,  "--json",
                                           "-",     "--store", (scratch.path() / "s.db").string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return json::parse(run_cli(arguments).out).at("points");
    };
    EXPECT_EQ(points({}), 2);
    EXPECT_EQ(points({"--axis", "plan.schedule=1f1b,zb-h1,gpipe"}), 6);
    EXPECT_EQ(run_cli({"run", scenario}).exit_code, 0);
}

TEST(SweepCommand, RecordsWhatTimesOutAndRetriesItWhenAsked) {
    const ScratchDirectory scratch;
    const std::string store = (scratch.path() / "s.db").string();
    const std::vector<std::string> axis{"cluster.caps.nvlink=100 GB/s"};
    const CliResult late = sweep(store, axis, {"--time-out", "1 us"});
    EXPECT_EQ(late.exit_code, 1);
    EXPECT_THAT(late.out, HasSubstr("timed out after 1"));
    EXPECT_EQ(sweep(store, axis).exit_code, 1) << "a failed point stays recorded";
    EXPECT_EQ(sweep(store, axis, {"--retry"}).exit_code, 0);
}

TEST(SweepCommand, ToldToWriteToAFullDiskKeepsWhatItHasAndSaysSo) {
    const ScratchDirectory scratch;
    const std::string store = (scratch.path() / "s.db").string();
    ASSERT_EQ(sweep(store, {"cluster.caps.nvlink=100 GB/s"}).exit_code, 0);
    // A limit on the size of files is met as a full disk is, without needing one.
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    rlimit small = before;
    small.rlim_cur = 256 * 1024;
    ::setrlimit(RLIMIT_FSIZE, &small);
    ::signal(SIGXFSZ, SIG_IGN);
    const CliResult full = sweep(store, {"cluster.caps.nvlink=50 GB/s:400 GB/s:40"});
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::signal(SIGXFSZ, SIG_DFL);
    EXPECT_EQ(full.exit_code, 1);
    EXPECT_THAT(full.err, HasSubstr("cannot write '" + store + "'"));
    const CliResult rest = sweep(store, {"cluster.caps.nvlink=50 GB/s:400 GB/s:40"}, {"--json", "-"});
    ASSERT_EQ(rest.exit_code, 0) << rest.err;
    EXPECT_LT(json::parse(rest.out).at("simulated").get<int>(), 40) << "nothing was kept";
}

TEST(SweepCommand, WrongInputIsToldAndChangesNothing) {
    const ScratchDirectory scratch;
    const std::string notes = scratch.write("notes.txt", std::string(2000, 'n'));
    const std::string store = (scratch.path() / "s.db").string();
    struct Wrong {
        std::vector<std::string> arguments;
        std::string message;
    };
    for (const auto& [arguments, message] : std::vector<Wrong>{
             {{"sweep", kScenario, "--store", store}, "there is nothing to vary"},
             {{"sweep", "--store", store}, "no SCENARIO is given"},
             {{"sweep", "--resume", "--store", store}, "no such file"},
             {{"sweep", kScenario, "--axis", "plan.zero=0,1", "--resume", "--store", store}, "to go on with"},
             {{"sweep", kScenario, "--axis", "plan.zer=0,1", "--store", store}, "did you mean 'plan.zero'?"},
             {{"sweep", kScenario, "--axis", "plan.zero=0", "--store", notes}, "is not a result store"},
             {{"sweep", kScenario, "--axis", "plan.zero=0", "--store", store, "--time-out", "5"},
              "--time-out: \"5\""},
             {{"sweep", kScenario, "--axis", "plan.pipeline=1:1000:1000", "--axis", "plan.expert=1:1000:1000",
               "--store", store},
              "1000 x 1000 = 1,000,000 points"},
             {{"results", notes}, "is not a result store"},
             {{"results", store}, "no such file"}}) {
        const CliResult result = run_cli(arguments);
        EXPECT_EQ(result.exit_code, 2) << message;
        EXPECT_THAT(result.err, HasSubstr(message));
        EXPECT_EQ(result.out, "");
    }
    EXPECT_FALSE(std::filesystem::exists(store));
    EXPECT_EQ(chokepoint::test::read_file(notes), std::string(2000, 'n'));

    ASSERT_EQ(sweep(store, {"plan.zero=0,1"}).exit_code, 0);
    for (const auto& [arguments, message] :
         std::vector<Wrong>{{{"results", store, "--where", "colour=red"}, "no field is called 'colour'"},
                            {{"results", store, "--where", "usd"}, "is no condition"},
                            {{"results", store, "--where", "step_seconds<20 s"},
                             "step_seconds is compared with \"20 s\"; expected a number"},
                            {{"results", store, "--where", "plan.zero=none"}, "expected a value such as 0"},
                            {{"results", store, "--sweep", "7"}, "has no sweep 7"},
                            {{"results", store, "--point", "9"}, "has no finished point 9"},
                            {{"sweep", kScenario, "--axis", "plan.zero=0,1", "--set", "plan.micro_batch=2",
                              "--resume", "--store", store},
                             "has no sweep of this scenario over these axes"}}) {
        const CliResult result = run_cli(arguments);
        EXPECT_EQ(result.exit_code, 2) << message;
        EXPECT_THAT(result.err, HasSubstr(message));
    }
}

TEST(PlotCommand, DescribesCurvesHeatMapsAndFrontsOfAStore) {
    const ScratchDirectory scratch;
    const std::string store = (scratch.path() / "s.db").string();
    ASSERT_EQ(
        sweep(store, {"cluster.caps.nvlink=log:20 GB/s:400 GB/s:6", "plan.schedule=1f1b,zb-h1"}).exit_code,
        0);
    const CliResult lines = run_cli({"plot", store, "--series", "plan.schedule", "--json", "-"});
    ASSERT_EQ(lines.exit_code, 0) << lines.err;
    EXPECT_EQ(published_schema_violations("plot", lines.out), "");
    const json result = json::parse(lines.out);
    EXPECT_EQ(published_schema_violations("chart", result.at("chart").dump()), "");
    EXPECT_EQ(result.at("knees").size(), 2U);
    EXPECT_EQ(result.at("chart").at("marks").at(0).at("at"), 400.0) << "what A800 and H800 have";
    const json best = json::parse(run_cli({"plot", store, "--best-of", "plan.schedule", "--chart", "-"}).out);
    const json& both = result.at("chart").at("series");
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(best.at("series").at(0).at("points").at(i).at(1),
                  std::min(both.at(0).at("points").at(i).at(1), both.at(1).at("points").at(i).at(1)));
    }
    for (const char* kind : {"heat-map", "front"}) {
        EXPECT_EQ(published_schema_violations("chart",
                                              run_cli({"plot", store, "--kind", kind, "--chart", "-"}).out),
                  "")
            << kind;
    }
    const CliResult undecided = run_cli({"plot", store});
    EXPECT_EQ(undecided.exit_code, 2);
    EXPECT_THAT(undecided.err, HasSubstr("the points differ in plan.schedule too (2 values)"));
    EXPECT_THAT(run_cli({"plot", store, "--x", "plan.zero"}).err,
                HasSubstr("no axis of the sweep is called 'plan.zero'"));
    EXPECT_THAT(run_cli({"plot", store, "--y", "colour"}).err, HasSubstr("no figure is called 'colour'"));
    EXPECT_THAT(run_cli({"plot", store, "--where", "usd<0"}).err, HasSubstr("no feasible point is left"));
}

TEST(OptimizeCommand, SaysWhatIsBestAndWhy) {
    const std::vector<std::string> arguments{"optimize", kScenario,
                                             "--set",    "plan.split=[]",
                                             "--vary",   "plan.pipeline,plan.schedule,plan.expert=8,16"};
    std::vector<std::string> with_json = arguments;
    with_json.insert(with_json.end(), {"--json", "-"});
    const CliResult result = run_cli(with_json);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(published_schema_violations("optimize", result.out), "");
    const json outcome = json::parse(result.out);
    EXPECT_LE(outcome.at("best").at("value"), outcome.at("given").at("value"));
    EXPECT_EQ(outcome.at("infeasible").get<int>() + outcome.at("feasible").get<int>(), outcome.at("plans"));
    const CliResult text = run_cli(arguments);
    EXPECT_THAT(text.out, testing::AnyOf(HasSubstr("no other plan is better"),
                                         HasSubstr("every feasible plan was simulated")));
    EXPECT_THAT(text.out, HasSubstr("best plan"));
    const CliResult large = run_cli({"optimize", kScenario, "--set", "plan.micro_batch=64", "--set",
                                     "plan.global_batch=512", "--vary", "plan.recompute"});
    EXPECT_EQ(large.exit_code, 2);
    EXPECT_THAT(large.err, AllOf(HasSubstr("the plan needs"), HasSubstr("would fit with"))) << "as run says";
    const CliResult wrong = run_cli({"optimize", kScenario, "--vary", "plan.tensr"});
    EXPECT_EQ(wrong.exit_code, 2);
    EXPECT_THAT(wrong.err, HasSubstr("did you mean 'plan.tensor'?"));
    EXPECT_EQ(run_cli({"optimize", kScenario, "--vary", "plan.zero", "--max-memory", "70"}).exit_code, 2);
}
