// SPDX-License-Identifier: Apache-2.0
// What a transformer counts: its parameters, and the FLOPs of training it on one token.
#include "block_counts.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace chokepoint::work {
namespace {

constexpr std::array<std::pair<AttentionKind, std::string_view>, 3> kAttentionKinds{{
    {AttentionKind::mha, "mha"},
    {AttentionKind::gqa, "gqa"},
    {AttentionKind::mla, "mla"},
}};

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

std::int64_t attention_norms(const ModelArch& model) {
    return model.attention.kind == AttentionKind::mla
               ? model.attention.q_lora_rank + model.attention.kv_lora_rank
               : 0;
}

std::int64_t ffn_matrices(const ModelArch& model, std::int64_t ffn_hidden) {
    return (model.gated_ffn ? 3 : 2) * std::int64_t{model.hidden} * ffn_hidden;
}

std::int64_t moe_layers(const ModelArch& model) {
    return model.moe.experts > 0 ? model.layers - model.dense_layers : 0;
}

} // namespace

std::string_view name(AttentionKind kind) {
    const auto at =
        std::ranges::find(kAttentionKinds, kind, &std::pair<AttentionKind, std::string_view>::first);
    return at == kAttentionKinds.end() ? "?" : at->second;
}

std::optional<AttentionKind> attention_kind_from(std::string_view text) {
    const auto at =
        std::ranges::find(kAttentionKinds, text, &std::pair<AttentionKind, std::string_view>::second);
    return at == kAttentionKinds.end() ? std::nullopt : std::optional(at->first);
}

ParameterCount count_parameters(const ModelArch& model) {
    const std::int64_t h = model.hidden;
    ParameterCount count;
    count.attention_per_layer = attention_matrices(model) + attention_norms(model);
    count.dense_ffn_per_layer = ffn_matrices(model, model.dense_ffn_hidden);
    count.embedding = std::int64_t{model.vocabulary} * h;
    if (model.moe.experts > 0) {
        count.expert = ffn_matrices(model, model.moe.ffn_hidden);
        count.router_per_layer = model.moe.experts * h;
    }

    const std::int64_t moe = moe_layers(model);
    const std::int64_t layer_norms = 2 * h; // before attention and before the FFN
    const std::int64_t every_layer = count.attention_per_layer + layer_norms;
    const std::int64_t moe_fixed = count.router_per_layer + model.moe.shared_experts * count.expert;
    const std::int64_t head = count.embedding;
    const std::int64_t trunk = model.layers * every_layer + (model.layers - moe) * count.dense_ffn_per_layer +
                               moe * moe_fixed + h; // h: the final norm
    count.total =
        trunk + moe * model.moe.experts * count.expert + head + (model.tied_embeddings ? 0 : count.embedding);
    count.active = trunk + moe * model.moe.top_k * count.expert + head;

    // An MTP module: norms of the hidden state and of the next token's embedding, the 2h to h projection, one
    // layer of the last kind, and the norm in front of the shared head (DeepSeek-V3 report, arXiv
    // 2412.19437, 2.2).
    const std::int64_t last_ffn =
        moe > 0 ? moe_fixed + model.moe.experts * count.expert : count.dense_ffn_per_layer;
    count.mtp = model.mtp_modules * (2 * h + 2 * h * h + every_layer + last_ffn + h);
    return count;
}

BlockKind layer_kind(const ModelArch& model, int layer) {
    const int like = std::min(layer, model.layers - 1);
    return model.moe.experts > 0 && like >= model.dense_layers ? BlockKind::moe_layer
                                                               : BlockKind::dense_layer;
}

BlockParameters block_parameters(const ModelArch& model, BlockKind kind) {
    const std::int64_t h = model.hidden;
    const std::int64_t vocabulary = model.vocabulary * h;
    const std::int64_t norms =
        2 * h + attention_norms(model); // before attention, before the FFN, of the latents
    switch (kind) {
    case BlockKind::embedding:
        return {.sensitive = vocabulary};
    case BlockKind::dense_layer:
        return {.matrices = attention_matrices(model) + ffn_matrices(model, model.dense_ffn_hidden),
                .sensitive = norms};
    case BlockKind::moe_layer: {
        const std::int64_t expert = ffn_matrices(model, model.moe.ffn_hidden);
        return {.routed = model.moe.experts * expert,
                .matrices = attention_matrices(model) + model.moe.shared_experts * expert,
                .sensitive = norms + model.moe.experts * h};
    }
    case BlockKind::mtp_projection:
        return {.sensitive = 2 * h * h + 2 * h};
    case BlockKind::head:
        return {.sensitive = vocabulary + h};
    }
    return {};
}

hw::Flops block_training_flops(const ModelArch& model, std::int64_t sequence, bool causal, BlockKind kind) {
    const std::int64_t h = model.hidden;
    const auto trained = [](std::int64_t weights) { return hw::Flops(6.0 * static_cast<double>(weights)); };
    // A token attends to all tokens of its sequence, or on average to half of them.
    const double keys = static_cast<double>(sequence) * (causal ? 0.5 : 1.0);
    const hw::Flops attention =
        trained(attention_matrices(model)) +
        hw::Flops(6.0 * keys * static_cast<double>(query_dim(model.attention) + value_dim(model.attention)));
    switch (kind) {
    case BlockKind::embedding:
        return hw::Flops(0.0);
    case BlockKind::dense_layer:
        return attention + trained(ffn_matrices(model, model.dense_ffn_hidden));
    case BlockKind::moe_layer:
        return attention + trained((model.moe.top_k + model.moe.shared_experts) *
                                   ffn_matrices(model, model.moe.ffn_hidden));
    case BlockKind::mtp_projection:
        return trained(2 * h * h);
    case BlockKind::head:
        return trained(model.vocabulary * h);
    }
    return hw::Flops(0.0);
}

hw::Flops training_flops_per_token(const ModelArch& model, std::int64_t sequence, bool causal) {
    hw::Flops sum = block_training_flops(model, sequence, causal, BlockKind::head);
    for (int layer = 0; layer < model.layers; ++layer) {
        sum += block_training_flops(model, sequence, causal, layer_kind(model, layer));
    }
    return sum;
}

namespace {

void require_positive(std::vector<std::string>& found, std::string_view key, int value) {
    if (value <= 0) {
        found.push_back(fmt::format("{} is {}; expected at least 1", key, value));
    }
}

void check_attention(std::vector<std::string>& found, const Attention& a) {
    require_positive(found, "attention.heads", a.heads);
    if (a.kind == AttentionKind::mla) {
        require_positive(found, "attention.kv_lora_rank", a.kv_lora_rank);
        require_positive(found, "attention.qk_nope_dim", a.qk_nope_dim);
        require_positive(found, "attention.qk_rope_dim", a.qk_rope_dim);
        require_positive(found, "attention.v_dim", a.v_dim);
        return;
    }
    require_positive(found, "attention.head_dim", a.head_dim);
    require_positive(found, "attention.kv_heads", a.kv_heads);
    if (a.kv_heads > 0 && a.heads % a.kv_heads != 0) {
        found.push_back(
            fmt::format("attention.kv_heads ({}) does not divide attention.heads ({})", a.kv_heads, a.heads));
    }
    if (a.kind == AttentionKind::mha && a.kv_heads != a.heads) {
        found.push_back(
            fmt::format("attention.kv_heads ({}) differs from attention.heads ({}); expected equal for "
                        "mha, or attention.kind = \"gqa\"",
                        a.kv_heads, a.heads));
    }
}

void check_ffn(std::vector<std::string>& found, const ModelArch& model) {
    if (model.dense_layers < 0 || model.dense_layers > model.layers) {
        found.push_back(
            fmt::format("dense_layers is {}; expected 0 to layers ({})", model.dense_layers, model.layers));
    }
    if (model.dense_layers > 0) {
        require_positive(found, "dense_ffn_hidden", model.dense_ffn_hidden);
    }
    if (model.moe.experts == 0) {
        if (model.dense_layers != model.layers) {
            found.push_back(
                fmt::format("dense_layers is {} of {} layers; expected all of them in a model without "
                            "experts",
                            model.dense_layers, model.layers));
        }
        return;
    }
    require_positive(found, "moe.experts", model.moe.experts);
    require_positive(found, "moe.top_k", model.moe.top_k);
    require_positive(found, "moe.ffn_hidden", model.moe.ffn_hidden);
    if (model.moe.top_k > model.moe.experts) {
        found.push_back(
            fmt::format("moe.top_k ({}) is more than moe.experts ({})", model.moe.top_k, model.moe.experts));
    }
    if (model.moe.shared_experts < 0) {
        found.push_back(
            fmt::format("moe.shared_experts is {}; expected 0 or more", model.moe.shared_experts));
    }
}

} // namespace

std::vector<std::string> faults(const ModelArch& model) {
    std::vector<std::string> found;
    require_positive(found, "layers", model.layers);
    require_positive(found, "hidden", model.hidden);
    require_positive(found, "vocabulary", model.vocabulary);
    if (model.mtp_modules < 0) {
        found.push_back(fmt::format("mtp_modules is {}; expected 0 or more", model.mtp_modules));
    }
    check_attention(found, model.attention);
    check_ffn(found, model);
    return found;
}

} // namespace chokepoint::work
