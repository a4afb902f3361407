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

void check_experts(std::vector<std::string>& found, const Moe& moe) {
    require_positive(found, "moe.experts", moe.experts);
    require_positive(found, "moe.top_k", moe.top_k);
    require_positive(found, "moe.ffn_hidden", moe.ffn_hidden);
    if (moe.top_k > moe.experts) {
        found.push_back(fmt::format("moe.top_k ({}) is more than moe.experts ({})", moe.top_k, moe.experts));
    }
    if (moe.shared_experts < 0) {
        found.push_back(fmt::format("moe.shared_experts is {}; expected 0 or more", moe.shared_experts));
    }
    if (moe.shared_ffn_hidden < 0 || (moe.shared_ffn_hidden > 0 && moe.shared_experts == 0)) {
        found.push_back(fmt::format("moe.shared_ffn_hidden is {} and moe.shared_experts {}; expected both or "
                                    "neither above 0",
                                    moe.shared_ffn_hidden, moe.shared_experts));
    }
    if (moe.latent < 0) {
        found.push_back(fmt::format("moe.latent is {}; expected 0 or more", moe.latent));
    }
    require_positive(found, "moe.every", moe.every);
}

void check_ffn(std::vector<std::string>& found, const ModelArch& model) {
    if (model.dense_layers < 0 || model.dense_layers > model.layers) {
        found.push_back(
            fmt::format("dense_layers is {}; expected 0 to layers ({})", model.dense_layers, model.layers));
    }
    if (model.dense_layers > 0 || model.moe.every > 1) {
        require_positive(found, "dense_ffn_hidden", model.dense_ffn_hidden);
    }
    if (model.moe.experts > 0) {
        check_experts(found, model.moe);
    } else if (model.dense_layers != model.layers) {
        found.push_back(
            fmt::format("dense_layers is {} of {} layers; expected all of them in a model without "
                        "experts",
                        model.dense_layers, model.layers));
    }
}

void check_state_space(std::vector<std::string>& found, const StateSpace& mamba) {
    require_positive(found, "mamba.heads", mamba.heads);
    require_positive(found, "mamba.head_dim", mamba.head_dim);
    require_positive(found, "mamba.groups", mamba.groups);
    require_positive(found, "mamba.state", mamba.state);
    require_positive(found, "mamba.conv", mamba.conv);
    require_positive(found, "mamba.chunk", mamba.chunk);
    if (mamba.groups > 0 && mamba.heads % mamba.groups != 0) {
        found.push_back(
            fmt::format("mamba.groups ({}) does not divide mamba.heads ({})", mamba.groups, mamba.heads));
    }
}

/// Of a model whose layers each have one part.
void check_pattern(std::vector<std::string>& found, const ModelArch& model) {
    if (const auto other = model.pattern.find_first_not_of(kPatternLetters); other != std::string::npos) {
        found.push_back(fmt::format("pattern has '{}' at layer {}; expected M (state-space mixer), * "
                                    "(attention), - (dense FFN) or E (experts)",
                                    model.pattern[other], other));
    }
    if (std::ssize(model.pattern) != model.layers) {
        found.push_back(fmt::format("pattern has {} letters; expected one for each of the {} layers",
                                    model.pattern.size(), model.layers));
    }
    if (model.dense_layers != 0 || model.moe.every != 1) {
        found.push_back(fmt::format("{} is given beside a pattern, which says what each layer has; expected "
                                    "one of them",
                                    model.dense_layers != 0 ? "dense_layers" : "moe.every"));
    }
    if (has_letter(model, 'M')) {
        check_state_space(found, model.state_space);
    }
    if (has_letter(model, '-')) {
        require_positive(found, "dense_ffn_hidden", model.dense_ffn_hidden);
    }
    if (has_letter(model, 'E') || model.moe.experts > 0) {
        check_experts(found, model.moe);
    } else if (model.mtp_modules > 0) { // whose layer has attention and an FFN
        require_positive(found, "dense_ffn_hidden", model.dense_ffn_hidden);
    }
}

/// Of blocks that are not attention behind a norm, then an FFN behind a norm.
void check_block(std::vector<std::string>& found, const ModelArch& model) {
    if (model.block == BlockForm::pre_norm) {
        return;
    }
    const std::string_view other = !model.pattern.empty()                       ? "a pattern"
                                   : model.moe.experts > 0                      ? "experts"
                                   : model.attention.kind == AttentionKind::mla ? "latent attention"
                                                                                : "";
    if (!other.empty()) {
        found.push_back(
            fmt::format("block is {} in a model with {}; expected {}, which is all that is modelled "
                        "there",
                        name(model.block), other, name(BlockForm::pre_norm)));
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
    if (model.positions < 0) {
        found.push_back(fmt::format("positions is {}; expected 0 or more", model.positions));
    }
    check_attention(found, model.attention);
    check_block(found, model);
    if (model.pattern.empty()) {
        check_ffn(found, model);
    } else {
        check_pattern(found, model);
    }
    return found;
}

} // namespace chokepoint::work
