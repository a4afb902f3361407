// SPDX-License-Identifier: Apache-2.0
// The command line keeps its word: exit codes, streams, determinism, and no half-written file.
#include "run_cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

using chokepoint::test::CliResult;
using chokepoint::test::read_file;
using chokepoint::test::run_cli;
using chokepoint::test::ScratchDirectory;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

const std::string kSmall = "scenarios/small-16-gpus.toml";
const std::string kH800 = "scenarios/deepseek-v3-h800.toml";
const std::string kH100 = "scenarios/deepseek-v3-h100.toml";

nlohmann::json parse(const std::string& text) { return nlohmann::json::parse(text); }

nlohmann::json without_clock(nlohmann::json run) {
    run["engine"].erase("wall_seconds");
    run["engine"].erase("peak_rss_bytes");
    return run;
}

} // namespace

TEST(Cli, JsonOnStdoutIsAloneThere) {
    const CliResult run = run_cli({"run", kSmall, "--json", "-"});
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_EQ(parse(run.out).at("schema"), "chokepoint/run/1");
    EXPECT_THAT(run.err, IsEmpty());
}

TEST(Cli, TwoRunsPrintTheSameJsonButForTheClock) {
    const auto first = without_clock(parse(run_cli({"run", kH800, "--json", "-"}).out));
    const auto second = without_clock(parse(run_cli({"run", kH800, "--json", "-"}).out));
    EXPECT_EQ(first, second);
    EXPECT_EQ(first.dump(), second.dump());
}

TEST(Cli, PhasesAddUpToTheStepOnEveryRank) {
    for (const std::string& scenario : {kSmall, kH800}) {
        const auto step = parse(run_cli({"run", scenario, "--json", "-"}).out).at("step");
        auto ranks = step.at("phases_per_rank");
        ranks.push_back(step.at("phases"));
        for (const auto& phases : ranks) {
            double sum = 0.0;
            for (const char* phase : {"f", "b", "w", "fb", "bubble", "optimizer"}) {
                EXPECT_GE(phases.at(phase).get<double>(), -1e-9) << phase;
                sum += phases.at(phase).get<double>();
            }
            EXPECT_NEAR(sum, step.at("seconds").get<double>(), 1e-9);
        }
    }
}

TEST(Cli, CriticalPathCoversTheWholeStep) {
    const auto run = parse(run_cli({"run", kH800, "--json", "-"}).out);
    double sum = 0.0;
    for (const auto& entry : run.at("critical_path")) {
        sum += entry.at("seconds").get<double>();
    }
    EXPECT_NEAR(sum, run.at("step").at("seconds").get<double>(), 1e-6);
}

TEST(Cli, CompareOfAScenarioWithItselfFindsNoDifference) {
    const auto compare = parse(run_cli({"compare", kSmall, kSmall, "--json", "-"}).out);
    for (const auto& row : compare.at("differences")) {
        EXPECT_EQ(row.at("difference"), 0.0) << row;
    }
}

TEST(Cli, ProgressForProgramsIsOneJsonValuePerLineOnStderr) {
    const CliResult run = run_cli({"run", kSmall, "--json", "-", "--progress", "json"});
    EXPECT_EQ(run.exit_code, 0);
    std::istringstream lines(run.err);
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        const auto progress = parse(line).at("progress");
        EXPECT_GE(progress.at("share").get<double>(), 0.0);
        EXPECT_LE(progress.at("share").get<double>(), 1.0);
    }
    EXPECT_GT(count, 0);
}

TEST(Cli, TraceNamesEveryTaskAndStaysWithinTheStep) {
    const ScratchDirectory scratch;
    const std::string file = (scratch.path() / "trace.json").string();
    ASSERT_EQ(run_cli({"trace", kSmall, "-o", file}).exit_code, 0);
    const double step =
        parse(run_cli({"run", kSmall, "--json", "-"}).out).at("step").at("seconds").get<double>();
    const auto trace = parse(read_file(file));
    int spans = 0;
    int critical = 0;
    double path = 0.0;
    std::map<std::pair<int, int>, double> last; // end of each track's last slice, nanoseconds
    for (const auto& event : trace.at("traceEvents")) {
        if (event.at("ph") != "X") {
            continue;
        }
        ++spans;
        const std::pair track{event.at("pid").get<int>(), event.at("tid").get<int>()};
        const double from = std::round(event.at("ts").get<double>() * 1e3);
        if (track.second > 0) { // a stream: Perfetto drops slices that overlap in part
            EXPECT_GE(from, last[track]) << event;
            last[track] = from + std::round(event.at("dur").get<double>() * 1e3);
        }
        if (event.contains("args") && event.at("args").contains("critical")) {
            ++critical;
            path += event.at("dur").get<double>() * 1e-6;
        }
        EXPECT_FALSE(event.at("name").get<std::string>().empty());
        EXPECT_LE((event.at("ts").get<double>() + event.at("dur").get<double>()) * 1e-6, step + 1e-8);
    }
    EXPECT_GT(spans, 100);
    EXPECT_LT(critical, spans);
    EXPECT_NEAR(path, step, 1e-9 * critical) << "the critical path fills the step; a trace has nanoseconds";
}

TEST(Cli, UnknownNamesAreWrongInputAndListWhatExists) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"show", "gpu", "h900"},
          {"show", "model", "gpt-9"},
          {"show", "cat", "x"},
          {"show", "fabric", "ring"},
          {"show", "node", "rack"},
          {"show", "link", "string"},
          {"show", "software", "fortran"},
          {"show", "fabric", "fat-tree", "--gpus", "8", "--node", "x"},
          {"list", "cats"}}) {
        const CliResult result = run_cli(arguments);
        EXPECT_EQ(result.exit_code, 2) << arguments[1];
        EXPECT_THAT(result.err, HasSubstr("expected one of"));
        EXPECT_THAT(result.out, IsEmpty());
    }
}

TEST(Cli, ShowsASourceBesideEveryFigureOfAPart) {
    const auto values = parse(run_cli({"show", "gpu", "h800-sxm", "--json", "-"}).out).at("values");
    for (const auto& [key, figure] : values.items()) {
        if (key != "name" && key != "architecture") {
            EXPECT_FALSE(figure.at("source").get<std::string>().empty()) << key;
        }
    }
}

TEST(Cli, ShowsAFabricWithAClusterPluggedIn) {
    const auto values =
        parse(run_cli({"show", "fabric", "fat-tree-2", "--gpus", "2048", "--json", "-"}).out).at("values");
    const auto value = [&](const char* key) { return values.at(key).at("value").get<double>(); };
    EXPECT_EQ(value("cluster.leaves"), 64);
    EXPECT_EQ(value("cluster.spines"), 32);
    EXPECT_EQ(value("cluster.cables"), 2048);
    EXPECT_EQ(value("cluster.bisection"), 1024 * 50e9); // 400 Gb/s each
    EXPECT_EQ(value("within.leaf"), 32);
    EXPECT_NEAR(value("latency_per_switch"), 0.45e-6, 1e-12); // arXiv 2505.09343
    for (const char* gpus : {"4096", "12"}) {                 // more than 2,048; no whole nodes
        const CliResult refused = run_cli({"show", "fabric", "fat-tree-2", "--gpus", gpus});
        EXPECT_EQ(refused.exit_code, 2);
        EXPECT_THAT(refused.out, IsEmpty());
        EXPECT_THAT(refused.err, HasSubstr(gpus));
    }
}

TEST(Cli, ReportsNameTheEstimatesThatTheyRestOn) {
    const CliResult run = run_cli({"run", "scenarios/small-16-gpus.toml", "--set", "cluster.gpu=l20"});
    EXPECT_THAT(run.out, HasSubstr("l20: sm_count, pcie_achievable"));
    const CliResult json =
        run_cli({"run", "scenarios/small-16-gpus.toml", "--set", "cluster.gpu=l20", "--json", "-"});
    EXPECT_THAT(json.out, HasSubstr("estimates, without a good source: l20: sm_count, pcie_achievable"));
}

TEST(Cli, RulesCatchThePartsThatTheyWereWrittenFor) {
    std::map<std::pair<std::string, std::string>, std::string> ruling;
    const auto rules = parse(run_cli({"rules", "--json", "-"}).out);
    for (const auto& part : rules.at("parts")) {
        for (const auto& verdict : part.at("verdicts")) {
            ruling[{part.at("part"), verdict.at("rule")}] = verdict.at("ruling");
        }
    }
    EXPECT_EQ((ruling[{"h100-sxm", "us-2022-10"}]), "licence");
    EXPECT_EQ((ruling[{"h800-sxm", "us-2022-10"}]), "free");
    EXPECT_EQ((ruling[{"h800-sxm", "us-2023-10a"}]), "licence");
    EXPECT_EQ((ruling[{"h20-sxm", "us-2023-10a"}]), "free");
    EXPECT_EQ((ruling[{"h200-sxm", "us-2026-01"}]), "case_by_case");
    EXPECT_EQ((ruling[{"b200-sxm", "us-2026-01"}]), "presumption_of_denial");
}

TEST(Cli, TheRuleOf2022AdmitsACapOnEitherOfItsTwoThresholds) {
    const auto design =
        parse(run_cli({"rules", "--design", "h100-sxm", "--under", "us-2022-10", "--json", "-"}).out)
            .at("design");
    EXPECT_EQ(design.at("caps").size(), 2U);
    const std::vector<std::string> both{"rules",   "--design",    "h100-sxm", "--under", "us-2023-10a",
                                        "--under", "us-2023-10b", "--json",   "-"};
    const auto under_both = parse(run_cli(both).out).at("design").at("caps");
    ASSERT_EQ(under_both.size(), 1U);
    EXPECT_EQ(under_both.at(0).at("caps.tpp"), "2400") << "4,800 alone would leave a licence of paragraph b";
    EXPECT_EQ(run_cli({"rules", "--design", "h100-sxm"}).exit_code, 2);
    EXPECT_EQ(run_cli({"rules", "--cap", "tpp=4000"}).exit_code, 2);
    EXPECT_EQ(run_cli({"rules", "h100-sxm", "--cap", "nic=100 Gb/s"}).exit_code, 2);
    EXPECT_EQ(run_cli({"rules", "--design", "h100-sxm", "--under", "us-1999"}).exit_code, 2);
    EXPECT_EQ(run_cli({"rules", "--on", "yesterday"}).exit_code, 2);
}

TEST(Cli, RulesJudgeACappedPartAsTheCatalogsOwnOfThoseCaps) {
    const auto verdicts = [](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "rules");
        arguments.insert(arguments.end(), {"--on", "2023-01-01", "--json", "-"});
        return parse(run_cli(arguments).out).at("parts").at(0);
    };
    const auto capped = verdicts({"h100-sxm", "--cap", "nvlink=400 GB/s"});
    EXPECT_EQ(capped.at("figures").at("aggregate_io").get<double>(), 4e11);
    EXPECT_EQ(capped.at("verdicts"), verdicts({"h800-sxm"}).at("verdicts"));
    EXPECT_NE(capped.at("verdicts"), verdicts({"h100-sxm"}).at("verdicts"));
}

TEST(Cli, WrongArgumentsExitWithTwo) {
    EXPECT_EQ(run_cli({}).exit_code, 2);
    EXPECT_EQ(run_cli({"fly"}).exit_code, 2);
    EXPECT_EQ(run_cli({"run"}).exit_code, 2);
    EXPECT_EQ(run_cli({"run", kSmall, "--no-such-option"}).exit_code, 2);
    EXPECT_EQ(run_cli({"trace", kSmall, "--ranks", "99", "-o", "/dev/null/x"}).exit_code, 2);
    EXPECT_EQ(run_cli({"--help"}).exit_code, 0);
    EXPECT_EQ(run_cli({"--version"}).exit_code, 0);
}

TEST(Cli, WrongScenarioWritesNothing) {
    const ScratchDirectory scratch;
    const std::string bad = scratch.write("bad.toml", "title = \"x\"\n[cluster]\ngpu = \"h900\"\n");
    const auto target = scratch.path() / "result.json";
    const CliResult run = run_cli({"run", bad, "--json", target.string()});
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_THAT(run.out, IsEmpty());
    EXPECT_THAT(run.err, HasSubstr("bad.toml:3:"));
    EXPECT_FALSE(std::filesystem::exists(target));
}

TEST(Cli, UnwritableOutputFailsBeforeTheRunAndSaysWhy) {
    const CliResult run = run_cli({"run", kSmall, "--json", "/no/such/directory/result.json"});
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_THAT(run.err, HasSubstr("cannot write '/no/such/directory/result.json': No such file"));
    EXPECT_THAT(run.out, IsEmpty());
}

TEST(Cli, AnOldResultSurvivesAFailedRun) {
    const ScratchDirectory scratch;
    const std::string target = scratch.write("result.json", "old");
    const std::string bad = scratch.write("bad.toml", "[cluster]\n");
    EXPECT_EQ(run_cli({"run", bad, "--json", target}).exit_code, 2);
    EXPECT_EQ(read_file(target), "old");
    EXPECT_EQ(run_cli({"run", kSmall, "--json", target}).exit_code, 0);
    EXPECT_EQ(parse(read_file(target)).at("schema"), "chokepoint/run/1");
    for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
        EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("tmp")));
    }
}

TEST(Cli, AKilledRunLeavesAWholeFileOrNone) {
    const ScratchDirectory scratch;
    const auto target = scratch.path() / "result.json";
    const auto started = std::chrono::steady_clock::now();
    ASSERT_EQ(run_cli({"run", kSmall, "--json", target.string()}).exit_code, 0);
    const auto whole =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
    constexpr int kKills = 25;
    int killed = 0;
    for (int i = 1; i <= kKills; ++i) {
        std::filesystem::remove(target);
        const CliResult run = run_cli({"run", kSmall, "--json", target.string()}, whole * i / kKills);
        killed += run.exit_code == -1 ? 1 : 0;
        if (std::filesystem::exists(target)) {
            EXPECT_EQ(parse(read_file(target)).at("schema"), "chokepoint/run/1");
        }
    }
    EXPECT_GT(killed, 0);
}

TEST(Cli, CheckReportsEveryFaultAsJson) {
    const ScratchDirectory scratch;
    const std::string bad =
        scratch.write("bad.toml", "title = \"x\"\n[cluster]\ngpu = \"h900\"\nnodes = -1\n");
    const CliResult check = run_cli({"check", bad, "--json", "-"});
    EXPECT_EQ(check.exit_code, 2);
    const auto json = parse(check.out);
    EXPECT_FALSE(json.at("valid").get<bool>());
    EXPECT_GE(json.at("faults").size(), 2U);
}

TEST(Cli, OverridesReachTheSimulation) {
    const auto seconds = [](const std::vector<std::string>& extra) {
        std::vector<std::string> arguments{"run", kSmall, "--json", "-"};
        arguments.insert(arguments.end(), extra.begin(), extra.end());
        return parse(run_cli(arguments).out).at("step").at("seconds").get<double>();
    };
    EXPECT_GT(seconds({"--set", "cluster.caps.nvlink=20 GB/s"}), seconds({}));
    EXPECT_GT(seconds({"--set", "plan.global_batch=64"}), seconds({}));
}

TEST(Cli, ShowsAModelFromItsHuggingFaceConfig) {
    const ScratchDirectory scratch;
    const std::string config = scratch.write("config.json", R"({"model_type": "llama", "hidden_size": 4096,
        "intermediate_size": 11008, "hidden_act": "silu", "num_hidden_layers": 32, "num_attention_heads": 32,
        "vocab_size": 32000})");
    const auto values =
        parse(run_cli({"show", "model", config, "--sequence", "2048", "--json", "-"}).out).at("values");
    const auto preset =
        parse(run_cli({"show", "model", "llama-2-7b", "--sequence", "2048", "--json", "-"}).out).at("values");
    for (const char* key :
         {"parameters", "parameters.active", "gflop_per_token.causal", "kv_bytes_per_token"}) {
        EXPECT_EQ(values.at(key).at("value"), preset.at(key).at("value")) << key;
    }
    EXPECT_EQ(values.at("kv_bytes_per_token").at("value"), 2 * 2 * 32 * 4096);
}

TEST(Cli, RefusesAHuggingFaceConfigWithEveryFault) {
    const ScratchDirectory scratch;
    const std::string config =
        scratch.write("config.json", "{\"model_type\": \"llama\",\n\"vocab_size\": null}");
    const CliResult result = run_cli({"show", "model", config});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_THAT(result.err, HasSubstr("config.json:2:1: error: vocab_size is null"));
    EXPECT_THAT(result.err, HasSubstr("config.json:1:1: error: hidden_size is missing"));
}

TEST(Cli, ValidatesAPublishedRunWhoseScenarioItPrints) {
    const CliResult printed = run_cli({"validate", "--scenario", "dsv3-isca-mpft"});
    EXPECT_EQ(printed.exit_code, 0);
    const ScratchDirectory scratch;
    const std::string scenario = scratch.write("mpft.toml", printed.out);
    const auto run = parse(run_cli({"run", scenario, "--json", "-"}).out);
    const auto rows =
        parse(run_cli({"validate", "--filter", "dsv3-isca-mpft", "--json", "-"}).out).at("rows");
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_DOUBLE_EQ(rows[0].at("predicted_seconds").get<double>(),
                     run.at("step").at("seconds").get<double>());
    EXPECT_DOUBLE_EQ(rows[0].at("measured_seconds").get<double>(), 19.926); // arXiv 2505.09343, table 4
}

TEST(Cli, ValidatesAUsersOwnRuns) {
    const ScratchDirectory scratch;
    const std::string runs = scratch.write(
        "runs.tsv",
        "id\tsource\tscore\tseconds\tcluster.gpu\tcluster.nodes\tmodel.arch\tplan.pipeline\tplan.expert"
        "\tplan.schedule\tplan.micro_batch\tplan.global_batch\tplan.sequence\n"
        "mine\tmy log\ttime\t0.5\th100-sxm\t1\tmoe-tiny\t1\t8\t1f1b\t1\t16\t2048\n");
    const CliResult csv = run_cli({"validate", "--runs", runs, "--csv", "-"});
    EXPECT_EQ(csv.exit_code, 0);
    EXPECT_THAT(csv.out, HasSubstr("\nmine,"));
    EXPECT_EQ(std::ranges::count(csv.out, '\n'), 2);
    const auto chart = parse(run_cli({"validate", "--runs", runs, "--chart", "-"}).out);
    EXPECT_EQ(chart.at("kind"), "scatter");
    EXPECT_EQ(chart.at("series")[0].at("points")[0][0], 0.5);
}

TEST(Cli, RefusesWhatItCannotValidate) {
    const ScratchDirectory scratch;
    const std::string bad = scratch.write("runs.tsv", "id\tsource\tscore\nmine\tmy log\tguess\n");
    for (const auto& [arguments, message] : std::map<std::vector<std::string>, std::string>{
             {{"validate", "--filter", "colour=red"}, "no field is called 'colour'"},
             {{"validate", "--filter", "id=nowhere"}, "--filter leaves no published run"},
             {{"validate", "--scenario", "nobody"}, "no published run is called 'nobody'"},
             {{"validate", "--filter", "isca", "--json", "-", "--csv", "-"}, "can go to standard output"},
             {{"validate", "--runs", bad}, "runs.tsv:2:1: error: mine: score is 'guess'"}}) {
        const CliResult result = run_cli(arguments);
        EXPECT_EQ(result.exit_code, 2) << message;
        EXPECT_THAT(result.err, HasSubstr(message));
        EXPECT_THAT(result.out, IsEmpty());
    }
}

TEST(Readme, ShowsWhatTheProgramPrints) {
    const std::string printed = run_cli({"run", kH800}).out + run_cli({"compare", kH800, kH100}).out;
    std::istringstream readme(read_file(std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "README.md"));
    bool inside = false;
    int shown = 0;
    for (std::string line; std::getline(readme, line);) {
        if (line.starts_with("```")) {
            inside = !inside;
        } else if (inside && line != "...") {
            EXPECT_THAT(printed, HasSubstr(line + "\n"));
            ++shown;
        }
    }
    EXPECT_GT(shown, 30);
}
