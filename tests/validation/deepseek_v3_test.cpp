// SPDX-License-Identifier: Apache-2.0
// How far the replay of DeepSeek-V3 is from what DeepSeek published. Nothing in the model is fitted to these
// figures.
#include "cli/run_cli.hpp"
#include "validation/scoreboard.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using chokepoint::test::read_file;
using chokepoint::test::run_cli;
using chokepoint::test::Score;
using chokepoint::test::Scoreboard;

namespace {

nlohmann::json published() {
    return nlohmann::json::parse(
        read_file(std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "tests/validation/data/deepseek_v3.json"));
}

nlohmann::json run(const std::vector<std::string>& overrides = {}) {
    std::vector<std::string> arguments{"run", "scenarios/deepseek-v3-h800.toml", "--json", "-"};
    for (const std::string& value : overrides) {
        arguments.insert(arguments.end(), {"--set", value});
    }
    const auto result = run_cli(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out);
}

} // namespace

TEST(DeepSeekV3OnH800, StepAndPhasesAgainstTheMeasuredRow) {
    const auto truth = published();
    const auto result = run();
    const auto& step = result.at("step");
    const auto& phases = step.at("phases");
    const auto number = [](const nlohmann::json& from, const char* key) {
        return from.at(key).get<double>();
    };

    Scoreboard board("DeepSeek-V3, 2,048 H800, arXiv 2505.09343 Table 4 (MPFT)");
    board.add({"step", "s", number(step, "seconds"), number(truth, "step_seconds"), 0.10, {}});
    board.add({"1F", "s", number(phases, "f"), number(truth, "f"), 0.10, {}});
    board.add({"1F1B (overlapped pairs)", "s", number(phases, "fb"), number(truth, "fb"), 0.10, {}});
    board.add({"1B + 1W",
               "s",
               number(phases, "b") + number(phases, "w"),
               number(truth, "b") + number(truth, "w"),
               0.15,
               {}});
    board.add({"optimizer", "s", number(phases, "optimizer"), number(truth, "optimizer"), 0.25, {}});
    board.report_only({"bubble", "s", number(phases, "bubble"), number(truth, "bubble"), 0.0, {}});
    board.add({"TFLOPS per GPU, causal",
               "",
               number(step, "tflops_per_gpu_causal"),
               number(truth, "tflops_causal"),
               0.10,
               {}});
    board.add({"FLOP per token",
               "G",
               number(step, "gflop_per_token_causal"),
               number(truth, "gflop_per_token"),
               0.005,
               {}});
    board.add({"campaign GPU-hours",
               "",
               number(result.at("campaign"), "gpu_hours"),
               number(truth, "pretraining_gpu_hours"),
               0.10,
               {}});
    board.print_and_judge();

    const auto interval = result.at("uncertainty").at("step_seconds");
    EXPECT_LE(interval[0].get<double>(), number(truth, "step_seconds"));
    EXPECT_GE(interval[1].get<double>(), number(truth, "step_seconds"));
}

TEST(DeepSeekV3OnH800, BubbleDependsOnWhatDeepSeekLeftOpen) {
    struct Variant {
        const char* name;
        std::vector<std::string> overrides;
    };
    const std::vector<Variant> variants{
        {"as shipped", {}},
        {"3 layers in the first stage, 2 in the last", {"plan.split=[3,4,4,4,4,4,4,4,4,4,4,4,4,4,4,2]"}},
        {"no MTP module", {"model.mtp_modules=0"}},
        {"perfectly balanced routing", {"plan.routing_imbalance=0"}},
        {"routed-load spread of 16%", {"plan.routing_imbalance=0.16"}},
        {"sustained clock 92%", {"cluster.sustained_clock=0.92"}},
        {"sends overlapped", {"plan.pipeline_send=overlapped"}},
    };
    const double measured = published().at("bubble").get<double>();
    fmt::print("\nBubble and step under each open choice (measured bubble {:.2f} s)\n", measured);
    double least = 1e9;
    double most = 0.0;
    for (const Variant& variant : variants) {
        const auto step = run(variant.overrides).at("step");
        const double bubble = step.at("phases").at("bubble").get<double>();
        fmt::print("  {:<44} bubble {:6.2f} s   step {:6.2f} s\n", variant.name, bubble,
                   step.at("seconds").get<double>());
        least = std::min(least, bubble);
        most = std::max(most, bubble);
        EXPECT_GT(bubble, 0.0);
    }
    EXPECT_LT(least, most);
}
