// SPDX-License-Identifier: Apache-2.0
// Laws of plan.software: what it fills, what it leaves alone, and what is guessed where nobody says it.
#include "scenario_text.hpp"

#include <chokepoint/sim/scenario_template.hpp>
#include <chokepoint/sim/software.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

using namespace chokepoint;
using test::value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

constexpr std::string_view kDense = R"(title = "GPT 1.7B on two boards"
[cluster]
gpu = "a100-sxm"
nodes = 2
[model]
arch = "gpt-1.7b"
[plan]
pipeline = 1
schedule = "1f1b"
micro_batch = 1
global_batch = 16
sequence = 2048
enforce_memory = false
)";

sim::Scenario dense(std::vector<std::string> overrides = {}) {
    return test::load(std::move(overrides), kDense);
}

std::vector<std::string> faults_of_folder(const std::filesystem::path& folder) {
    try {
        (void)sim::software_entries(folder);
    } catch (const sim::ScenarioError& error) {
        std::vector<std::string> lines;
        for (const sim::Diagnostic& fault : error.faults()) {
            lines.push_back(std::filesystem::path(fault.file).filename().string() +
                            sim::to_text(fault).substr(fault.file.size()));
        }
        return lines;
    }
    return {};
}

} // namespace

TEST(Software, EveryFileFillsWhatItLists) {
    std::set<std::string> ids;
    for (const sim::SoftwareEntry& software : sim::software_entries()) {
        SCOPED_TRACE(software.id);
        EXPECT_TRUE(ids.insert(software.id).second);
        const sim::Scenario scenario = dense({"plan.software=" + software.id});
        EXPECT_THAT(scenario.warnings(), IsEmpty());
        for (const sim::SoftwareEntry::Choice& choice : software.choices) {
            if (choice.when.empty()) {
                EXPECT_EQ(value(scenario, choice.key).text, choice.value) << choice.key;
                EXPECT_EQ(value(scenario, choice.key).origin, sim::Origin::preset) << choice.key;
                EXPECT_THAT(value(scenario, choice.key).where, HasSubstr(software.source)) << choice.key;
            }
        }
    }
    EXPECT_GE(ids.size(), 10U);
}

TEST(Software, WhatTheScenarioSaysCounts) {
    const sim::Scenario said = dense({"plan.software=llm-foundry-2023", "plan.attention_kernel=fused",
                                      "plan.zero=1", "cluster.host_call=20 us"});
    EXPECT_EQ(said.plan().attention_kernel, work::AttentionKernel::fused);
    EXPECT_EQ(said.plan().zero, 1);
    EXPECT_DOUBLE_EQ(said.cluster().node.host_call.value(), 20e-6);
    EXPECT_EQ(said.plan().elementwise, work::Elementwise::eager);
}

TEST(Software, NamesTheDefaultsOfTheTableAsMegatronCore) {
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"plan.zero=2"}}) {
        std::vector<std::string> named = more;
        named.emplace_back("plan.software=megatron-core");
        EXPECT_EQ(dense(more).plan(), dense(named).plan());
        EXPECT_EQ(value(dense(more), "plan.software").text, "megatron-core");
        EXPECT_THAT(dense(more).warnings(), IsEmpty());
    }
    EXPECT_EQ(test::load().plan(), test::load({"plan.software=megatron-core"}).plan()) << "DualPipe";
}

TEST(Software, IsGuessedFromPrecisionAndFromFullSharding) {
    const auto guess = [](std::vector<std::string> overrides) {
        const sim::Scenario scenario = dense(std::move(overrides));
        const std::string software = value(scenario, "plan.software").text;
        const auto told = std::ranges::count_if(scenario.warnings(), [](const sim::Diagnostic& warning) {
            return warning.message.starts_with("software is not said");
        });
        EXPECT_EQ(told, software == "megatron-core" ? 0 : 1);
        return software;
    };
    EXPECT_EQ(guess({"plan.precision=fp16"}), "megatron-lm-2022");
    EXPECT_EQ(guess({"plan.precision=fp16", "cluster.gpu=h100-sxm"}), "megatron-core");
    EXPECT_EQ(guess({"plan.precision=fp16", "plan.context=2"}), "megatron-core");
    EXPECT_EQ(guess({"plan.zero=3"}), "pytorch-fsdp");
    EXPECT_EQ(guess({"plan.zero=3", "model.arch=mixtral-8x7b"}), "megatron-core");
    EXPECT_EQ(guess({"plan.zero=3", "plan.precision=fp8-tensor", "cluster.gpu=h100-sxm"}), "megatron-core");
    EXPECT_EQ(guess({"plan.precision=fp8-tensor", "cluster.gpu=h100-sxm"}), "megatron-bridge");
    EXPECT_EQ(guess({"plan.precision=fp8-delayed", "cluster.gpu=h100-sxm"}), "nemo");
    EXPECT_EQ(guess({"plan.precision=nvfp4", "cluster.gpu=b200-sxm"}), "megatron-bridge");
    EXPECT_EQ(guess({"plan.precision=fp8-block", "cluster.gpu=h100-sxm"}), "megatron-core");
}

TEST(Software, PairsExpertsOnlyWhereTheyCanBe) {
    const auto paired = [](std::vector<std::string> overrides) {
        overrides.insert(overrides.end(),
                         {"plan.software=megatron-bridge-26.06", "model.arch=qwen3-30b-a3b"});
        return dense(std::move(overrides)).plan().overlap_expert;
    };
    EXPECT_TRUE(paired({"plan.expert=8", "cluster.gpu=b200-sxm"}));
    EXPECT_TRUE(paired({"plan.expert=8", "cluster.gpu=b200-sxm", "plan.pipeline=2", "plan.virtual_stages=2",
                        "plan.schedule=interleaved-1f1b"}));
    EXPECT_FALSE(paired({"plan.expert=1", "cluster.gpu=b200-sxm"}));
    EXPECT_FALSE(paired({"plan.expert=8", "cluster.gpu=b200-sxm", "plan.pipeline=2"}));
    EXPECT_FALSE(paired({"plan.expert=8", "cluster.gpu=h100-sxm"}));
    EXPECT_FALSE(paired({"plan.expert=8", "cluster.gpu=b200-sxm", "plan.overlap_expert=false"}))
        << "and weight gradients are not delayed, which would be a fault";
}

// DeepSeek-V3's recipe of Megatron-Bridge asks for DeepEP; others start from a plain all-to-all.
TEST(Software, SendsTokensOfNodeLimitedRoutersByDeepEP) {
    const auto dispatcher = [](const char* gpu, const char* arch, const char* software) {
        return dense({"plan.expert=8", "plan.global_batch=144", fmt::format("cluster.gpu={}", gpu),
                      fmt::format("model.arch={}", arch), fmt::format("plan.software={}", software),
                      "plan.enforce_memory=false"})
            .plan()
            .dispatcher;
    };
    using enum work::Dispatcher;
    EXPECT_EQ(dispatcher("h100-sxm", "deepseek-v3", "megatron-bridge"), deepep);
    EXPECT_EQ(dispatcher("h100-sxm", "qwen3-30b-a3b", "megatron-bridge"), all_to_all);
    EXPECT_EQ(dispatcher("gb200", "deepseek-v3", "megatron-bridge"), hybrid_ep);
    EXPECT_EQ(dispatcher("h100-sxm", "deepseek-v3", "nemo"), all_to_all);
}

// Else a sweep over precisions would compare software.
TEST(Software, IsOneForAllPointsOfASweep) {
    const auto scenario =
        sim::ScenarioTemplate::parse(std::string(kDense), "dense.toml", {{"cluster.gpu=h100-sxm"}, {}});
    const std::vector<std::string> point{"plan.precision=fp8-tensor"};
    EXPECT_EQ(value(scenario.with(point), "plan.software").text, "megatron-core");
    const auto eight_bits = sim::ScenarioTemplate::parse(
        std::string(kDense), "dense.toml", {{"cluster.gpu=h100-sxm", "plan.precision=fp8-tensor"}, {}});
    EXPECT_EQ(value(eight_bits.with({}), "plan.software").text, "megatron-bridge");
    const std::vector<std::string> other{"plan.precision=bf16"};
    EXPECT_EQ(value(eight_bits.with(other), "plan.software").text, "megatron-bridge");
    const std::vector<std::string> named{"plan.software=nemo"};
    EXPECT_EQ(value(eight_bits.with(named), "plan.software").text, "nemo");
}

TEST(Software, AGuessSaysWhatItFillsAndGoesAwayWhenNamed) {
    const sim::Scenario guessed = dense({"plan.zero=3", "plan.elementwise=fused"});
    ASSERT_EQ(guessed.warnings().size(), 1U);
    EXPECT_THAT(guessed.warnings()[0].message,
                testing::AllOf(HasSubstr("since zero is 3"), HasSubstr("pytorch-fsdp"),
                               HasSubstr("attention_kernel flash-attention-2"),
                               testing::Not(HasSubstr("elementwise")), testing::Not(HasSubstr("zero 3)"))));
    EXPECT_THAT(dense({"plan.zero=3", "plan.software=torchtitan"}).warnings(), IsEmpty());
}

// No software: what follows from other keys.
TEST(PlanDefaults, ExpertsAreSharedAsWideAsTheyDivideAndFastPartsRecordSmallSteps) {
    const auto expert_tensor = [](const std::string& expert) {
        return dense({"model.arch=mixtral-8x7b", "plan.tensor=2", "plan.expert=" + expert, "plan.zero=1"})
            .plan()
            .expert_tensor;
    };
    EXPECT_EQ(expert_tensor("8"), 2); // 16 GPUs
    EXPECT_EQ(
        test::load({"model.arch=qwen3-30b-a3b", "plan.tensor=2", "plan.expert=16", "plan.zero=1"}, kDense)
            .plan()
            .expert_tensor,
        1)
        << "16 x 2 do not divide 16";
    const auto graphs = [](const std::string& gpu, const std::string& model) {
        return value(dense({"cluster.gpu=" + gpu, "model.arch=" + model, "plan.zero=1"}), "plan.cuda_graphs")
            .text;
    };
    EXPECT_EQ(graphs("b200-sxm", "llama-3-8b"), "[step]");
    EXPECT_EQ(graphs("b200-sxm", "llama-3-70b"), "[]");
    EXPECT_EQ(graphs("h100-sxm", "llama-3-8b"), "[]");
}

TEST(Software, ChoicesOfSomePlansWaitForThem) {
    const auto early_stop = [](const std::string& recompute) {
        return dense({"plan.software=torchtitan", "plan.recompute=" + recompute}).plan().recompute_early_stop;
    };
    EXPECT_TRUE(early_stop("[\"layer\"]"));
    EXPECT_FALSE(early_stop("[\"norm\"]"));
    const auto gathered = [](const std::string& precision) {
        return dense({"plan.software=nemo", "cluster.gpu=h100-sxm", "plan.precision=" + precision})
            .plan()
            .parameter_dtype;
    };
    EXPECT_EQ(gathered("fp8-delayed"), hw::DType::fp8);
    EXPECT_EQ(gathered("bf16"), hw::DType::bf16);
    const auto attention = [](const std::string& context) {
        return dense({"plan.software=megatron-lm-2022", "plan.context=" + context}).plan().attention_kernel;
    };
    EXPECT_EQ(attention("1"), work::AttentionKernel::unfused);
    EXPECT_EQ(attention("2"), work::AttentionKernel::fused);
}

TEST(Software, WithoutTransformerEngineTheHostStartsKernelsFaster) {
    const double usual = dense().cluster().node.host_call.value();
    for (const sim::SoftwareEntry& software : sim::software_entries()) {
        EXPECT_DOUBLE_EQ(dense({"plan.software=" + software.id}).cluster().node.host_call.value(),
                         software.host_share * usual)
            << software.id;
    }
}

TEST(Software, WrongFilesAreToldAllAtOnceWithTheirLines) {
    const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "software-faults";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "a.toml") << "id = \"a\"\ntitle = 3\nsource = \"s\"\nhost_share = -1.0\n[always]\n"
                                        "overlap_tensor = \"yes\"\npipeline = 4\nsoftware = \"b\"\n[often]\n";
    std::ofstream(folder / "b.toml") << "id = \"a\"\nsource = \"s\"\nspeed = 1\n";
    EXPECT_THAT(
        faults_of_folder(folder),
        ElementsAre("a.toml:2:9: error: title: found 3; expected text",
                    "a.toml:4:14: error: host_share: found -1.0; expected a number above 0, up to 10.0",
                    "a.toml:6:18: error: overlap_tensor: found \"yes\"; expected true or false",
                    "a.toml:7:1: error: 'pipeline' is no key of [plan] that has a default of its own",
                    "a.toml:8:1: error: 'software' is no key of [plan] that has a default of its own",
                    testing::StartsWith("a.toml:9:1: error: unknown section [often]; known: always"),
                    "b.toml:1:1: error: missing key 'title': expected text",
                    "b.toml:1:1: error: another file has the id \"a\" too",
                    testing::StartsWith("b.toml:3:1: error: unknown key 'speed'")));
    std::filesystem::remove_all(folder);
}
