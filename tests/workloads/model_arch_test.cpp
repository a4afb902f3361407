// SPDX-License-Identifier: Apache-2.0
// A preset must count the parameters and FLOPs its authors publish.
#include "presets.hpp"

#include <chokepoint/hwmodels/catalog.hpp>

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace chokepoint::work {
namespace {

using test::preset;
using testing::HasSubstr;

/// Billions as the authors print them, some rounded and some cut off: a figure is met within its last digit,
/// or within 0.5% if that is more.
struct Published {
    const char* id;
    double total, active;
    double total_digit, active_digit;
    bool embedding_is_active = false; ///< the authors count the embedding's lookup among the active ones
};

constexpr Published kPublished[] = {
    {"deepseek-v3", 671, 37, 1, 1},               // arXiv 2412.19437, abstract
    {"deepseek-v2", 236, 21, 1, 1},               // arXiv 2405.04434, abstract
    {"mixtral-8x7b", 46.7, 12.9, 0.1, 0.1, true}, // mistral.ai/news/mixtral-of-experts, 2023-12-11
    {"mixtral-8x22b", 141, 39, 1, 1, true},       // mistral.ai/news/mixtral-8x22b, 2024-04-17
    {"qwen2-57b-a14b", 57, 14, 1, 1, true},       // arXiv 2407.10671, table 1
    {"qwen3-30b-a3b", 30.5, 3.3, 0.1, 0.1, true}, // huggingface.co/Qwen/Qwen3-30B-A3B, model card
    {"qwen3-235b-a22b", 235, 22, 1, 1, true},     // huggingface.co/Qwen/Qwen3-235B-A22B, model card
    {"kimi-k2", 1000, 32, 1000, 1},               // MoonshotAI/Kimi-K2 README: 1T, 32B
    {"dots.llm1", 142, 14, 1, 1, true},           // arXiv 2506.05767, abstract
    {"gpt-oss-120b", 116.83, 5.13, 0.01, 0.01},   // arXiv 2508.10925, table 1
    {"gpt-oss-20b", 20.91, 3.61, 0.01, 0.01},     // likewise
    {"llama-4-maverick", 400, 17, 1, 1, true},    // huggingface.co/meta-llama/Llama-4-Maverick-17B-128E
    {"nemotron-h-56b", 56, 56, 1, 1, true},       // arXiv 2504.03624, abstract
    {"nemotron-3-nano", 31.6, 3.2, 0.1, 0.1},     // huggingface.co/nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16
    {"nemotron-3-super", 120, 12, 1, 1},          // its name: 120B-A12B
    {"nemotron-3-ultra", 550, 55, 1, 1},          // its name: 550B-A55B
    {"grok-1", 314, 314 / 4.0, 2, 8, true},   // xai-org/grok-1, README: 314B; x.ai: a quarter of them active
    {"gpt3-175b", 175, 175, 1, 1},            // arXiv 2005.14165, table 2.1
    {"llama-2-7b", 6.7, 6.7, 0.1, 0.1, true}, // arXiv 2302.13971, table 2: the same shape
    {"llama-2-13b", 13.0, 13.0, 0.1, 0.1, true},    // likewise
    {"llama-2-70b", 69, 69, 1, 1, true},            // huggingface.co/meta-llama/Llama-2-70b-hf: 69B
    {"llama-3-8b", 8.03, 8.03, 0.01, 0.01, true},   // huggingface.co/meta-llama/Meta-Llama-3-8B: 8.03B
    {"llama-3-70b", 70.6, 70.6, 0.1, 0.1, true},    // huggingface.co/meta-llama/Meta-Llama-3-70B: 70.6B
    {"llama-3.1-405b", 405, 405, 1, 1, true},       // arXiv 2407.21783, abstract
    {"nemotron-4-15b", 15.6, 15.6, 0.1, 0.1, true}, // arXiv 2402.16819, 2: 12.5 B and 3.1 B of embeddings
    {"nemotron-4-340b", 341.0, 341.0, 0.1, 0.1,
     true},                           // arXiv 2406.11704, 2.1: 331.6 B and 9.4 B of embeddings
    {"gpt-1.7b", 1.7, 1.7, 0.1, 0.1}, // arXiv 2104.04473, table 1, this and what follows
    {"gpt-3.6b", 3.6, 3.6, 0.1, 0.1},
    {"gpt-7.5b", 7.5, 7.5, 0.1, 0.1},
    {"gpt-18.4b", 18.4, 18.4, 0.1, 0.1},
    {"gpt-39.1b", 39.1, 39.1, 0.1, 0.1},
    {"gpt-76.1b", 76.1, 76.1, 0.1, 0.1},
    {"gpt-145.6b", 145.6, 145.6, 0.1, 0.1},
    {"gpt-310.1b", 310.1, 310.1, 0.1, 0.1},
    {"gpt-529.6b", 529.6, 529.6, 0.1, 0.1},
    {"gpt-1008b", 1008.0, 1008.0, 0.1, 0.1},
    {"mpt-125m", 0.125, 0.125, 0.01,
     0.01}, // mosaicml/llm-foundry@8c8dd48, scripts/train/benchmarking/README.md, and what follows
    {"mpt-350m", 0.356, 0.356, 0.01, 0.01},
    {"mpt-760m", 0.760, 0.760, 0.01, 0.01},
    {"mpt-1b", 1.316, 1.316, 0.01, 0.01},
    {"mpt-3b", 2.652, 2.652, 0.01, 0.01},
    {"mpt-7b", 6.659, 6.659, 0.01, 0.01},
    {"mpt-13b", 12.854, 12.854, 0.01, 0.01},
    {"mpt-30b", 29.975, 29.975, 0.01, 0.01},
    {"mpt-70b", 64.862, 64.862, 0.01, 0.01},
    {"gpt-22b", 22, 22, 1, 1},                   // arXiv 2205.05198, table 3
    {"gpt-175b-megascale", 175, 175, 1, 1},      // arXiv 2402.15627, table 1
    {"gpt-530b-megascale", 530, 530, 1, 1},      // likewise
    {"megatron-1.7b", 1.7, 1.7, 0.1, 0.1, true}, // NVIDIA/Megatron-LM README, this and what follows
    {"megatron-7.1b", 7.1, 7.1, 0.1, 0.1, true},
    {"megatron-16b", 16, 16, 1, 1, true},
    {"megatron-70b", 70, 70, 1, 1, true},
    {"megatron-119b", 119, 119, 1, 1, true},
    {"megatron-177b", 177, 177, 1, 1, true},
    {"megatron-462b", 462, 462, 1, 1, true},
};

TEST(ParameterCount, IsWhatTheAuthorsPublish) {
    for (const Published& model : kPublished) {
        const ParameterCount count = count_parameters(preset(model.id));
        const double total = static_cast<double>(count.total) / 1e9;
        const double active =
            static_cast<double>(count.active + (model.embedding_is_active ? count.embedding : 0)) / 1e9;
        EXPECT_NEAR(total, model.total, std::max(model.total_digit, 0.005 * model.total)) << model.id;
        EXPECT_NEAR(active, model.active, std::max(model.active_digit, 0.005 * model.active)) << model.id;
    }
}

TEST(ParameterCount, CoversEveryPresetThatSomebodyPublished) {
    for (const ModelArch& model : test::presets()) {
        const bool made_up =
            model.id == "moe-tiny" || model.id == "internlm-7b" || model.id == "mixtral-8x22b-g8t8";
        EXPECT_EQ(std::ranges::count(kPublished, model.id, &Published::id) > 0, !made_up) << model.id;
    }
}

TEST(ParameterCount, OfGptIsMegatronsFormula) {
    // arXiv 2104.04473, equation 2: 12 l h^2 (1 + 13 / 12h + (V + s) / 12lh), and the last norm's 2h.
    for (const char* id : {"gpt-1.7b", "gpt-145.6b", "gpt-1008b"}) {
        const ModelArch& m = preset(id);
        const std::int64_t h = m.hidden;
        EXPECT_EQ(count_parameters(m).total,
                  m.layers * (12 * h * h + 13 * h) + (m.vocabulary + m.positions) * h + 2 * h)
            << id;
    }
}

TEST(ParameterCount, HoldsForPublishedWeightsToTheLastOne) {
    // Sizes of the published weights, from the index of their files.
    EXPECT_EQ(count_parameters(preset("llama-2-7b")).total, 6'738'415'616);
    EXPECT_EQ(count_parameters(preset("llama-3-8b")).total, 8'030'261'248);
    EXPECT_EQ(count_parameters(preset("qwen3-30b-a3b")).total, 30'532'122'624);
}

TEST(ParameterCount, HoldsForDeepSeekV3ToTheLastOne) {
    const ParameterCount count = count_parameters(preset("deepseek-v3"));
    EXPECT_EQ(count.expert, 3LL * 7168 * 2048);
    EXPECT_EQ(count.embedding, 129280LL * 7168);
    EXPECT_EQ(count.total, 671'026'404'352); // weights; the router's biases are adjusted, not trained
    EXPECT_EQ(count.active, 36'625'603'584);
    EXPECT_EQ(count.mtp, 11'610'067'968);
}

TEST(ParameterCount, OfATiedModelLacksOneEmbedding) {
    ModelArch model = preset("llama-3.1-405b");
    const ParameterCount untied = count_parameters(model);
    model.tied_embeddings = true;
    const ParameterCount tied = count_parameters(model);
    EXPECT_EQ(untied.total - tied.total, tied.embedding);
    EXPECT_EQ(untied.active, tied.active);
}

double gflop(const char* id, bool causal) {
    return training_flops_per_token(preset(id), 4096, causal).value() / 1e9;
}

TEST(TrainingFlops, AreDeepSeeksOwnCount) {
    // arXiv 2505.09343, table 2 prints 250 and 155 GFLOP per token.
    EXPECT_NEAR(gflop("deepseek-v3", true), 249.8, 0.005 * 249.8);
    EXPECT_NEAR(gflop("deepseek-v2", true), 155.0, 0.005 * 155.0);
}

TEST(TrainingFlops, GiveDeepSeeksTflopsFromItsTokens) {
    // arXiv 2505.09343, table 4: 272.8 billion tokens a day on 2,048 GPUs, 385 TFLOPS causal and 432
    // non-causal.
    const double tokens_per_second = 272.8e9 / 86400.0 / 2048.0;
    EXPECT_NEAR(gflop("deepseek-v3", true) * tokens_per_second / 1e3, 385, 0.005 * 385);
    EXPECT_NEAR(gflop("deepseek-v3", false) * tokens_per_second / 1e3, 432, 0.005 * 432);
}

TEST(TrainingFlops, OfGptAreMegatronsFormula) {
    // arXiv 2104.04473, equation 3 without the recomputed forward: 72 B s l h^2 (1 + s / 6h + V / 12lh).
    for (const char* id : {"gpt-1.7b", "gpt-145.6b", "gpt-1008b"}) {
        const ModelArch& m = preset(id);
        const double h = m.hidden, l = m.layers, v = m.vocabulary, s = 2048;
        const double formula = 72 * l * h * h * (1 + s / (6 * h) + v / (12 * l * h));
        EXPECT_NEAR(training_flops_per_token(m, 2048, false).value() / formula, 1.0, 1e-9) << id;
    }
}

TEST(TrainingFlops, GrowWithTheSequenceOnlyUpToTheWindow) {
    ModelArch model = preset("mixtral-8x7b");
    const auto flops = [&](std::int64_t sequence) {
        return training_flops_per_token(model, sequence, true).value();
    };
    const double whole = flops(4096);
    model.attention.window = 4096;
    EXPECT_DOUBLE_EQ(flops(4096), whole);
    // Far beyond the window a token sees all of it: twice the mean of a sequence as long as the window.
    EXPECT_NEAR(flops(1 << 24) - flops(4096), 6.0 * 2048 * 2 * 4096 * model.layers, 1e-3 * whole);
    EXPECT_DOUBLE_EQ(mean_keys(4096, 8192), 4096 - 4096.0 * 4096.0 / (2 * 8192.0));
}

TEST(Layers, LookBeyondTheWindowOncePerGroup) {
    ModelArch model = preset("gpt-oss-120b");
    EXPECT_EQ(window_of(model, 0), 128); // openai/gpt-oss model.py: sliding where the index is even
    EXPECT_EQ(window_of(model, 1), 0);
    EXPECT_EQ(window_of(model, 34), 128);
    EXPECT_EQ(window_of(model, model.layers), window_of(model, model.layers - 1));
    model.attention.full_every = 3;
    model.layers = 7;
    std::vector<int> whole;
    for (int layer = 0; layer < model.layers; ++layer) {
        if (window_of(model, layer) == 0) {
            whole.push_back(layer);
        }
    }
    EXPECT_THAT(whole, testing::ElementsAre(2, 5));
}

TEST(TrainingFlops, OfMixedWindowsLieBetweenAllAndNone) {
    const ModelArch mixed = preset("gpt-oss-120b"); // as many layers of either kind
    ModelArch narrow = mixed, wide = mixed;
    narrow.attention.full_every = 0;
    wide.attention.window = wide.attention.full_every = 0;
    for (const std::int64_t sequence : {64, 4096, 131'072}) {
        const auto flops = [&](const ModelArch& model) {
            return training_flops_per_token(model, sequence, true).value();
        };
        EXPECT_NEAR(flops(mixed), 0.5 * (flops(narrow) + flops(wide)), 1e-9 * flops(wide)) << sequence;
    }
}

TEST(KeyValueCache, HoldsWhatDeepSeekComparesPerToken) {
    // arXiv 2505.09343, table 1: KB per token.
    EXPECT_DOUBLE_EQ(kv_bytes_per_token(preset("deepseek-v3")).value(), 70'272);
    EXPECT_DOUBLE_EQ(kv_bytes_per_token(preset("llama-3.1-405b")).value(), 516'096);
}

TEST(Layers, WithExpertsComeEveryNthBehindTheDenseOnes) {
    ModelArch model = preset("deepseek-v2");
    model.layers = 10;
    model.dense_layers = 3;
    model.moe.every = 2;
    EXPECT_THAT(faults(model), testing::IsEmpty());
    int found = 0;
    for (int layer = 0; layer < model.layers; ++layer) {
        const bool expected = layer == 3 || layer == 5 || layer == 7 || layer == 9;
        EXPECT_EQ(has_experts(model, layer), expected) << layer;
        found += has_experts(model, layer) ? 1 : 0;
    }
    EXPECT_EQ(moe_layers(model), found);
}

TEST(TrainingFlops, OfFullAttentionGrowTwiceAsFastWithTheSequence) {
    for (const ModelArch& model : test::presets()) {
        const auto growth = [&](bool causal) {
            return (training_flops_per_token(model, 8192, causal) -
                    training_flops_per_token(model, 4096, causal))
                .value();
        };
        EXPECT_NEAR(growth(false) / growth(true), 2.0, 1e-9) << model.id;
    }
}

TEST(Presets, CanAllBeBuilt) {
    ASSERT_GE(test::presets().size(), 5U);
    for (const ModelArch& model : test::presets()) {
        EXPECT_THAT(faults(model), testing::IsEmpty()) << model.id;
        EXPECT_FALSE(model.source.empty()) << model.id;
        EXPECT_LE(count_parameters(model).active, count_parameters(model).total) << model.id;
    }
    EXPECT_TRUE(std::ranges::is_sorted(test::presets(), std::ranges::less_equal{}, &ModelArch::id));
}

class PresetFolder : public testing::Test {
protected:
    PresetFolder()
        : folder_(std::filesystem::path(testing::TempDir()) /
                  testing::UnitTest::GetInstance()->current_test_info()->name()) {
        std::filesystem::create_directories(folder_);
    }
    ~PresetFolder() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& file, const std::string& text) const {
        std::ofstream(folder_ / file) << text;
    }
    [[nodiscard]] std::string error() const {
        try {
            load_presets(folder_);
        } catch (const hw::CatalogError& thrown) {
            return thrown.what();
        }
        return {};
    }

    std::filesystem::path folder_;
};

constexpr const char* kGood = R"(id = "one"
source = "made up"
layers = 2
dense_layers = 2
hidden = 64
dense_ffn_hidden = 128
vocabulary = 100
[attention]
kind = "mha"
heads = 2
head_dim = 32
)";

TEST_F(PresetFolder, GivesMultiHeadAttentionAsManyKeysAsQueries) {
    write("one.toml", kGood);
    const auto models = load_presets(folder_);
    ASSERT_EQ(models.size(), 1U);
    EXPECT_EQ(models.front().attention.kv_heads, 2);
    EXPECT_TRUE(models.front().gated_ffn);
}

TEST_F(PresetFolder, ReportsEveryFaultOfEveryFileWithItsPlace) {
    write("bad.toml", R"(id = "bad"
source = "made up"
layers = "many"
dense_layers = 0
hiden = 64
vocabulary = -5
gated_ffn = 1
activation = "step"
[attention]
kind = "sparse"
heads = 2
)");
    write("broken.toml", "id = \n");
    const std::string found = error();
    EXPECT_THAT(found, HasSubstr("bad.toml:3:10: error: layers is no count"));
    EXPECT_THAT(found, HasSubstr("hidden is missing"));
    EXPECT_THAT(found, HasSubstr("bad.toml:5:1: error: unknown key 'hiden'"));
    EXPECT_THAT(found, HasSubstr("bad.toml:6:14: error: vocabulary is no count"));
    EXPECT_THAT(found, HasSubstr("bad.toml:7:13: error: gated_ffn is no truth value"));
    EXPECT_THAT(found, HasSubstr("bad.toml:10:8: error: kind is 'sparse'; expected mha, gqa or mla"));
    EXPECT_THAT(found, HasSubstr("bad.toml:8:14: error: activation is 'step'; expected silu, gelu, relu or"));
    EXPECT_THAT(found, HasSubstr("broken.toml:1:"));
}

TEST_F(PresetFolder, RefusesTwoModelsOfOneName) {
    write("one.toml", kGood);
    write("two.toml", kGood);
    EXPECT_THAT(error(), HasSubstr("two presets are called 'one'"));
}

TEST(ModelFaults, NameTheFieldAndItsValue) {
    struct Case {
        void (*spoil)(ModelArch&);
        const char* message;
    };
    for (const Case& spoilt : {
             Case{[](ModelArch& m) { m.moe.top_k = 300; }, "moe.top_k (300) is more than moe.experts (256)"},
             Case{[](ModelArch& m) { m.dense_layers = 62; }, "dense_layers is 62; expected 0 to layers (61)"},
             Case{[](ModelArch& m) { m.moe = {}; }, "dense_layers is 3 of 61 layers; expected all"},
             Case{[](ModelArch& m) { m.hidden = 0; }, "hidden is 0; expected at least 1"},
             Case{[](ModelArch& m) { m.moe.every = 0; }, "moe.every is 0; expected at least 1"},
             Case{[](ModelArch& m) { m.moe.shared_experts = 0, m.moe.shared_ffn_hidden = 5; },
                  "moe.shared_ffn_hidden is 5 and moe.shared_experts 0"},
             Case{[](ModelArch& m) { m.attention.qk_norm = true; }, "attention.qk_norm is set and"},
             Case{[](ModelArch& m) { m.attention.v_dim = 0; }, "attention.v_dim is 0"},
             Case{[](ModelArch& m) { m.attention = {AttentionKind::gqa, 32, 5, 128}; },
                  "attention.kv_heads (5) does not divide attention.heads (32)"},
         }) {
        ModelArch model = preset("deepseek-v3");
        spoilt.spoil(model);
        EXPECT_THAT(faults(model), testing::ElementsAre(HasSubstr(spoilt.message)));
    }
}

TEST(PlanNames, ReadBackAsWhatTheyName) {
    for (const Precision precision : {Precision::bf16, Precision::fp8_block}) {
        EXPECT_EQ(precision_from(name(precision)), precision);
    }
    for (const PipelineSend send : {PipelineSend::blocking, PipelineSend::overlapped}) {
        EXPECT_EQ(pipeline_send_from(name(send)), send);
    }
    for (const AttentionKind kind : {AttentionKind::mha, AttentionKind::gqa, AttentionKind::mla}) {
        EXPECT_EQ(attention_kind_from(name(kind)), kind);
    }
    for (const Activation activation :
         {Activation::silu, Activation::gelu, Activation::relu, Activation::squared_relu}) {
        EXPECT_EQ(activation_from(name(activation)), activation);
    }
    for (const NormKind norm : {NormKind::rmsnorm, NormKind::layernorm}) {
        EXPECT_EQ(norm_kind_from(name(norm)), norm);
    }
    EXPECT_EQ(precision_from("fp8"), std::nullopt);
}

} // namespace
} // namespace chokepoint::work
