// SPDX-License-Identifier: Apache-2.0
// `import kineto` as a user meets it: what it prints, and what it refuses in which words.
#include "run_cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using chokepoint::test::read_file;
using chokepoint::test::run_cli;
using chokepoint::test::ScratchDirectory;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

constexpr const char* kSmall = "tests/data/kineto/small.json";

} // namespace

TEST(ImportKineto, PrintsClassesStreamsSegmentsAndWhatItDoesNotKnow) {
    const auto result = run_cli({"import", "kineto", kSmall});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("NVIDIA H100 80GB HBM3, rank 2 of 8"));
    EXPECT_THAT(result.out, HasSubstr("gemm bf16"));
    EXPECT_THAT(result.out, HasSubstr("attention forward"));
    EXPECT_THAT(result.out, HasSubstr("ProfilerStep"));
    EXPECT_THAT(result.out, HasSubstr("unclassified, counted as compute"));
    EXPECT_THAT(result.out, HasSubstr("my_own_kernel"));
}

TEST(ImportKineto, HoldsAProfileAgainstAScenario) {
    const auto result =
        run_cli({"import", "kineto", kSmall, "--against", "scenarios/small-16-gpus.toml", "--json", "-"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto against = nlohmann::json::parse(result.out).at("against");
    EXPECT_EQ(against.at("count"), 1) << "the profiler's steps";
    EXPECT_GT(against.at("compute_seconds"), 0.0);
    EXPECT_FALSE(against.at("rows").empty());
}

TEST(ImportKineto, CsvHoldsEveryTableInTheSameColumns) {
    const auto result = run_cli({"import", "kineto", kSmall, "--csv", "-"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, StartsWith("table,name,launches,sum_seconds,busy_seconds,predicted_seconds\n"
                                       "whole,all,8,"));
    EXPECT_THAT(result.out, HasSubstr("\nclass,gemm bf16,2,0.000180125,0.000180125,\n"));
    EXPECT_THAT(result.out, HasSubstr("\nunclassified,my_own_kernel,1,"));
}

TEST(ImportKineto, TakesAUsersOwnRules) {
    const ScratchDirectory scratch;
    const std::string rules = scratch.write("rules.toml", "[[class]]\nid = \"ours\"\nduty = \"compute\"\n"
                                                          "[[rule]]\nclass = \"ours\"\nany = [\"my_own\"]\n");
    const auto result = run_cli({"import", "kineto", kSmall, "--rules", rules, "--csv", "-"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("\nclass,ours,1,"));
}

TEST(ImportKineto, WrongInputIsRefusedWithExitCodeTwo) {
    const ScratchDirectory scratch;
    const std::string truncated = scratch.write("cut.json", read_file(kSmall).substr(0, 2000));
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{"no-such-file.json"}, "cannot read 'no-such-file.json': No such file or directory"},
        {{"tests/data"}, "cannot read 'tests/data': Is a directory"},
        {{truncated}, "cut.json: error: byte 2001: parse error"},
        {{"README.md"}, "README.md: error: byte 1: parse error"},
        {{kSmall, "--device", "3"}, "nothing ran on device 3; expected one of 0"},
        {{kSmall, "--rank", "1"}, "name it with --against"},
        {{kSmall, "--set", "plan.expert=2"}, "name it with --against"},
        {{kSmall, "--against", "no-such.toml"}, "no-such.toml"},
        {{kSmall, "--against", "scenarios/small-16-gpus.toml", "--rank", "99"}, "no pipeline rank 99"},
        {{kSmall, "--against", "scenarios/small-16-gpus.toml", "--rank", "0", "--pair", "2"},
         "leave --rank or --pair out"},
        {{kSmall, "--rules", "no-such.toml"}, "no-such.toml: error"},
        {{kSmall, "--csv", "-", "--json", "-"}, "only one of --csv, --trace and --json"},
        {{kSmall, "--csv", "-", "--trace", "-"}, "only one of --csv, --trace and --json"},
    };
    for (const auto& [arguments, message] : cases) {
        std::vector<std::string> all{"import", "kineto"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        const auto result = run_cli(all);
        EXPECT_EQ(result.exit_code, 2) << message;
        EXPECT_THAT(result.err, HasSubstr(message));
        EXPECT_EQ(result.out, "") << message;
    }
}
