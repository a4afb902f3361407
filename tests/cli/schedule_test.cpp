// SPDX-License-Identifier: Apache-2.0
// The command `schedule`: what it prints, what it writes it reads, and what it refuses.
#include "run_cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <tuple>

namespace {

using chokepoint::test::read_file;
using chokepoint::test::run_cli;
using chokepoint::test::ScratchDirectory;
using testing::HasSubstr;

constexpr const char* k1f1b = R"(1f1b: 2 ranks, 2 stages, 3 micro-batches

rank 0  F0 F1       B0--- F2 B1---    B2---
rank 1     F0 B0--- F1 B1--- F2 B2---
)";

} // namespace

TEST(ScheduleCommand, PrintsARowPerRankToScale) {
    const auto result = run_cli({"schedule", "1f1b", "--pp", "2", "--micro-batches", "3"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, testing::StartsWith(k1f1b));
    EXPECT_THAT(result.out, HasSubstr("Bubble    25.0% of all ranks' time; 3 on a rank"));
    EXPECT_THAT(result.out, HasSubstr("In flight 1 to 2 micro-batches"));
}

TEST(ScheduleCommand, ReadsBackTheFileItWrites) {
    const ScratchDirectory scratch;
    const std::string csv = (scratch.path() / "own.csv").string();
    const auto named = run_cli({"schedule", "dualpipe", "--pp", "4", "--micro-batches", "8", "--csv", csv});
    ASSERT_EQ(named.exit_code, 0) << named.err;
    const auto read = run_cli({"schedule", csv, "--csv", "-"});
    EXPECT_EQ(read.exit_code, 0) << read.err;
    EXPECT_EQ(read.out, read_file(csv));
    const auto again = run_cli({"schedule", csv});
    EXPECT_EQ(again.out.substr(again.out.find('\n')), named.out.substr(named.out.find('\n')));
}

TEST(ScheduleCommand, PlacesFaultsOfAFile) {
    const ScratchDirectory scratch;
    const std::string csv = scratch.write("bad.csv", "0F0,0B0\n1F0,1Q0\n");
    const auto result = run_cli({"schedule", csv});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr(csv + ":2:5: error: unknown action '1Q0'"));
}

TEST(ScheduleCommand, RefusesWhatCannotBeOrdered) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{"2f2b", "--pp", "2", "--micro-batches", "3"}, "no schedule is called '2f2b'"},
        {{"1f1b", "--pp", "2"}, "1f1b needs --pp and --micro-batches"},
        {{"dualpipe", "--pp", "3", "--micro-batches", "4"}, "3 pipeline ranks; expected an even number"},
        {{"1f1b", "--pp", "2", "--micro-batches", "4", "--virtual", "2"}, "2 virtual stages"},
        {{"1f1b", "--pp", "2", "--micro-batches", "4", "--times", "1,2"}, "expected three numbers"},
        {{"1f1b", "--pp", "2", "--micro-batches", "4", "--times", "1,2,nan"}, "expected three numbers"},
        {{"1f1b", "--pp", "100000", "--micro-batches", "100000"}, "expected at most 1000000"},
        {{"1f1b", "--pp", "2", "--micro-batches", "4", "--csv", "-", "--json", "-"}, "only one of --csv"},
        {{"no-such.csv"}, "cannot read 'no-such.csv': No such file"},
    };
    for (auto [arguments, message] : cases) {
        arguments.insert(arguments.begin(), "schedule");
        const auto result = run_cli(arguments);
        EXPECT_EQ(result.exit_code, 2) << message;
        EXPECT_THAT(result.err, HasSubstr(message));
    }
}

TEST(ScheduleCommand, WritesAFileThatAScenarioReplays) {
    const ScratchDirectory scratch;
    const std::string scenario = scratch.write("own.toml", read_file("scenarios/small-16-gpus.toml"));
    const std::string csv = (scratch.path() / "own.csv").string();
    const auto written = run_cli({"schedule", "1f1b", "--pp", "2", "--micro-batches", "4", "--csv", csv});
    ASSERT_EQ(written.exit_code, 0) << written.err;
    const auto named = run_cli({"run", scenario, "--json", "-"});
    const auto own = run_cli({"run", scenario, "--json", "-", "--set", "plan.schedule=own.csv"});
    ASSERT_EQ(own.exit_code, 0) << own.err;
    EXPECT_EQ(nlohmann::json::parse(own.out)["step"], nlohmann::json::parse(named.out)["step"]);
}

TEST(ScheduleCommand, WritesAFileThatAScenarioOfAnotherSizeRefuses) {
    const ScratchDirectory scratch;
    const std::string scenario = scratch.write("own.toml", read_file("scenarios/small-16-gpus.toml"));
    const std::string csv = (scratch.path() / "own.csv").string();
    ASSERT_EQ(run_cli({"schedule", "1f1b", "--pp", "2", "--micro-batches", "5", "--csv", csv}).exit_code, 0);
    const auto wrong_size = run_cli({"run", scenario, "--set", "plan.schedule=own.csv"});
    EXPECT_EQ(wrong_size.exit_code, 2);
    EXPECT_THAT(wrong_size.err, HasSubstr("own.csv: orders 5 micro-batches; expected 4"));
    std::ignore = scratch.write("own.csv", "0F0,0B0\n1F0,1Z0\n");
    const auto faulty = run_cli({"run", scenario, "--set", "plan.schedule=own.csv"});
    EXPECT_EQ(faulty.exit_code, 2);
    EXPECT_THAT(faulty.err, HasSubstr("own.csv:2:5: error: unknown action '1Z0'"));
    const auto missing = run_cli({"run", scenario, "--set", "plan.schedule=none.csv"});
    EXPECT_EQ(missing.exit_code, 2);
    EXPECT_THAT(missing.err, HasSubstr("none.csv\" cannot be read: No such file"));
}

TEST(ScheduleCommand, RunsEverySchedule) {
    for (const std::string id :
         {"gpipe", "1f1b", "interleaved-1f1b", "zb-h1", "zb-v", "dualpipe", "dualpipev"}) {
        std::vector<std::string> arguments{"run",   "scenarios/small-16-gpus.toml", "--set", "plan.split=[]",
                                           "--set", "plan.schedule=" + id};
        if (id == "interleaved-1f1b") {
            arguments.insert(arguments.end(), {"--set", "plan.virtual_stages=2"});
        }
        const auto result = run_cli(arguments);
        EXPECT_EQ(result.exit_code, 0) << id << ": " << result.err;
    }
}

TEST(ScheduleCommand, HasNoMoreStagesThanLayersEmbeddingAndHead) {
    const auto result = run_cli({"check", "scenarios/small-16-gpus.toml", "--set", "plan.split=[]", "--set",
                                 "plan.schedule=interleaved-1f1b", "--set", "plan.virtual_stages=6"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err,
                HasSubstr("splits the model into 12 stages (6 on each of 2 ranks), more than the 8 layers"));
}
