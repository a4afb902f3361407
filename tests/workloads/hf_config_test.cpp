// SPDX-License-Identifier: Apache-2.0
// A HuggingFace config.json gives the model that the preset of the same name gives, or says what is wrong
// with it.
#include "presets.hpp"

#include <chokepoint/workloads/hf_config.hpp>

#include <gmock/gmock.h>

#include <fstream>

namespace chokepoint::work {
namespace {

using test::preset;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

ConfigReading parse(std::string_view text) { return parse_hf_config(text, "it", "a test"); }

std::vector<std::string> faults_of(std::string_view text) {
    std::vector<std::string> lines;
    for (const ConfigFault& fault : parse(text).faults) {
        lines.push_back(std::to_string(fault.line) + ": " + fault.message);
    }
    return lines;
}

struct Pair {
    const char* id;
    const char* config;
};

// The shapes of the published files, with some of their other fields.
const Pair kPairs[] = {
    {"llama-3-8b",
     R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "bos_token_id": 128000, "eos_token_id": 128001, "hidden_act": "silu", "hidden_size": 4096,
        "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 8192,
        "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
        "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 500000.0,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16", "transformers_version": "4.40.0.dev0",
        "use_cache": true, "vocab_size": 128256})"},
    {"llama-2-7b",
     R"({"model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008, "hidden_act": "silu",
        "num_hidden_layers": 32, "num_attention_heads": 32, "vocab_size": 32000})"},
    {"mixtral-8x22b", R"({"model_type": "mixtral", "hidden_act": "silu", "hidden_size": 6144,
        "intermediate_size": 16384, "num_attention_heads": 48, "num_experts_per_tok": 2, "num_hidden_layers": 56,
        "num_key_value_heads": 8, "num_local_experts": 8, "output_router_logits": false,
        "router_aux_loss_coef": 0.001, "sliding_window": null, "vocab_size": 32000})"},
    {"qwen2-57b-a14b", R"({"model_type": "qwen2_moe", "hidden_act": "silu", "hidden_size": 3584,
        "intermediate_size": 18944, "moe_intermediate_size": 2560, "shared_expert_intermediate_size": 20480,
        "num_attention_heads": 28, "num_key_value_heads": 4, "num_hidden_layers": 28, "num_experts": 64,
        "num_experts_per_tok": 8, "decoder_sparse_step": 1, "mlp_only_layers": [], "use_sliding_window": false,
        "sliding_window": 65536, "max_window_layers": 28, "vocab_size": 151936, "tie_word_embeddings": false})"},
    {"qwen3-30b-a3b", R"({"model_type": "qwen3_moe", "hidden_act": "silu", "hidden_size": 2048,
        "intermediate_size": 6144, "moe_intermediate_size": 768, "head_dim": 128, "num_attention_heads": 32,
        "num_key_value_heads": 4, "num_hidden_layers": 48, "num_experts": 128, "num_experts_per_tok": 8,
        "norm_topk_prob": true, "decoder_sparse_step": 1, "mlp_only_layers": [], "attention_bias": false,
        "use_sliding_window": false, "sliding_window": null, "vocab_size": 151936})"},
    {"deepseek-v3", R"({"model_type": "deepseek_v3", "attention_bias": false, "ep_size": 1,
        "first_k_dense_replace": 3, "hidden_act": "silu", "hidden_size": 7168, "intermediate_size": 18432,
        "kv_lora_rank": 512, "moe_intermediate_size": 2048, "moe_layer_freq": 1, "n_group": 8,
        "n_routed_experts": 256, "n_shared_experts": 1, "norm_topk_prob": true, "num_attention_heads": 128,
        "num_experts_per_tok": 8, "num_hidden_layers": 61, "num_key_value_heads": 128,
        "num_nextn_predict_layers": 1, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
        "quantization_config": {"fmt": "e4m3", "weight_block_size": [128, 128]}, "routed_scaling_factor": 2.5,
        "scoring_func": "sigmoid", "topk_group": 4, "topk_method": "noaux_tc", "v_head_dim": 128,
        "vocab_size": 129280})"},
    {"deepseek-v2", R"({"model_type": "deepseek_v2", "first_k_dense_replace": 1, "hidden_act": "silu",
        "hidden_size": 5120, "intermediate_size": 12288, "kv_lora_rank": 512, "moe_intermediate_size": 1536,
        "moe_layer_freq": 1, "n_group": 8, "n_routed_experts": 160, "n_shared_experts": 2,
        "num_attention_heads": 128, "num_experts_per_tok": 6, "num_hidden_layers": 60, "q_lora_rank": 1536,
        "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "topk_group": 3, "v_head_dim": 128,
        "vocab_size": 102400})"},
    {"kimi-k2",
     R"({"model_type": "kimi_k2", "first_k_dense_replace": 1, "hidden_act": "silu", "hidden_size": 7168,
        "intermediate_size": 18432, "kv_lora_rank": 512, "moe_intermediate_size": 2048, "moe_layer_freq": 1,
        "n_group": 1, "n_routed_experts": 384, "n_shared_experts": 1, "num_attention_heads": 64,
        "num_experts_per_tok": 8, "num_hidden_layers": 61, "num_nextn_predict_layers": 0, "q_lora_rank": 1536,
        "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "topk_group": 1, "v_head_dim": 128,
        "vocab_size": 163840})"},
    {"dots.llm1", R"({"model_type": "dots1", "attention_bias": false, "first_k_dense_replace": 1,
        "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 10944, "moe_intermediate_size": 1408,
        "moe_layer_freq": 1, "n_routed_experts": 128, "n_shared_experts": 2, "num_attention_heads": 32,
        "num_experts_per_tok": 6, "num_hidden_layers": 62, "num_key_value_heads": 32, "vocab_size": 152064})"},
    {"gpt-oss-120b",
     R"({"model_type": "gpt_oss", "attention_bias": true, "experts_per_token": 4, "head_dim": 64,
        "hidden_act": "silu", "hidden_size": 2880, "initial_context_length": 4096, "intermediate_size": 2880,
        "num_attention_heads": 64, "num_experts_per_tok": 4, "num_hidden_layers": 36, "num_key_value_heads": 8,
        "num_local_experts": 128, "sliding_window": 128, "swiglu_limit": 7.0, "tie_word_embeddings": false,
        "vocab_size": 201088})"},
    {"nemotron-4-15b", R"({"model_type": "nemotron", "hidden_act": "relu2", "hidden_size": 6144,
        "intermediate_size": 24576, "num_attention_heads": 48, "num_key_value_heads": 8, "num_hidden_layers": 32,
        "head_dim": 128, "attention_bias": false, "mlp_bias": false, "norm_eps": 1e-05,
        "partial_rotary_factor": 0.5, "vocab_size": 256000})"},
    {"nemotron-3-nano",
     R"({"model_type": "nemotron_h", "attention_bias": false, "chunk_size": 128, "conv_kernel": 4,
        "expand": 2, "head_dim": 128, "hidden_size": 2688, "intermediate_size": 1856,
        "hybrid_override_pattern": "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME", "mamba_head_dim": 64,
        "mamba_hidden_act": "silu", "mamba_num_heads": 64, "mamba_proj_bias": false, "mlp_bias": false,
        "mlp_hidden_act": "relu2", "moe_intermediate_size": 1856, "moe_shared_expert_intermediate_size": 3712,
        "n_group": 1, "n_groups": 8, "n_routed_experts": 128, "n_shared_experts": 1, "norm_topk_prob": true,
        "num_attention_heads": 32, "num_experts_per_tok": 6, "num_hidden_layers": 52, "num_key_value_heads": 2,
        "residual_in_fp32": false, "routed_scaling_factor": 2.5, "sliding_window": null, "ssm_state_size": 128,
        "time_step_limit": [0.0, Infinity], "topk_group": 1, "use_bias": false, "use_conv_bias": true,
        "vocab_size": 131072})"},
    {"nemotron-h-56b", R"({"model_type": "nemotron_h", "attention_head_dim": 128, "hidden_size": 8192,
        "hybrid_override_pattern": "M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-",
        "intermediate_size": 32768, "mamba_head_dim": 64, "mamba_num_heads": 256, "n_groups": 8,
        "num_attention_heads": 64, "num_hidden_layers": 118, "num_key_value_heads": 8, "ssm_state_size": 256,
        "vocab_size": 131072})"},
    {"gpt3-175b", R"({"model_type": "gpt2", "n_embd": 12288, "n_layer": 96, "n_head": 96, "n_positions": 2048,
        "n_inner": null, "activation_function": "gelu_new", "vocab_size": 51200})"},
};

TEST(HfConfig, GivesTheArchitectureOfThePreset) {
    for (const Pair& pair : kPairs) {
        ConfigReading reading = parse(pair.config);
        ASSERT_TRUE(reading.model) << pair.id << testing::PrintToString(faults_of(pair.config));
        ModelArch expected = preset(pair.id);
        expected.id = reading.model->id;
        expected.source = reading.model->source;
        if (expected.dense_layers == 0) {
            expected.dense_ffn_hidden = reading.model->dense_ffn_hidden; // given, but no layer uses it
        }
        EXPECT_EQ(*reading.model, expected) << pair.id;
    }
}

TEST(HfConfig, ReadsLayersAsLettersOrWords) {
    const std::string rest = R"("hidden_size": 64, "intermediate_size": 32, "mamba_head_dim": 8,
        "mamba_num_heads": 8, "n_groups": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "ssm_state_size": 16, "vocab_size": 100, "n_routed_experts": 4, "num_experts_per_tok": 2,
        "moe_intermediate_size": 32, "moe_latent_size": 16, "num_nextn_predict_layers": 1})";
    const auto letters = parse(R"({"model_type": "nemotron_h", "hybrid_override_pattern": "M*-E", )" + rest);
    const auto words = parse(
        R"({"model_type": "nemotron_h", "layers_block_type": ["mamba", "attention", "mlp", "moe"], )" + rest);
    ASSERT_TRUE(letters.model && words.model);
    EXPECT_EQ(*letters.model, *words.model);
    EXPECT_EQ(words.model->layers, 4);
    EXPECT_EQ(words.model->moe.latent, 16);
    EXPECT_THAT(faults_of(R"({"model_type": "nemotron_h", )" + rest),
                testing::Contains(HasSubstr("expected one of them, which says what each layer has")));
    // An infinity is no JSON and may stand where nothing is counted, and nowhere else.
    EXPECT_THAT(faults_of(R"({"model_type": "llama", "hidden_size": Infinity})"),
                testing::Contains(HasSubstr("hidden_size is 1e+308")));
}

TEST(HfConfig, ReadsWhatSetsFamiliesApart) {
    const auto mistral = parse(R"({"model_type": "mistral", "hidden_act": "silu", "hidden_size": 4096,
        "intermediate_size": 14336, "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
        "sliding_window": 4096, "vocab_size": 32000})");
    ASSERT_TRUE(mistral.model);
    EXPECT_EQ(mistral.model->attention.window, 4096);
    const auto qwen2 = parse(R"({"model_type": "qwen2", "hidden_act": "silu", "hidden_size": 896,
        "intermediate_size": 4864, "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2,
        "tie_word_embeddings": true, "vocab_size": 151936})");
    ASSERT_TRUE(qwen2.model);
    EXPECT_TRUE(qwen2.model->attention.qkv_bias);
    EXPECT_EQ(count_parameters(*qwen2.model).total, 494'032'768); // the published weights of Qwen2-0.5B
    const auto neox = parse(R"({"model_type": "gpt_neox", "hidden_act": "gelu_fast", "hidden_size": 6144,
        "intermediate_size": 24576, "num_attention_heads": 64, "num_hidden_layers": 44, "rotary_pct": 0.25,
        "vocab_size": 50432})");
    ASSERT_TRUE(neox.model);
    EXPECT_NEAR(static_cast<double>(count_parameters(*neox.model).total) / 1e9, 20.6, 0.05); // GPT-NeoX-20B
    EXPECT_EQ(neox.model->block, BlockForm::parallel_two_norms); // the configuration class's default
    const auto qwen3 =
        parse(R"({"model_type": "qwen3", "hidden_act": "silu", "hidden_size": 5120, "head_dim": 128,
        "intermediate_size": 25600, "num_attention_heads": 64, "num_hidden_layers": 64, "num_key_value_heads": 8,
        "vocab_size": 151936, "layer_types": ["full_attention"]})");
    ASSERT_TRUE(qwen3.model);
    EXPECT_TRUE(qwen3.model->attention.qk_norm);
    EXPECT_EQ(qwen3.model->attention.head_dim, 128); // not hidden / heads
    const auto usual = parse(R"({"model_type": "qwen3", "hidden_size": 5120, "intermediate_size": 25600,
        "num_attention_heads": 64, "num_hidden_layers": 64, "num_key_value_heads": 8, "vocab_size": 151936})");
    ASSERT_TRUE(usual.model) << "what Qwen3Config has by itself is left out";
    EXPECT_EQ(usual.model->attention.head_dim, 128);
    EXPECT_EQ(usual.model->activation, Activation::silu);
}

TEST(HfConfig, PlacesDenseLayersAsTheFileSays) {
    const std::string qwen = R"({"model_type": "qwen3_moe", "hidden_act": "silu", "hidden_size": 2048,
        "intermediate_size": 6144, "moe_intermediate_size": 768, "head_dim": 128, "num_attention_heads": 32,
        "num_key_value_heads": 4, "num_hidden_layers": 48, "num_experts": 128, "num_experts_per_tok": 8,
        "vocab_size": 151936, )";
    const auto step = parse(qwen + R"("decoder_sparse_step": 2})");
    ASSERT_TRUE(step.model);
    EXPECT_FALSE(has_experts(*step.model, 0)); // transformers: (index + 1) % step == 0
    EXPECT_TRUE(has_experts(*step.model, 1));
    EXPECT_FALSE(has_experts(*step.model, 2));
    const auto first = parse(qwen + R"("mlp_only_layers": [0, 1]})");
    ASSERT_TRUE(first.model);
    EXPECT_EQ(first.model->dense_layers, 2);
    EXPECT_THAT(faults_of(qwen + R"("mlp_only_layers": [5]})"),
                ElementsAre(HasSubstr("mlp_only_layers does not list the first layers alone")));
}

TEST(HfConfig, FindsTheLayersThatLookBeyondTheWindow) {
    const auto with = [](const std::string& types) {
        return R"({"model_type": "gpt_oss", "hidden_act": "silu", "hidden_size": 64, "intermediate_size": 64,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "num_hidden_layers": 6,
            "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 8, "vocab_size": 1000,
            "layer_types": [)" +
               types + "]}";
    };
    const std::string slide = R"("sliding_attention", )", full = R"("full_attention", )";
    const std::string last_slide = R"("sliding_attention")", last_full = R"("full_attention")";
    const auto third = parse(with(slide + slide + full + slide + slide + last_full));
    ASSERT_TRUE(third.model);
    EXPECT_EQ(third.model->attention.full_every, 3);
    const auto none = parse(with(slide + slide + slide + slide + slide + last_slide));
    ASSERT_TRUE(none.model);
    EXPECT_EQ(window_of(*none.model, 5), 8);
    const auto all = parse(with(full + full + full + full + full + last_full));
    ASSERT_TRUE(all.model);
    EXPECT_EQ(window_of(*all.model, 0), 0);
    EXPECT_THAT(faults_of(with(full + slide + slide + slide + slide + last_slide)),
                ElementsAre(HasSubstr("layer_types has sliding_attention at layer 1; only full attention in "
                                      "every n-th layer is modelled")));
    EXPECT_THAT(faults_of(with(slide + last_full)),
                ElementsAre(HasSubstr("layer_types lists 2 layers; expected the 6 of num_hidden_layers")));
    EXPECT_THAT(
        faults_of(with(R"("chunked_attention")")),
        ElementsAre(HasSubstr("expected a list, each item one of sliding_attention, full_attention")));
}

TEST(HfConfig, RefusesWhatItDoesNotKnowByName) {
    EXPECT_THAT(
        faults_of(R"({"model_type": "mamba2"})"),
        ElementsAre(HasSubstr("1: model_type is \"mamba2\"; expected one of llama, mistral, mixtral")));
    EXPECT_THAT(faults_of("{\n\"architectures\": []}"), ElementsAre(HasSubstr("model_type is missing")));
    EXPECT_THAT(faults_of("{\n\n\"model_type\": null}"),
                ElementsAre("3: model_type is null; expected a text"));
    EXPECT_THAT(faults_of("[1, 2]"), ElementsAre(HasSubstr("found an array; expected a JSON object")));
}

TEST(HfConfig, ReportsAllFaultsAtOnceWithTheirLines) {
    EXPECT_THAT(
        faults_of(R"({
  "model_type": "llama",
  "hidden_size": 1e30,
  "intermediate_size": -1,
  "num_hidden_layers": null,
  "num_attention_heads": "many",
  "hidden_act": "softplus",
  "tie_word_embeddings": 1,
  "state_size": 16,
  "num_key_value_heads": 99999999999999999999
})"),
        UnorderedElementsAre("1: vocab_size is missing; expected a whole number from 1 to 16777216",
                             "3: hidden_size is 1e+30; expected a whole number from 1 to 65536",
                             "4: intermediate_size is -1; expected a whole number from 1 to 262144",
                             "5: num_hidden_layers is null; expected a whole number from 1 to 1024",
                             "6: num_attention_heads is \"many\"; expected a whole number from 1 to 1024",
                             HasSubstr("7: hidden_act is \"softplus\"; expected one of silu, swish"),
                             "8: tie_word_embeddings is 1; expected true or false",
                             HasSubstr("9: 'state_size' is no known field of model_type llama"),
                             HasSubstr("10: num_key_value_heads is 1e+20; expected a whole number")));
}

TEST(HfConfig, RefusesTextThatIsNoJson) {
    EXPECT_THAT(faults_of(""), ElementsAre(HasSubstr("1: not JSON")));
    EXPECT_THAT(faults_of("{\n\"hidden_size\": NaN}"), ElementsAre(HasSubstr("2: not JSON")));
    EXPECT_THAT(faults_of(R"({"hidden_size": 1e400})"), ElementsAre(HasSubstr("not JSON: number overflow")));
    EXPECT_THAT(faults_of("{\n\"vocab_size\": 1,\n\"vocab_size\": 2}"),
                ElementsAre("3: 'vocab_size' is given twice"));
    EXPECT_THAT(faults_of(std::string(100'000, '[')), ElementsAre(HasSubstr("not JSON")));
}

TEST(HfConfig, ThatContradictsItselfIsRefused) {
    const std::string good = kPairs[1].config;
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        return text.replace(text.find(from), from.size(), to);
    };
    EXPECT_THAT(faults_of(good), IsEmpty());
    EXPECT_THAT(faults_of(with("\"num_attention_heads\": 32", "\"num_attention_heads\": 7")),
                ElementsAre(HasSubstr("num_attention_heads (7) does not divide the hidden size (4096)")));
    EXPECT_THAT(faults_of(with("\"num_attention_heads\": 32",
                               "\"num_attention_heads\": 32, \"num_key_value_heads\": 5")),
                ElementsAre(HasSubstr("attention.kv_heads (5) does not divide attention.heads (32)")));
}

TEST(HfConfig, ThatCannotBeReadSaysWhy) {
    EXPECT_THAT(read_hf_config("/nowhere/config.json").faults.at(0).message,
                HasSubstr("cannot be read: No such file"));
    EXPECT_THAT(read_hf_config(testing::TempDir()).faults.at(0).message, HasSubstr("it is a directory"));
}

TEST(HfConfig, TakesItsNameFromItsFolder) {
    const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "my-llama";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "config.json") << kPairs[1].config;
    const ConfigReading reading = read_hf_config(folder / "config.json");
    ASSERT_TRUE(reading.model);
    EXPECT_EQ(reading.model->id, "my-llama");
    std::filesystem::remove_all(folder);
}

} // namespace
} // namespace chokepoint::work
