// SPDX-License-Identifier: Apache-2.0
// The model being trained, spelled out; and what it counts: parameters, FLOPs per token, bytes.
#pragma once

#include <chokepoint/hwmodels/operator.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::work {

enum class AttentionKind { mha, gqa, mla };
std::string_view name(AttentionKind);
std::optional<AttentionKind> attention_kind_from(std::string_view);

/// What stands between an FFN's matrices; together with `gated_ffn` SwiGLU, GELU, squared ReLU and the like.
enum class Activation { silu, gelu, relu, squared_relu };
std::string_view name(Activation);
std::optional<Activation> activation_from(std::string_view);

enum class NormKind { rmsnorm, layernorm };
std::string_view name(NormKind);
std::optional<NormKind> norm_kind_from(std::string_view);

/// How a layer's attention and FFN stand to each other, and where norms are: in front of each (Llama);
/// in front of and behind each (Gemma 2, GLM-4); or both parts read one state and are added together (the
/// parallel transformer block of GPT-J, PaLM and MegaScale), behind one norm or behind one each (GPT-NeoX).
enum class BlockForm { pre_norm, sandwich_norm, parallel, parallel_two_norms };
std::string_view name(BlockForm);
std::optional<BlockForm> block_form_from(std::string_view);

struct Attention {
    AttentionKind kind = AttentionKind::mla;
    int heads = 0;
    int kv_heads = 0; ///< gqa; equals heads for mha
    int head_dim = 0; ///< mha, gqa
    // mla
    int q_lora_rank = 0, kv_lora_rank = 0;
    int qk_nope_dim = 0, qk_rope_dim = 0, v_dim = 0;
    bool qkv_bias = false; ///< mha, gqa: biases on queries, keys and values alone, as Qwen2
    bool qk_norm = false;  ///< mha, gqa: every head's query and key pass a norm, as Qwen3
    int window = 0;        ///< tokens that one token attends to, itself included; 0: its whole past
    /// Beside a window: one layer in so many attends to the whole past all the same, the last of each group
    /// (gpt-oss: 2). 0: none does.
    int full_every = 0;
    friend bool operator==(const Attention&, const Attention&) = default;
};

struct Moe {
    int experts = 0; ///< routed experts per layer; 0: the model is dense
    int shared_experts = 0;
    int top_k = 0;
    int ffn_hidden = 0; ///< of one expert
    int max_nodes = 0;  ///< node-limited routing, 0: no limit
    /// Of all shared experts together; 0: shared_experts x ffn_hidden.
    int shared_ffn_hidden = 0;
    int every = 1; ///< behind the dense layers, one layer in so many has experts, beginning with the first
    /// Width that tokens are projected to in front of the routed experts, and back behind them (Nemotron 3
    /// Super); 0: experts work on the hidden state itself.
    int latent = 0;
    friend bool operator==(const Moe&, const Moe&) = default;
};

/// A Mamba-2 mixer: a projection in, a causal convolution, a scan over the sequence, a gated norm and a
/// projection out (arXiv 2405.21060, figure 6).
struct StateSpace {
    int heads = 0; ///< 0: the model has no such layer
    int head_dim = 0;
    int groups = 1;  ///< of heads that share the input and output maps (B and C)
    int state = 0;   ///< of one channel
    int conv = 4;    ///< tokens that the convolution sees
    int chunk = 128; ///< tokens that the scan takes at once; within them it multiplies matrices
    friend bool operator==(const StateSpace&, const StateSpace&) = default;
};

enum class Mixer { none, attention, state_space };
enum class Ffn { none, dense, experts };

/// What a layer has: each part with a norm in front and added to the stream behind.
struct LayerParts {
    Mixer mixer = Mixer::attention;
    Ffn ffn = Ffn::dense;
    friend bool operator==(const LayerParts&, const LayerParts&) = default;
};

struct ModelArch {
    std::string id;
    int layers = 0;       ///< without MTP modules
    int dense_layers = 0; ///< the first ones, with a dense FFN; all of them if there are no experts
    int hidden = 0;
    int dense_ffn_hidden = 0;
    int vocabulary = 0;
    int mtp_modules = 0; ///< multi-token prediction modules, each one layer, a projection and the shared head
    bool tied_embeddings = false;
    bool gated_ffn = true; ///< SwiGLU (three matrices) or a plain two-matrix FFN
    Activation activation = Activation::silu;
    NormKind norm = NormKind::rmsnorm;
    BlockForm block = BlockForm::pre_norm;
    bool biases = false; ///< of every projection and FFN matrix, as GPT
    int positions = 0;   ///< learned position embeddings; 0: none (rotary)
    /// One letter for each layer that has one part only, as Nemotron-H's hybrid_override_pattern: M a
    /// state-space mixer, * attention, - a dense FFN, E experts. Empty: each layer has attention and an FFN.
    std::string pattern;
    Attention attention;
    StateSpace state_space;
    Moe moe;
    std::string source;
    friend bool operator==(const ModelArch&, const ModelArch&) = default;
};

/// Every preset of a directory (*.toml), sorted by id.
/// @throws hw::CatalogError with every fault of every file: "deepseek-v3.toml:12:9: error: …", one line each.
std::vector<ModelArch> load_presets(const std::filesystem::path& directory);

/// What is wrong with the architecture as a whole ("moe.top_k (8) is more than moe.experts (4)"). Empty if it
/// can be built.
std::vector<std::string> faults(const ModelArch&);

/// Letters of a pattern, and whether the model's has this one.
constexpr std::string_view kPatternLetters = "M*-E";
bool has_letter(const ModelArch&, char letter);
/// Parts of the 0-based layer; MTP's layers, past the last, are like the last, or under a pattern attention
/// and an FFN, with experts if the model has them.
LayerParts layer_parts(const ModelArch&, int layer);
/// Whether a layer's attention and FFN read one state and are added together.
bool runs_parallel(const ModelArch&);
/// Whether the layer has experts.
bool has_experts(const ModelArch&, int layer);
/// Tokens that one token attends to in the 0-based layer, 0: its whole past; MTP's layers as above.
int window_of(const ModelArch&, int layer);
/// Layers with experts, without MTP's.
int moe_layers(const ModelArch&);
/// Width of the rows that routed experts see.
std::int64_t expert_hidden(const ModelArch&);
/// Channels of all heads; of the convolution, which sees B and C too; and of the projection in, which makes
/// the gate and the heads' steps besides.
std::int64_t inner_width(const StateSpace&);
std::int64_t convolved_width(const StateSpace&);
std::int64_t projected_width(const StateSpace&);
/// Intermediate size of the FFN that the shared experts form together.
std::int64_t shared_ffn_hidden(const Moe&);

struct ParameterCount {
    std::int64_t total = 0;       ///< without MTP, embedding and head included
    std::int64_t active = 0;      ///< touched by one token, embedding lookup excluded, head included
    std::int64_t mtp = 0;         ///< MTP's own, without the shared embedding and head
    std::int64_t dense_layer = 0; ///< all of one dense layer: attention and FFN, or under a pattern an FFN
    std::int64_t moe_layer = 0;   ///< all of one layer with experts
    std::int64_t state_space_layer = 0; ///< all of one state-space layer
    std::int64_t moe_layer_active = 0;  ///< of it, what one token touches
    std::int64_t attention_per_layer = 0;
    std::int64_t norms_per_layer = 0; ///< around attention and FFN, as wide as the hidden state
    std::int64_t dense_ffn_per_layer = 0;
    std::int64_t expert = 0; ///< one routed expert
    std::int64_t shared_experts_per_layer = 0;
    std::int64_t router_per_layer = 0;
    std::int64_t embedding = 0; ///< one vocabulary x hidden matrix
    std::int64_t positions = 0; ///< learned position embeddings
};
ParameterCount count_parameters(const ModelArch&);

/// Training FLOPs of one token, forward and backward (3x forward), matrix products only, without MTP and
/// router, as DeepSeek counts: DeepSeek-V3 at 4,096 causal 249.8 GFLOP.
/// Causal attention counts half of the sequence, and under a window as many keys as a token sees on average;
/// full attention counts twice that.
hw::Flops training_flops_per_token(const ModelArch&, std::int64_t sequence, bool causal);

/// Keys that a token attends to on average under a causal mask, the mask's diagonal counted half. Without a
/// window (0) half of the sequence.
double mean_keys(int window, std::int64_t sequence);

/// Keys and values, or latents and rotary keys, that a BF16 cache holds for one token. A window bounds for
/// how many tokens, not how much for each.
hw::Bytes kv_bytes_per_token(const ModelArch&);

} // namespace chokepoint::work
