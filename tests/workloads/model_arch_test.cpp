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

struct Published {
    const char* id;
    double total, active; ///< billions, as printed
    double rounding;      ///< half of the last printed digit
};

TEST(ParameterCount, IsWhatTheAuthorsPublish) {
    for (const Published& model : {
             Published{"deepseek-v3", 671, 37, 0.5},     // arXiv 2412.19437, abstract
             Published{"deepseek-v2", 236, 21, 0.5},     // arXiv 2405.04434, abstract
             Published{"mixtral-8x7b", 46.7, 12.9, 0.2}, // mistral.ai/news/mixtral-of-experts, 2023-12-11
         }) {
        const ParameterCount count = count_parameters(preset(model.id));
        EXPECT_NEAR(static_cast<double>(count.total) / 1e9, model.total, model.rounding) << model.id;
        EXPECT_NEAR(static_cast<double>(count.active) / 1e9, model.active, model.rounding) << model.id;
    }
    // arXiv 2407.21783, abstract; dense, so a token meets everything but the embedding.
    const ParameterCount llama = count_parameters(preset("llama-3.1-405b"));
    EXPECT_NEAR(static_cast<double>(llama.total) / 1e9, 405, 1.0);
    EXPECT_EQ(llama.active + llama.embedding, llama.total);
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
    EXPECT_THAT(found, HasSubstr("bad.toml:9:8: error: kind is 'sparse'; expected mha, gqa or mla"));
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
    EXPECT_EQ(precision_from("fp8"), std::nullopt);
}

} // namespace
} // namespace chokepoint::work
