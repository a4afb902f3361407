// SPDX-License-Identifier: Apache-2.0
// A scenario may name a HuggingFace config.json as its model, by a path from its own folder.
#include "scenario_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace chokepoint;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

constexpr std::string_view kConfig =
    R"({"model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008,
 "hidden_act": "silu", "num_hidden_layers": 32, "num_attention_heads": 32, "vocab_size": 32000})";

class ModelFile : public testing::Test {
protected:
    ModelFile()
        : folder_(std::filesystem::path(testing::TempDir()) /
                  testing::UnitTest::GetInstance()->current_test_info()->name()) {
        std::filesystem::create_directories(folder_ / "my-llama");
    }
    ~ModelFile() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& file, std::string_view text) const {
        std::ofstream(folder_ / file) << text;
    }
    [[nodiscard]] std::filesystem::path scenario(const std::string& model) const {
        write("it.toml", R"(title = "a model of my own"
[cluster]
gpu = "h100-sxm"
nodes = 1
[plan]
pipeline = 1
expert = 1
schedule = "1f1b"
micro_batch = 1
global_batch = 8
[model]
)" + model);
        return folder_ / "it.toml";
    }
    [[nodiscard]] std::vector<std::string> faults_of(const std::string& model) const {
        std::vector<std::string> messages;
        try {
            sim::load_scenario(scenario(model));
        } catch (const sim::ScenarioError& error) {
            for (const sim::Diagnostic& fault : error.faults()) {
                messages.push_back(std::to_string(fault.line) + ": " + fault.message);
            }
        }
        return messages;
    }

    std::filesystem::path folder_;
};

TEST_F(ModelFile, IsFoundFromTheScenariosFolder) {
    write("my-llama/config.json", kConfig);
    const auto file = scenario("arch = \"my-llama/config.json\"\n");
    const auto loaded = sim::load_scenario(file);
    EXPECT_EQ(loaded.model().id, "my-llama");
    EXPECT_EQ(loaded.model().hidden, 4096);
    EXPECT_EQ(loaded.model().layers, 32);
}

TEST_F(ModelFile, GivesWayToKeysBesideIt) {
    write("my-llama/config.json", kConfig);
    const auto loaded =
        sim::load_scenario(scenario("arch = \"my-llama/config.json\"\nlayers = 4\ndense_layers = 4\n"));
    EXPECT_EQ(loaded.model().layers, 4);
    EXPECT_EQ(loaded.model().hidden, 4096);
}

TEST_F(ModelFile, CanBeAnOverride) {
    write("my-llama/config.json", kConfig);
    const std::string path = (folder_ / "my-llama/config.json").string();
    EXPECT_EQ(
        sim::load_scenario(scenario("arch = \"llama-3-8b\"\n"), {{"model.arch=" + path}, {}}).model().id,
        "my-llama");
}

TEST_F(ModelFile, ReportsItsFaultsAtTheKeyThatNamesIt) {
    write("my-llama/config.json", "{\"model_type\": \"llama\",\n \"hidden_size\": \"wide\"}");
    const auto faults = faults_of("arch = \"my-llama/config.json\"\n");
    EXPECT_THAT(faults, testing::Contains(AllOf(HasSubstr("12: arch: "),
                                                HasSubstr("config.json:2: hidden_size is \"wide\""))));
    EXPECT_THAT(faults, testing::Contains(HasSubstr("num_hidden_layers is missing")));
    EXPECT_THAT(faults_of("arch = \"nowhere.json\"\n"),
                ElementsAre(HasSubstr("nowhere.json:1: cannot be read")));
}

TEST_F(ModelFile, ThatIsNoPathIsAnUnknownModel) {
    EXPECT_THAT(faults_of("arch = \"my-llama\"\n"),
                ElementsAre(AllOf(HasSubstr("no model is called \"my-llama\""),
                                  HasSubstr("or a path that ends in .json"))));
}

TEST_F(ModelFile, SpelledOutFieldsThatContradictAreRefused) {
    EXPECT_THAT(faults_of("arch = \"deepseek-v3\"\nattention.qk_norm = true\n"),
                testing::Contains(
                    HasSubstr("attention.qk_norm is true; expected false, since attention.kind is mla")));
    EXPECT_THAT(faults_of("arch = \"mixtral-8x7b\"\nmoe.shared_ffn_hidden = 512\n"),
                testing::Contains(HasSubstr("shared_experts is 0; expected at least 1")));
    EXPECT_THAT(faults_of("arch = \"mixtral-8x7b\"\nmoe.every = 2\n"),
                testing::Contains(HasSubstr("dense_ffn_hidden")));
}

} // namespace
