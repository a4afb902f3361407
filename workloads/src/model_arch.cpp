// SPDX-License-Identifier: Apache-2.0
// What a transformer counts: its parameters, and the FLOPs of training it on one token.
#include "block_counts.hpp"

#include <algorithm>

namespace chokepoint::work {
namespace {

std::int64_t query_dim(const Attention& a) {
    return std::int64_t{a.heads} *
           (a.kind == AttentionKind::mla ? a.qk_nope_dim + a.qk_rope_dim : a.head_dim);
}
std::int64_t value_dim(const Attention& a) {
    return std::int64_t{a.heads} * (a.kind == AttentionKind::mla ? a.v_dim : a.head_dim);
}

/// Weights of the projections alone, the ones a token is multiplied with.
std::int64_t attention_matrices(const ModelArch& model) {
    const Attention& a = model.attention;
    const std::int64_t h = model.hidden;
    if (a.kind != AttentionKind::mla) {
        return h * (query_dim(a) + 2LL * a.kv_heads * a.head_dim) + value_dim(a) * h;
    }
    // Without a query rank (DeepSeek-V2-Lite) queries come straight from the hidden state.
    const std::int64_t query = a.q_lora_rank > 0 ? a.q_lora_rank * (h + query_dim(a)) : h * query_dim(a);
    const std::int64_t key_value = h * (a.kv_lora_rank + a.qk_rope_dim) +
                                   std::int64_t{a.kv_lora_rank} * a.heads * (a.qk_nope_dim + a.v_dim);
    return query + key_value + value_dim(a) * h;
}

std::int64_t norm_weights(const ModelArch& model, std::int64_t width) {
    return (model.norm == NormKind::layernorm ? 2 : 1) * width; // a layer norm has a shift beside its scale
}

std::int64_t attention_norms(const ModelArch& model) {
    const Attention& a = model.attention;
    if (a.kind == AttentionKind::mla) {
        return norm_weights(model, a.q_lora_rank) + norm_weights(model, a.kv_lora_rank);
    }
    return a.qk_norm ? 2 * norm_weights(model, a.head_dim) : 0; // one for all heads, of queries and of keys
}

std::int64_t attention_biases(const ModelArch& model) {
    const Attention& a = model.attention;
    const std::int64_t qkv = query_dim(a) + 2LL * a.kv_heads * a.head_dim;
    if (a.kind == AttentionKind::mla) {
        return 0;
    }
    return (model.biases || a.qkv_bias ? qkv : 0) + (model.biases ? model.hidden : 0);
}

std::int64_t ffn_matrices(const ModelArch& model, std::int64_t ffn_hidden) {
    return (model.gated_ffn ? 3 : 2) * std::int64_t{model.hidden} * ffn_hidden;
}

std::int64_t ffn_biases(const ModelArch& model, std::int64_t ffn_hidden) {
    return model.biases ? (model.gated_ffn ? 2 : 1) * ffn_hidden + model.hidden : 0;
}

std::int64_t ffn_parameters(const ModelArch& model, std::int64_t ffn_hidden) {
    return ffn_matrices(model, ffn_hidden) + ffn_biases(model, ffn_hidden);
}

std::int64_t sum_of(const BlockParameters& block) { return block.routed + block.matrices + block.sensitive; }

} // namespace

bool has_experts(const ModelArch& model, int layer) {
    const int like = std::min(layer, model.layers - 1);
    return model.moe.experts > 0 && like >= model.dense_layers &&
           (like - model.dense_layers) % model.moe.every == 0;
}

int window_of(const ModelArch& model, int layer) {
    const Attention& a = model.attention;
    const int like = std::min(layer, model.layers - 1);
    return a.full_every > 0 && (like + 1) % a.full_every == 0 ? 0 : a.window;
}

int moe_layers(const ModelArch& model) {
    return model.moe.experts > 0 ? (model.layers - model.dense_layers + model.moe.every - 1) / model.moe.every
                                 : 0;
}

std::int64_t shared_ffn_hidden(const Moe& moe) {
    return moe.shared_ffn_hidden > 0 ? moe.shared_ffn_hidden
                                     : std::int64_t{moe.shared_experts} * moe.ffn_hidden;
}

ParameterCount count_parameters(const ModelArch& model) {
    const std::int64_t h = model.hidden;
    ParameterCount count;
    count.attention_per_layer = attention_matrices(model) + attention_norms(model) + attention_biases(model);
    count.norms_per_layer = 2 * norm_weights(model, h);
    count.embedding = std::int64_t{model.vocabulary} * h;
    count.positions = std::int64_t{model.positions} * h;
    const std::int64_t moe = moe_layers(model);
    const std::int64_t dense = model.layers - moe;
    if (dense > 0) {
        count.dense_ffn_per_layer = ffn_parameters(model, model.dense_ffn_hidden);
        count.dense_layer = sum_of(block_parameters(model, BlockKind::dense_layer));
    }
    if (moe > 0) {
        count.expert = ffn_parameters(model, model.moe.ffn_hidden);
        count.router_per_layer = model.moe.experts * h;
        count.shared_experts_per_layer =
            model.moe.shared_experts > 0 ? ffn_parameters(model, shared_ffn_hidden(model.moe)) : 0;
        const BlockParameters layer = block_parameters(model, BlockKind::moe_layer);
        count.moe_layer = sum_of(layer);
        count.moe_layer_active = count.moe_layer - layer.routed + model.moe.top_k * count.expert;
    }
    const std::int64_t around = dense * count.dense_layer + norm_weights(model, h) + count.embedding;
    const std::int64_t tables = (model.tied_embeddings ? 0 : count.embedding) + count.positions;
    count.total = around + moe * count.moe_layer + tables;
    count.active = around + moe * count.moe_layer_active;

    // An MTP module: norms of the hidden state and of the next token's embedding, the 2h to h projection, one
    // layer of the last kind, and the norm in front of the shared head (DeepSeek-V3 report, arXiv
    // 2412.19437, 2.2).
    const std::int64_t last = has_experts(model, model.layers) ? count.moe_layer : count.dense_layer;
    count.mtp = model.mtp_modules *
                (sum_of(block_parameters(model, BlockKind::mtp_projection)) + last + norm_weights(model, h));
    return count;
}

BlockKind layer_kind(const ModelArch& model, int layer) {
    return has_experts(model, layer) ? BlockKind::moe_layer : BlockKind::dense_layer;
}

BlockParameters block_parameters(const ModelArch& model, BlockKind kind) {
    const std::int64_t h = model.hidden;
    const std::int64_t vocabulary = model.vocabulary * h;
    // Norms before attention, before the FFN and inside attention; biases.
    const std::int64_t small = 2 * norm_weights(model, h) + attention_norms(model) + attention_biases(model);
    switch (kind) {
    case BlockKind::embedding:
        return {.sensitive = vocabulary + model.positions * h};
    case BlockKind::dense_layer:
        return {.matrices = attention_matrices(model) + ffn_matrices(model, model.dense_ffn_hidden),
                .sensitive = small + ffn_biases(model, model.dense_ffn_hidden)};
    case BlockKind::moe_layer: {
        const std::int64_t shared = shared_ffn_hidden(model.moe);
        return {.routed = model.moe.experts * ffn_parameters(model, model.moe.ffn_hidden),
                .matrices = attention_matrices(model) + ffn_matrices(model, shared),
                .sensitive = small + model.moe.experts * h + (shared > 0 ? ffn_biases(model, shared) : 0)};
    }
    case BlockKind::mtp_projection:
        return {.sensitive = 2 * h * h + 2 * norm_weights(model, h)};
    case BlockKind::head:
        return {.sensitive = vocabulary + norm_weights(model, h)};
    }
    return {};
}

double mean_keys(int window, std::int64_t sequence) {
    const auto s = static_cast<double>(sequence);
    const double w = window > 0 ? std::min<double>(window, s) : s;
    return w - w * w / (2.0 * s); // the first w tokens see half of the window, the others all of it
}

std::int64_t parameters_not_split(const ModelArch& model, BlockKind kind) {
    const Attention& a = model.attention;
    const std::int64_t h = model.hidden;
    switch (kind) {
    case BlockKind::embedding:
        return model.positions * h;
    case BlockKind::dense_layer:
    case BlockKind::moe_layer: {
        const std::int64_t latent =
            a.kind == AttentionKind::mla ? h * (a.q_lora_rank + a.kv_lora_rank + a.qk_rope_dim) : 0;
        const std::int64_t router = kind == BlockKind::moe_layer ? model.moe.experts * h : 0;
        return 2 * norm_weights(model, h) + attention_norms(model) + latent + router;
    }
    case BlockKind::mtp_projection:
        return block_parameters(model, kind).sensitive;
    case BlockKind::head:
        return norm_weights(model, h);
    }
    return 0;
}

hw::Flops block_training_flops(const ModelArch& model, std::int64_t sequence, bool causal,
                               const Block& block) {
    const std::int64_t h = model.hidden;
    const auto trained = [](std::int64_t weights) { return hw::Flops(6.0 * static_cast<double>(weights)); };
    const double keys = mean_keys(window_of(model, block.layer), sequence) * (causal ? 1.0 : 2.0);
    const hw::Flops attention =
        trained(attention_matrices(model)) +
        hw::Flops(6.0 * keys * static_cast<double>(query_dim(model.attention) + value_dim(model.attention)));
    switch (block.kind) {
    case BlockKind::embedding:
        return hw::Flops(0.0);
    case BlockKind::dense_layer:
        return attention + trained(ffn_matrices(model, model.dense_ffn_hidden));
    case BlockKind::moe_layer:
        return attention + trained(model.moe.top_k * ffn_matrices(model, model.moe.ffn_hidden) +
                                   ffn_matrices(model, shared_ffn_hidden(model.moe)));
    case BlockKind::mtp_projection:
        return trained(2 * h * h);
    case BlockKind::head:
        return trained(model.vocabulary * h);
    }
    return hw::Flops(0.0);
}

hw::Flops training_flops_per_token(const ModelArch& model, std::int64_t sequence, bool causal) {
    hw::Flops sum = block_training_flops(model, sequence, causal, {BlockKind::head});
    for (int layer = 0; layer < model.layers; ++layer) {
        sum += block_training_flops(model, sequence, causal, {layer_kind(model, layer), layer});
    }
    return sum;
}

hw::Bytes kv_bytes_per_token(const ModelArch& model) {
    const Attention& a = model.attention;
    const std::int64_t elements =
        a.kind == AttentionKind::mla ? a.kv_lora_rank + a.qk_rope_dim : 2LL * a.kv_heads * a.head_dim;
    constexpr double kBf16 = 2.0;
    return hw::Bytes(kBf16 * static_cast<double>(model.layers * elements));
}

} // namespace chokepoint::work
