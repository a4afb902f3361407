// SPDX-License-Identifier: Apache-2.0
// The command that fits cost curves: what it prints, writes and refuses.
#include "run_cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

using chokepoint::test::read_file;
using chokepoint::test::run_cli;
using chokepoint::test::ScratchDirectory;

namespace {

const std::filesystem::path kMeasurements =
    std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "hwmodels/measurements/published";

} // namespace

TEST(Calibrate, OneCommandMakesTheShippedFits) {
    const ScratchDirectory scratch;
    std::vector<std::string> arguments{"calibrate", "--output", scratch.path().string()};
    for (const auto& entry : std::filesystem::directory_iterator(kMeasurements)) {
        if (entry.path().extension() == ".json") {
            arguments.push_back(entry.path().string());
        }
    }
    std::sort(arguments.begin() + 3, arguments.end());
    ASSERT_EQ(run_cli(arguments).exit_code, 0);
    for (const char* architecture : {"ampere", "blackwell", "hopper"}) {
        const std::string file = std::string(architecture) + ".json";
        const auto again = nlohmann::json::parse(read_file(scratch.path() / file)).at("fits");
        const auto shipped = nlohmann::json::parse(read_file(kMeasurements / "../../fits" / file)).at("fits");
        ASSERT_EQ(again.size(), shipped.size()) << file;
        for (std::size_t i = 0; i < shipped.size(); ++i) {
            EXPECT_EQ(again[i].at("kernel"), shipped[i].at("kernel"));
            EXPECT_EQ(again[i].at("rows"), shipped[i].at("rows"));
            for (const auto& [name, value] : shipped[i].at("parameters").items()) {
                EXPECT_NEAR(again[i].at("parameters").at(name).get<double>() / value.get<double>(), 1.0, 1e-6)
                    << file << " " << i << " " << name;
            }
        }
    }
}

TEST(Calibrate, PrintsHeldOutErrorsWhenAsked) {
    const std::string file = (kMeasurements / "gemm_bf16.json").string();
    const std::string tables = (kMeasurements / "grouped_tables.json").string();
    EXPECT_THAT(run_cli({"calibrate", file}).out,
                testing::AllOf(testing::HasSubstr("cublas-bf16-h100"), testing::HasSubstr("these files"),
                               testing::HasSubstr("the shipped fit")));
    EXPECT_THAT(run_cli({"calibrate", tables}).out, testing::Not(testing::HasSubstr("held out")));
    EXPECT_THAT(run_cli({"calibrate", tables, "--holdout"}).out, testing::HasSubstr("held out"));
}

TEST(Calibrate, GivesTheRowsBehindEachErrorWhenAsked) {
    const std::string file = (kMeasurements / "gemm_bf16.json").string();
    const auto result = nlohmann::json::parse(run_cli({"calibrate", file, "--points", "--json", "-"}).out);
    int series = 0;
    for (const auto& architecture : result.at("architectures")) {
        for (const auto& score : architecture.at("series")) {
            ++series;
            ASSERT_EQ(score.at("points").size(), score.at("rows").get<std::size_t>());
            double bias = 0.0;
            for (const auto& point : score.at("points")) {
                const double measured = point.at("measured_seconds").get<double>();
                const double flops = point.at("flops").get<double>();
                const double rate = flops / measured;
                EXPECT_LT(rate, 1.05 * score.at("peak_flops_per_second").get<double>());
                bias += point.at("predicted_seconds").get<double>() / measured - 1.0;
            }
            EXPECT_NEAR(bias / static_cast<double>(score.at("points").size()), score.at("bias").get<double>(),
                        1e-9);
        }
    }
    EXPECT_GT(series, 0);
    EXPECT_THAT(run_cli({"calibrate", file, "--json", "-"}).out, testing::Not(testing::HasSubstr("points")));
}

TEST(Calibrate, PrintsEveryRowOfAPartWithItsError) {
    std::vector<std::string> arguments{"calibrate", "--rows", "--part", "h800-sxm", "--json", "-"};
    for (const char* file : {"attention_fwd.json", "attention_papers.json", "gemm_fp8_block.json",
                             "gemm_training.json", "memory_bound.json"}) {
        arguments.push_back((kMeasurements / file).string());
    }
    const auto result = nlohmann::json::parse(run_cli(arguments).out);
    std::map<std::string, int> rows;
    std::set<std::string> standings;
    for (const auto& architecture : result.at("architectures")) {
        for (const auto& row : architecture.at("rows")) {
            EXPECT_EQ(row.at("part"), "h800-sxm");
            ++rows[row.at("series").get<std::string>()];
            standings.insert(row.at("standing").get<std::string>());
        }
    }
    // DeepGEMM, FlashMLA and DeepSeek's trace at 112 SMs, memory-bound kernels and those too small to fit.
    EXPECT_EQ(rows.at("deepgemm-infersim-h800"), 50);
    EXPECT_EQ(rows.at("deepgemm-readme-2025-03-25"), 6);
    EXPECT_EQ(rows.at("flashmla-compute-h800"), 1);
    EXPECT_EQ(rows.at("v3-trace-gemm"), 16);
    EXPECT_EQ(rows.at("v3-trace-memory-bound"), 118);
    EXPECT_EQ(standings, (std::set<std::string>{"checked", "fitted", "too small", "training"}));
    arguments = {"calibrate", "--rows", (kMeasurements / "gemm_fp8_block.json").string()};
    EXPECT_THAT(run_cli(arguments).out, testing::HasSubstr("4096 x 7168 x 16384"));
}

TEST(Calibrate, RefusesAPartThatNoFileHas) {
    const auto result =
        run_cli({"calibrate", (kMeasurements / "gemm_bf16.json").string(), "--part", "a100-sxm"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, testing::HasSubstr("'a100-sxm'; expected one of h100-sxm"));
}

namespace {

/// The published BF16 GEMMs of an H100 as if this user's own, taking so many times as long.
std::string own_measurements(double slower) {
    auto file = nlohmann::json::parse(read_file(kMeasurements / "gemm_bf16.json"));
    file["kind"] = "measured";
    for (auto& series : file["series"]) {
        series["vintage"] = "2026-01";
        for (auto& row : series["rows"]) {
            row.back() = row.back().get<double>() * slower;
        }
    }
    return file.dump();
}

double step_seconds(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{
        "run",   "scenarios/small-16-gpus.toml", "--set",  "cluster.gpu=h100-sxm",
        "--set", "cluster.host_call=0 us",       "--json", "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = run_cli(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out).at("step").at("seconds").get<double>();
}

} // namespace

TEST(OwnFits, OfAUsersOwnKernelsChangeTheRunAndAreNamedInIt) {
    const ScratchDirectory scratch;
    const std::string fits = (scratch.path() / "my-fits").string();
    const std::string set = "cluster.fits=" + fits;
    ASSERT_EQ(run_cli({"calibrate", scratch.write("kref.json", own_measurements(2.0)), "-o", fits}).exit_code,
              0);
    EXPECT_GT(step_seconds({"--set", set}), 1.05 * step_seconds({}));

    const auto run = nlohmann::json::parse(run_cli({"run", "scenarios/small-16-gpus.toml", "--set",
                                                    "cluster.gpu=h100-sxm", "--set", set, "--json", "-"})
                                               .out);
    EXPECT_EQ(run.at("scenario").at("values").at("cluster.fits").at("text"), fits);
    const std::string digest = run.at("scenario").at("values").at("derived.fits").at("text");
    EXPECT_EQ(digest.size(), 16U);
    EXPECT_THAT(run.at("warnings").dump(), testing::HasSubstr("1 curves of own runs"));
    EXPECT_THAT(run_cli({"check", "scenarios/small-16-gpus.toml", "--set", set}).out,
                testing::AllOf(testing::HasSubstr(fits), testing::HasSubstr(digest),
                               testing::HasSubstr("1 curves of own runs on h100-sxm")));
    EXPECT_THAT(run_cli({"show", "gpu", "h100-sxm", "--fits", fits}).out, testing::HasSubstr("own run"));
    EXPECT_THAT(run_cli({"show", "gpu", "h100-sxm"}).out, testing::Not(testing::HasSubstr("own run")));
}

TEST(OwnFits, OfAFolderThatIsNoneAreRefusedWithTheirPlace) {
    const ScratchDirectory scratch;
    std::string text =
        read_file(std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "scenarios/small-16-gpus.toml");
    text.replace(text.find("nodes = 2\n"), 10, "nodes = 2\nfits = \"no-such-folder\"\n");
    const auto result = run_cli({"run", scratch.write("own.toml", text)});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, testing::AllOf(testing::ContainsRegex("own.toml:[0-9]+:8: error: fits:"),
                                           testing::HasSubstr("no-such-folder")));
    EXPECT_EQ(run_cli({"show", "gpu", "h100-sxm", "--fits", "no-such-folder"}).exit_code, 2);
    EXPECT_EQ(run_cli({"show", "link", "ib-ndr", "--fits", "x"}).exit_code, 2);
}

TEST(Calibrate, NamesTheFaultOfEveryFile) {
    const ScratchDirectory scratch;
    const std::string broken = scratch.write("broken.json", "{");
    const std::string other = scratch.write("other.json", R"({"schema": "chokepoint/measurements/9"})");
    const auto result = run_cli({"calibrate", broken, other, "no-such-file.json"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err,
                testing::AllOf(testing::HasSubstr("broken.json"), testing::HasSubstr("other.json"),
                               testing::HasSubstr("measurements/9"),
                               testing::HasSubstr("no-such-file.json")));
}

TEST(Calibrate, RefusesFilesWithNothingToFit) {
    const auto result = run_cli({"calibrate", (kMeasurements / "gemm_training.json").string()});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, testing::HasSubstr("nothing to fit"));
}
