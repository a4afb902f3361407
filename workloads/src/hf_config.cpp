// SPDX-License-Identifier: Apache-2.0
// What each model_type's config.json says about an architecture. Names and defaults are those of HuggingFace
// transformers' configuration classes (huggingface/transformers,
// src/transformers/models/*/configuration_*.py).
#include "hf_fields.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <numeric>
#include <system_error>

namespace chokepoint::work {
namespace {

// As wide as the scenario's own keys (sim/scenario/src/keys.cpp), for the same reason.
constexpr Range kLayers{1, 1024};
constexpr Range kHidden{1, 65536};
constexpr Range kFfnHidden{1, 262144};
constexpr Range kVocabulary{1, 16777216};
constexpr Range kPositions{1, 16777216};
constexpr Range kHeads{1, 1024};
constexpr Range kHeadDim{1, 8192};
constexpr Range kRank{1, 65536};
constexpr Range kExperts{1, 8192};
constexpr Range kTopK{1, 1024};
constexpr Range kShared{0, 64};
constexpr Range kGroups{1, 1024};
constexpr std::size_t kLongestFile = std::size_t{1} << 20;

// Fields that say nothing about shapes: tokens, initialisation, dropout, rotary angles, caches, files,
// formats.
constexpr std::array kShapeless{
    "model_type",
    "architectures",
    "auto_map",
    "_name_or_path",
    "transformers_version",
    "torch_dtype",
    "dtype",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "unk_token_id",
    "sep_token_id",
    "decoder_start_token_id",
    "initializer_range",
    "use_cache",
    "attention_dropout",
    "hidden_dropout",
    "rms_norm_eps",
    "norm_eps",
    "layer_norm_eps",
    "layer_norm_epsilon",
    "rope_theta",
    "rope_scaling",
    "rope_parameters",
    "rope_interleave",
    "pretraining_tp",
    "quantization_config",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "max_position_embeddings",
    "task_specific_params",
    "id2label",
    "label2id",
    "problem_type",
    "_attn_implementation",
    "name_or_path",
    "torchscript",
    "chunk_size_feed_forward",
    "attn_implementation",
    "seed",
    "model_max_length",
};
constexpr std::array kShapelessInMoe{
    "router_aux_loss_coef",  "output_router_logits",
    "router_jitter_noise",   "norm_topk_prob",
    "aux_loss_alpha",        "seq_aux",
    "topk_method",           "scoring_func",
    "routed_scaling_factor", "ep_size",
    "router_z_loss_coef",    "moe_router_dtype",
};

void read_sizes(HfFields& fields, ModelArch& model, bool tied) {
    model.layers = fields.whole("num_hidden_layers", kLayers);
    model.hidden = fields.whole("hidden_size", kHidden);
    model.vocabulary = fields.whole("vocab_size", kVocabulary);
    model.tied_embeddings = fields.truth("tie_word_embeddings", tied);
}

void read_trunk(HfFields& fields, ModelArch& model, bool tied) {
    read_sizes(fields, model, tied);
    fields.require_all("layer_types", "full_attention", "layers of other kinds are not modelled");
}

/// `usual` is the configuration class's default.
void read_activation(HfFields& fields, ModelArch& model, const char* field, std::string_view usual) {
    struct Spelling {
        std::string_view word;
        Activation activation;
    };
    constexpr std::array kSpellings{
        Spelling{"silu", Activation::silu},      Spelling{"swish", Activation::silu},
        Spelling{"gelu", Activation::gelu},      Spelling{"gelu_new", Activation::gelu},
        Spelling{"gelu_fast", Activation::gelu}, Spelling{"gelu_pytorch_tanh", Activation::gelu},
        Spelling{"relu", Activation::relu},      Spelling{"relu2", Activation::squared_relu},
    };
    const std::string word = fields.has(field) ? fields.text(field) : std::string(usual);
    const auto known = std::ranges::find(kSpellings, word, &Spelling::word);
    if (known != kSpellings.end()) {
        model.activation = known->activation;
    } else if (!word.empty()) {
        std::vector<std::string_view> words;
        std::ranges::transform(kSpellings, std::back_inserter(words), &Spelling::word);
        fields.fault(field,
                     fmt::format("{} is \"{}\"; expected one of {}", field, word, fmt::join(words, ", ")));
    }
}

/// The share of the hidden state that one head has where no head_dim is given.
int even_head_dim(HfFields& fields, const ModelArch& model, const char* heads_field) {
    const int heads = model.attention.heads;
    if (heads == 0 || model.hidden % heads == 0) {
        return heads == 0 ? 0 : model.hidden / heads;
    }
    fields.fault(heads_field,
                 fmt::format("{} ({}) does not divide the hidden size ({}), and there is no head_dim",
                             heads_field, heads, model.hidden));
    return 0;
}

/// `usual_dim` is the configuration class's own default, where it has one.
void read_heads(HfFields& fields, ModelArch& model, bool kv_required = false, int usual_dim = 0) {
    Attention& attention = model.attention;
    attention.heads = fields.whole("num_attention_heads", kHeads);
    const std::optional<std::int64_t> fallback =
        kv_required ? std::nullopt : std::optional<std::int64_t>(attention.heads);
    attention.kv_heads = fields.whole("num_key_value_heads", kHeads, fallback);
    attention.kind = attention.kv_heads == attention.heads ? AttentionKind::mha : AttentionKind::gqa;
    attention.head_dim = fields.whole("head_dim", kHeadDim, usual_dim);
    if (attention.head_dim == 0 && !fields.has("head_dim")) {
        attention.head_dim = even_head_dim(fields, model, "num_attention_heads");
    }
}

void read_attention_bias(HfFields& fields, ModelArch& model, bool mlp) {
    const bool attention = fields.truth("attention_bias", false);
    model.biases = attention && mlp;
    model.attention.qkv_bias = attention && !mlp;
    if (mlp && !attention) {
        fields.fault("mlp_bias", "mlp_bias is true and attention_bias is not; expected both or neither");
    }
}

void read_dense_ffn(HfFields& fields, ModelArch& model, std::string_view usual = "silu") {
    model.dense_ffn_hidden = fields.whole("intermediate_size", kFfnHidden);
    model.dense_layers = model.layers;
    read_activation(fields, model, "hidden_act", usual);
}

void read_llama(HfFields& fields, ModelArch& model) {
    read_trunk(fields, model, false);
    read_heads(fields, model);
    read_dense_ffn(fields, model);
    read_attention_bias(fields, model, fields.truth("mlp_bias", false));
}

void read_mistral(HfFields& fields, ModelArch& model) {
    read_trunk(fields, model, false);
    read_heads(fields, model, true);
    read_dense_ffn(fields, model);
    model.attention.window = fields.whole("sliding_window", kPositions, 0);
}

void read_routed(HfFields& fields, ModelArch& model, const char* experts, const char* width) {
    model.moe.experts = fields.whole(experts, kExperts);
    model.moe.top_k = fields.whole("num_experts_per_tok", kTopK);
    model.moe.ffn_hidden = fields.whole(width, kFfnHidden);
    for (const char* field : kShapelessInMoe) {
        fields.ignore(field);
    }
}

void read_mixtral(HfFields& fields, ModelArch& model) {
    read_trunk(fields, model, false);
    read_heads(fields, model, true);
    read_routed(fields, model, "num_local_experts", "intermediate_size");
    read_activation(fields, model, "hidden_act", "silu");
    model.attention.window = fields.whole("sliding_window", kPositions, 0);
}

void refuse_mixed_windows(HfFields& fields) {
    fields.require("use_sliding_window", false, "layers with and without a window are not modelled");
    fields.ignore("sliding_window");
    fields.ignore("max_window_layers");
}

void read_qwen2(HfFields& fields, ModelArch& model) {
    read_trunk(fields, model, false);
    read_heads(fields, model);
    read_dense_ffn(fields, model);
    model.attention.qkv_bias = true; // always: Qwen2Attention
    refuse_mixed_windows(fields);
}

/// Qwen's layers with experts: each decoder_sparse_step-th, or all but the listed ones.
void read_qwen_layers(HfFields& fields, ModelArch& model) {
    const int step = fields.whole("decoder_sparse_step", kLayers, 1);
    const std::vector<int> dense = fields.wholes("mlp_only_layers", {0, kLayers.max});
    std::vector<int> first(dense.size());
    std::iota(first.begin(), first.end(), 0);
    if (dense != first || (!dense.empty() && step > 1)) {
        fields.fault("mlp_only_layers",
                     "mlp_only_layers does not list the first layers alone, or stands beside a "
                     "decoder_sparse_step; such patterns are not modelled");
    }
    model.dense_layers = step > 1 ? step - 1 : static_cast<int>(dense.size());
    model.moe.every = step;
    const bool some_dense = model.dense_layers > 0;
    model.dense_ffn_hidden = fields.whole("intermediate_size", kFfnHidden,
                                          some_dense ? std::nullopt : std::optional<std::int64_t>(0));
}

void read_qwen_moe(HfFields& fields, ModelArch& model) {
    read_trunk(fields, model, false);
    read_heads(fields, model);
    read_routed(fields, model, "num_experts", "moe_intermediate_size");
    read_qwen_layers(fields, model);
    read_activation(fields, model, "hidden_act", "silu");
    refuse_mixed_windows(fields);
}

void read_qwen2_moe(HfFields& fields, ModelArch& model) {
    read_qwen_moe(fields, model);
    model.attention.qkv_bias = fields.truth("qkv_bias", true);
    model.moe.shared_ffn_hidden = fields.whole("shared_expert_intermediate_size", {0, kFfnHidden.max});
    model.moe.shared_experts = model.moe.shared_ffn_hidden > 0 ? 1 : 0;
}

void read_qwen3(HfFields& fields, ModelArch& model) {
    read_trunk(fields, model, false);
    read_heads(fields, model, false, 128); // Qwen3Config
    read_dense_ffn(fields, model);
    read_attention_bias(fields, model, false);
    model.attention.qk_norm = true;
    refuse_mixed_windows(fields);
}

void read_qwen3_moe(HfFields& fields, ModelArch& model) {
    read_qwen_moe(fields, model);
    read_attention_bias(fields, model, false);
    model.attention.qk_norm = true;
}

/// The layers with experts, and the experts, of DeepSeek's models and of those that took their design over.
void read_deepseek_experts(HfFields& fields, ModelArch& model) {
    read_routed(fields, model, "n_routed_experts", "moe_intermediate_size");
    model.moe.shared_experts = fields.whole("n_shared_experts", kShared, 0);
    const int dense = fields.whole("first_k_dense_replace", {0, kLayers.max}, 0);
    const int every = fields.whole("moe_layer_freq", kLayers, 1);
    model.dense_layers = std::min(model.layers, (dense + every - 1) / every * every);
    model.moe.every = every;
    const bool some_dense = model.dense_layers > 0;
    model.dense_ffn_hidden = fields.whole("intermediate_size", kFfnHidden,
                                          some_dense ? std::nullopt : std::optional<std::int64_t>(0));
    read_activation(fields, model, "hidden_act", "silu");
}

void read_latent_attention(HfFields& fields, ModelArch& model) {
    Attention& attention = model.attention;
    attention.kind = AttentionKind::mla;
    attention.heads = fields.whole("num_attention_heads", kHeads);
    attention.q_lora_rank = fields.whole("q_lora_rank", kRank, 0); // null: queries are not compressed
    attention.kv_lora_rank = fields.whole("kv_lora_rank", kRank);
    attention.qk_nope_dim = fields.whole("qk_nope_head_dim", kHeadDim);
    attention.qk_rope_dim = fields.whole("qk_rope_head_dim", kHeadDim);
    attention.v_dim = fields.whole("v_head_dim", kHeadDim);
    fields.require("attention_bias", false, "biases in latent attention are not modelled");
    for (const char* field : {"num_key_value_heads", "head_dim", "qk_head_dim"}) {
        fields.ignore(field); // follow from the others
    }
}

void read_deepseek_v2(HfFields& fields, ModelArch& model) {
    read_trunk(fields, model, false);
    read_latent_attention(fields, model);
    read_deepseek_experts(fields, model);
    fields.ignore("n_group"); // limits devices, not nodes: arXiv 2405.04434, 2.2.2
    fields.ignore("topk_group");
    fields.require("mlp_bias", false, "biases beside latent attention are not modelled");
}

void read_deepseek_v3(HfFields& fields, ModelArch& model) {
    read_trunk(fields, model, false);
    read_latent_attention(fields, model);
    read_deepseek_experts(fields, model);
    const int groups = fields.whole("n_group", kGroups, 1);
    const int chosen = fields.whole("topk_group", kGroups, 1);
    model.moe.max_nodes = chosen < groups ? chosen : 0; // a group is a node: arXiv 2412.19437, 2.1.2
    model.mtp_modules = fields.whole("num_nextn_predict_layers", {0, 16}, 0);
}

void read_dots1(HfFields& fields, ModelArch& model) {
    read_trunk(fields, model, false);
    read_heads(fields, model);
    read_deepseek_experts(fields, model);
    read_attention_bias(fields, model, false);
    model.attention.qk_norm = true; // Dots1Attention
    fields.ignore("n_group");
    fields.ignore("topk_group");
    refuse_mixed_windows(fields);
}

/// A window in all layers but every n-th; in every second one where the file does not list them, as
/// GptOssConfig has it.
void read_windows(HfFields& fields, ModelArch& model) {
    constexpr std::array<std::string_view, 2> kKinds{"sliding_attention", "full_attention"};
    const bool listed = fields.has("layer_types");
    const std::vector<std::string> kinds = fields.texts("layer_types", kKinds);
    Attention& attention = model.attention;
    attention.window = fields.whole("sliding_window", kPositions);
    attention.full_every = listed ? 0 : 2;
    if (kinds.empty()) {
        return;
    }
    if (static_cast<int>(kinds.size()) != model.layers) {
        fields.fault("layer_types", fmt::format("layer_types lists {} layers; expected the {} of "
                                                "num_hidden_layers",
                                                kinds.size(), model.layers));
        return;
    }
    const auto first_full = std::ranges::find(kinds, kKinds[1]) - kinds.begin();
    attention.full_every = first_full < model.layers ? static_cast<int>(first_full) + 1 : 0;
    if (attention.full_every == 1) {
        attention.window = attention.full_every = 0; // the pattern below then wants full layers only
    }
    for (int layer = 0; layer < model.layers; ++layer) {
        if ((kinds[static_cast<std::size_t>(layer)] == kKinds[1]) != (window_of(model, layer) == 0)) {
            fields.fault("layer_types", fmt::format("layer_types has {} at layer {}; only full attention in "
                                                    "every n-th layer is modelled",
                                                    kinds[static_cast<std::size_t>(layer)], layer));
            return;
        }
    }
}

void read_gpt_oss(HfFields& fields, ModelArch& model) {
    read_sizes(fields, model, false);
    read_heads(fields, model, true, 64); // GptOssConfig
    read_routed(fields, model, "num_local_experts", "intermediate_size");
    read_activation(fields, model, "hidden_act", "silu");
    read_windows(fields, model);
    fields.require("attention_bias", true, "gpt-oss without biases is not modelled");
    model.biases = true;
    for (const char* field : {"experts_per_token", "initial_context_length", "swiglu_limit"}) {
        fields.ignore(field);
    }
}

void read_nemotron(HfFields& fields, ModelArch& model) {
    read_trunk(fields, model, false);
    read_heads(fields, model);
    read_dense_ffn(fields, model, "relu2");
    read_attention_bias(fields, model, fields.truth("mlp_bias", false));
    model.gated_ffn = false;
    model.norm = NormKind::layernorm; // NemotronLayerNorm1P: scale and shift
    for (const char* field : {"partial_rotary_factor", "rope_percent", "rope_percentage"}) {
        fields.ignore(field);
    }
}

/// GPT: biases everywhere, two matrices, layer norms.
void make_gpt(ModelArch& model) {
    model.gated_ffn = false;
    model.norm = NormKind::layernorm;
    model.dense_layers = model.layers;
    model.attention.kind = AttentionKind::mha;
    model.attention.kv_heads = model.attention.heads;
}

void read_gpt2(HfFields& fields, ModelArch& model) {
    model.layers = fields.whole("n_layer", kLayers);
    model.hidden = fields.whole("n_embd", kHidden);
    model.vocabulary = fields.whole("vocab_size", kVocabulary);
    model.positions = fields.whole("n_positions", kPositions);
    model.tied_embeddings = fields.truth("tie_word_embeddings", true);
    model.attention.heads = fields.whole("n_head", kHeads);
    model.attention.head_dim = even_head_dim(fields, model, "n_head");
    model.dense_ffn_hidden = fields.whole("n_inner", kFfnHidden, 4LL * model.hidden);
    read_activation(fields, model, "activation_function", "gelu_new");
    model.biases = true;
    make_gpt(model);
    for (const char* field :
         {"n_ctx", "attn_pdrop", "embd_pdrop", "resid_pdrop", "summary_activation", "summary_first_dropout",
          "summary_proj_to_labels", "summary_type", "summary_use_proj", "scale_attn_weights",
          "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "add_cross_attention"}) {
        fields.ignore(field);
    }
}

void read_gpt_neox(HfFields& fields, ModelArch& model) {
    read_trunk(fields, model, false);
    model.attention.heads = fields.whole("num_attention_heads", kHeads);
    model.attention.head_dim = even_head_dim(fields, model, "num_attention_heads");
    model.dense_ffn_hidden = fields.whole("intermediate_size", kFfnHidden);
    read_activation(fields, model, "hidden_act", "gelu");
    fields.require("attention_bias", true, "GPT-NeoX with some biases only is not modelled");
    model.biases = true;
    make_gpt(model);
    const bool parallel = fields.truth("use_parallel_residual", true);
    model.block = parallel ? BlockForm::parallel_two_norms : BlockForm::pre_norm;
    for (const char* field :
         {"rotary_pct", "rotary_emb_base", "classifier_dropout", "partial_rotary_factor"}) {
        fields.ignore(field);
    }
}

/// One letter for each layer: given as such, or as a list of words.
std::string read_pattern(HfFields& fields) {
    constexpr std::array<std::string_view, 4> kWords{"mamba", "attention", "mlp", "moe"};
    constexpr std::array kLetters{'M', '*', '-', 'E'};
    if (fields.has("hybrid_override_pattern")) {
        fields.ignore("layers_block_type");
        return fields.text("hybrid_override_pattern");
    }
    std::string pattern;
    for (const std::string& word : fields.texts("layers_block_type", kWords)) {
        const auto place = std::ranges::find(kWords, word) - kWords.begin();
        pattern += kLetters[static_cast<std::size_t>(place)];
    }
    if (pattern.empty()) {
        fields.fault("hybrid_override_pattern",
                     "neither hybrid_override_pattern nor layers_block_type is there; expected one of them, "
                     "which says what each layer has");
    }
    return pattern;
}

/// Layers of one part each: state-space mixers, attention, FFNs, experts.
void read_nemotron_h(HfFields& fields, ModelArch& model) {
    model.pattern = read_pattern(fields);
    model.layers = fields.whole("num_hidden_layers", kLayers, std::ssize(model.pattern));
    model.hidden = fields.whole("hidden_size", kHidden);
    model.vocabulary = fields.whole("vocab_size", kVocabulary);
    model.tied_embeddings = fields.truth("tie_word_embeddings", false);
    model.gated_ffn = false; // NemotronHMLP
    read_activation(fields, model, "mlp_hidden_act", "relu2");
    const int usual_dim = fields.whole("attention_head_dim", kHeadDim, 128); // its name before Nemotron 3
    read_heads(fields, model, true, usual_dim);

    StateSpace& mamba = model.state_space;
    mamba.heads = fields.whole("mamba_num_heads", {1, 4096});
    mamba.head_dim = fields.whole("mamba_head_dim", kHeadDim);
    mamba.groups = fields.whole("n_groups", {1, 4096});
    mamba.state = fields.whole("ssm_state_size", {1, 65536});
    mamba.conv = fields.whole("conv_kernel", {1, 64}, 4);
    mamba.chunk = fields.whole("chunk_size", {1, 65536}, 128);

    const bool dense = model.pattern.find('-') != std::string::npos;
    const int ffn = fields.whole("intermediate_size", kFfnHidden, dense ? std::nullopt : std::optional(0LL));
    model.dense_ffn_hidden = dense ? ffn : 0;
    if (model.pattern.find('E') != std::string::npos) {
        read_routed(fields, model, "n_routed_experts", "moe_intermediate_size");
        model.moe.shared_experts = fields.whole("n_shared_experts", kShared, 0);
        model.moe.shared_ffn_hidden =
            fields.whole("moe_shared_expert_intermediate_size", {0, kFfnHidden.max}, 0);
        model.moe.latent = fields.whole("moe_latent_size", {0, kHidden.max}, 0);
    }
    model.mtp_modules = fields.whole("num_nextn_predict_layers", {0, 16}, 0);
    fields.require("mtp_hybrid_override_pattern", "*E", "MTP modules of other parts are not modelled");
    fields.require("mlp_bias", false, "biases in Nemotron-H are not modelled");
    fields.require("attention_bias", false, "biases in Nemotron-H are not modelled");
    fields.require("use_bias", false, "biases in Nemotron-H are not modelled");
    fields.require("mamba_proj_bias", false, "biases in Nemotron-H are not modelled");
    for (const char* field :
         {"expand", "mamba_hidden_act", "mamba_ssm_cache_dtype", "mtp_layers_block_type", "n_group",
          "num_logits_to_keep", "partial_rotary_factor", "rescale_prenorm_residual", "residual_in_fp32",
          "sliding_window", "time_step_floor", "time_step_limit", "time_step_max", "time_step_min",
          "time_step_rank", "topk_group", "use_conv_bias", "use_mamba_kernels",
          "moe_shared_expert_overlap"}) {
        fields.ignore(field);
    }
}

struct Family {
    std::string_view model_type;
    void (*read)(HfFields&, ModelArch&);
};
constexpr std::array kFamilies{
    Family{"llama", read_llama},
    Family{"mistral", read_mistral},
    Family{"mixtral", read_mixtral},
    Family{"qwen2", read_qwen2},
    Family{"qwen2_moe", read_qwen2_moe},
    Family{"qwen3", read_qwen3},
    Family{"qwen3_moe", read_qwen3_moe},
    Family{"deepseek_v2", read_deepseek_v2},
    Family{"deepseek_v3", read_deepseek_v3},
    Family{"kimi_k2", read_deepseek_v3}, // the same fields: moonshotai/Kimi-K2-Base configuration_deepseek.py
    Family{"dots1", read_dots1},
    Family{"gpt_oss", read_gpt_oss},
    Family{"nemotron", read_nemotron},
    Family{"nemotron_h", read_nemotron_h},
    Family{"gpt2", read_gpt2},
    Family{"gpt_neox", read_gpt_neox},
};
constexpr auto kModelTypes = [] {
    std::array<std::string_view, kFamilies.size()> types;
    std::ranges::transform(kFamilies, types.begin(), &Family::model_type);
    return types;
}();

} // namespace

std::span<const std::string_view> hf_model_types() { return kModelTypes; }

ConfigReading parse_hf_config(std::string_view text, const std::string& id, const std::string& source) {
    HfFields fields(text);
    if (!fields.sound()) {
        return {std::nullopt, fields.take_faults()};
    }
    const std::string type = fields.text("model_type");
    const auto family = std::ranges::find(kFamilies, type, &Family::model_type);
    if (family == kFamilies.end()) {
        if (!type.empty() || fields.sound()) {
            fields.fault("model_type", fmt::format("model_type is \"{}\"; expected one of {}", type,
                                                   fmt::join(kModelTypes, ", ")));
        }
        return {std::nullopt, fields.take_faults()};
    }
    ModelArch model;
    model.id = id;
    model.source = source;
    for (const char* field : kShapeless) {
        fields.ignore(field);
    }
    family->read(fields, model);
    fields.refuse_others(type);
    if (fields.sound()) {
        for (const std::string& fault : faults(model)) {
            fields.fault("model_type", fault);
        }
    }
    if (!fields.sound()) {
        std::vector<ConfigFault> found = fields.take_faults();
        std::ranges::stable_sort(found, {}, &ConfigFault::line);
        return {std::nullopt, std::move(found)};
    }
    return {std::move(model), {}};
}

ConfigReading read_hf_config(const std::filesystem::path& file) {
    const auto cannot_read = [](std::string_view why) {
        return ConfigReading{std::nullopt, {{1, fmt::format("cannot be read: {}", why)}}};
    };
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) {
        return cannot_read("it is a directory; expected a config.json");
    }
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        return cannot_read(std::generic_category().message(errno));
    }
    std::string text(kLongestFile + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > kLongestFile) {
        return cannot_read("it is longer than 1 MiB; expected a config.json");
    }
    const bool usual_name = file.filename() == "config.json" && file.has_parent_path();
    std::string id =
        usual_name ? std::filesystem::absolute(file).parent_path().filename().string() : file.stem().string();
    if (id.empty()) {
        id = file.string();
    }
    return parse_hf_config(text, id, fmt::format("config.json at {}", file.string()));
}

} // namespace chokepoint::work
