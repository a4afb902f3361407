// SPDX-License-Identifier: Apache-2.0
// A point is known by the text of the files that it names, not by their names.
#include "small_sweep.hpp"

#include <chokepoint/sim/point.hpp>
#include <chokepoint/sim/step_cache.hpp>

#include <chokepoint/hwmodels/catalog.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

using namespace chokepoint;

namespace {

constexpr std::string_view kConfig =
    R"({"model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008, "hidden_act": "silu",
 "num_hidden_layers": 32, "num_attention_heads": 32, "vocab_size": 32000})";
constexpr std::string_view kDense = R"(title = "dense"
[cluster]
gpu = "h800-sxm"
nodes = 2
[model]
arch = "config.json"
[plan]
pipeline = 2
expert = 1
schedule = "1f1b"
micro_batch = 1
global_batch = 32
sequence = 4096
precision = "bf16"
)";

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
    std::string made(text);
    made.replace(made.find(from), from.size(), to);
    return made;
}

std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// What sweeps and campaigns call a scenario before and after a file that it names is edited.
class ContentOfFiles : public testing::Test {
protected:
    void write(const std::string& name, std::string_view text) const {
        std::ofstream(folder_.file(name)) << text;
    }
    [[nodiscard]] sim::Scenario load(const std::string& scenario) const {
        write("it.toml", scenario);
        return sim::load_scenario(folder_.file("it.toml"));
    }
    void expect_known_by_text(const std::string& scenario, const std::string& file, std::string_view before,
                              std::string_view after) const {
        write(file, before);
        const sim::Scenario a = load(scenario);
        write(file, after);
        const sim::Scenario b = load(scenario);
        EXPECT_NE(sim::content_key(a), sim::content_key(b)) << file;
        EXPECT_NE(sim::step_content(a, a.plan()), sim::step_content(b, b.plan())) << file;
        write(file, before);
        const sim::Scenario again = load(scenario);
        EXPECT_EQ(sim::content_key(a), sim::content_key(again)) << file;
        EXPECT_EQ(sim::step_content(a, a.plan()), sim::step_content(again, again.plan())) << file;
    }

private:
    test::Folder folder_;
};

} // namespace

TEST_F(ContentOfFiles, CountsTheModelsConfig) {
    expect_known_by_text(std::string(kDense), "config.json", kConfig,
                         replaced(kConfig, "\"num_attention_heads\": 32", "\"num_attention_heads\": 64"));
}

TEST_F(ContentOfFiles, CountsTransferRates) {
    const std::string scenario = replaced(test::kSmall, "nodes = 2", "nodes = 2\ntransfers = \"rates.toml\"");
    const std::string shipped = text_of(hw::data_path("measurements") / "published" / "transfers.toml");
    expect_known_by_text(scenario, "rates.toml", shipped,
                         replaced(shipped, "dispatch = \"153 GB/s\"", "dispatch = \"143 GB/s\""));
}

TEST_F(ContentOfFiles, CountsTheOrderOfASchedule) {
    const std::string scenario = replaced(replaced(test::kSmall, "\"1f1b\"", "\"order.csv\""),
                                          "global_batch = 32", "global_batch = 16");
    expect_known_by_text(scenario, "order.csv", "0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1\n",
                         "0F0,0F1,0B0,0B1\n1F0,1F1,1B0,1B1\n");
}

TEST_F(ContentOfFiles, CountsAHistogramOfExperts) {
    const std::string scenario =
        std::string(test::kSmall) + "[[perturb]]\nrouting = \"histogram\"\nfile = \"experts.csv\"\n";
    const int experts = load(std::string(test::kSmall)).model().moe.experts;
    std::string even;
    for (int i = 0; i < experts; ++i) {
        even += "1\n";
    }
    expect_known_by_text(scenario, "experts.csv", even, "2" + even.substr(1));
}
