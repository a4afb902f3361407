// SPDX-License-Identifier: Apache-2.0
// Whatever a config.json holds, the reader answers with a model that can be counted or with faults.
#include <chokepoint/workloads/hf_config.hpp>

#include <gtest/gtest.h>

#include <random>

namespace chokepoint::work {
namespace {

constexpr std::string_view kConfig = R"({
  "model_type": "deepseek_v3", "first_k_dense_replace": 3, "hidden_act": "silu", "hidden_size": 7168,
  "intermediate_size": 18432, "kv_lora_rank": 512, "moe_intermediate_size": 2048, "moe_layer_freq": 1,
  "n_group": 8, "n_routed_experts": 256, "n_shared_experts": 1, "num_attention_heads": 128,
  "num_experts_per_tok": 8, "num_hidden_layers": 61, "num_nextn_predict_layers": 1, "q_lora_rank": 1536,
  "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "topk_group": 4, "v_head_dim": 128, "vocab_size": 129280
})";

class Dice {
public:
    explicit Dice(std::uint32_t seed) : engine_(seed) {}
    std::size_t below(std::size_t n) { return engine_() % n; }

private:
    std::mt19937 engine_; // its numbers are the same everywhere; the standard's distributions are not
};

std::string mutated(Dice& dice) {
    const std::vector<std::string> values = {"0",
                                             "-1",
                                             "null",
                                             "1e308",
                                             "9223372036854775807",
                                             "\"\"",
                                             "[]",
                                             "NaN",
                                             "1",
                                             "65536",
                                             "{}",
                                             "true",
                                             "[[[]",
                                             "1.5",
                                             "2048",
                                             "\"x\"",
                                             "18446744073709551616",
                                             "1024"};
    const std::vector<std::string> types = {"llama",       "qwen2_moe", "qwen3_moe", "dots1",   "nemotron",
                                            "deepseek_v2", "gpt2",      "gpt_neox",  "mixtral", "mistral"};
    std::string text(kConfig);
    if (dice.below(3) == 0) {
        text.replace(text.find("deepseek_v3"), 11, types[dice.below(types.size())]);
    }
    for (std::size_t edits = 1 + dice.below(4); edits > 0 && !text.empty(); --edits) {
        const std::size_t place = dice.below(text.size());
        if (const std::size_t kind = dice.below(5); kind == 0) {
            text[place] = static_cast<char>(dice.below(256));
        } else if (kind == 1) {
            text.erase(place, dice.below(20));
        } else if (const std::size_t colon = text.find(": ", place); colon != std::string::npos) {
            const std::size_t end = std::min(text.find_first_of(",\n", colon), text.size());
            text.replace(colon + 2, end - colon - 2, values[dice.below(values.size())]);
        }
    }
    return text;
}

TEST(HfConfigFuzz, AnswersWithAModelOrWithFaults) {
    Dice dice(20241226);
    int models = 0;
    for (int round = 0; round < 2000; ++round) {
        const std::string text = mutated(dice);
        const ConfigReading reading = parse_hf_config(text, "fuzz", "a test");
        ASSERT_NE(reading.model.has_value(), !reading.faults.empty()) << text;
        for (const ConfigFault& fault : reading.faults) {
            ASSERT_GE(fault.line, 1) << text;
            ASSERT_FALSE(fault.message.empty()) << text;
        }
        if (reading.model) {
            ++models;
            ASSERT_TRUE(faults(*reading.model).empty()) << text;
            ASSERT_GT(count_parameters(*reading.model).total, 0) << text;
            ASSERT_GT(training_flops_per_token(*reading.model, 4096, true).value(), 0.0) << text;
        }
    }
    EXPECT_GT(models, 50); // some edits leave a model, or the check above says nothing
    EXPECT_LT(models, 1950);
}

} // namespace
} // namespace chokepoint::work
