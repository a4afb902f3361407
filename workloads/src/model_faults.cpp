// SPDX-License-Identifier: Apache-2.0
// Says what is wrong with an architecture as a whole, whoever spelled it.
#include <chokepoint/workloads/model_arch.hpp>

#include <fmt/format.h>

namespace chokepoint::work {
namespace {

void require_positive(std::vector<std::string>& found, std::string_view key, int value) {
    if (value <= 0) {
        found.push_back(fmt::format("{} is {}; expected at least 1", key, value));
    }
}

void check_attention(std::vector<std::string>& found, const Attention& a) {
    require_positive(found, "attention.heads", a.heads);
    if (a.window < 0) {
        found.push_back(fmt::format("attention.window is {}; expected 0 or more", a.window));
    }
    if (a.full_every < 0 || (a.full_every > 0 && a.window == 0)) {
        found.push_back(fmt::format("attention.full_every is {} and attention.window {}; expected 0, or a "
                                    "window that some layers look beyond",
                                    a.full_every, a.window));
    }
    if (a.kind == AttentionKind::mla) {
        if (a.qkv_bias || a.qk_norm) {
            found.push_back(fmt::format("attention.{} is set and attention.kind is mla; expected it with mha "
                                        "or gqa",
                                        a.qkv_bias ? "qkv_bias" : "qk_norm"));
        }
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
    if (model.dense_layers > 0 || model.moe.every > 1) {
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
    if (model.moe.shared_ffn_hidden < 0 ||
        (model.moe.shared_ffn_hidden > 0 && model.moe.shared_experts == 0)) {
        found.push_back(fmt::format("moe.shared_ffn_hidden is {} and moe.shared_experts {}; expected both or "
                                    "neither above 0",
                                    model.moe.shared_ffn_hidden, model.moe.shared_experts));
    }
    require_positive(found, "moe.every", model.moe.every);
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
    if (model.positions < 0) {
        found.push_back(fmt::format("positions is {}; expected 0 or more", model.positions));
    }
    check_attention(found, model.attention);
    check_ffn(found, model);
    return found;
}

} // namespace chokepoint::work
