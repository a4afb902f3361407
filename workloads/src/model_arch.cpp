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

/// Of a part of a layer: in front of it, in a sandwich behind it too; a parallel block counts its one norm to
/// attention.
std::int64_t mixer_norms(const ModelArch& model) {
    return (model.block == BlockForm::sandwich_norm ? 2 : 1) * norm_weights(model, model.hidden);
}
std::int64_t ffn_norms(const ModelArch& model) {
    return model.block == BlockForm::parallel ? 0 : mixer_norms(model);
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

/// Of an FFN on rows of this width: the model's, or the one that its routed experts see.
struct FfnSize {
    std::int64_t width = 0, ffn_hidden = 0;
};
FfnSize dense_ffn(const ModelArch& model) { return {model.hidden, model.dense_ffn_hidden}; }
FfnSize shared_ffn(const ModelArch& model) { return {model.hidden, shared_ffn_hidden(model.moe)}; }
FfnSize expert_ffn(const ModelArch& model) { return {expert_hidden(model), model.moe.ffn_hidden}; }

std::int64_t ffn_matrices(const ModelArch& model, FfnSize size) {
    return (model.gated_ffn ? 3 : 2) * size.width * size.ffn_hidden;
}

std::int64_t ffn_biases(const ModelArch& model, FfnSize size) {
    return model.biases && size.ffn_hidden > 0 ? (model.gated_ffn ? 2 : 1) * size.ffn_hidden + size.width : 0;
}

std::int64_t ffn_parameters(const ModelArch& model, FfnSize size) {
    return ffn_matrices(model, size) + ffn_biases(model, size);
}

/// To the experts' width and back.
std::int64_t latent_matrices(const ModelArch& model) { return 2LL * model.hidden * model.moe.latent; }

std::int64_t state_space_matrices(const ModelArch& model) {
    return std::int64_t{model.hidden} * (projected_width(model.state_space) + inner_width(model.state_space));
}

/// Convolution with its bias; decay, skip and step of each head; scale of the gated norm.
std::int64_t state_space_small(const ModelArch& model) {
    const StateSpace& s = model.state_space;
    return (s.conv + 1) * convolved_width(s) + 3LL * s.heads + inner_width(s);
}

std::int64_t sum_of(const BlockParameters& block) { return block.routed + block.matrices + block.sensitive; }

} // namespace

std::int64_t inner_width(const StateSpace& s) { return std::int64_t{s.heads} * s.head_dim; }
std::int64_t convolved_width(const StateSpace& s) { return inner_width(s) + 2LL * s.groups * s.state; }
std::int64_t projected_width(const StateSpace& s) { return inner_width(s) + convolved_width(s) + s.heads; }

std::int64_t expert_hidden(const ModelArch& model) {
    return model.moe.latent > 0 ? model.moe.latent : model.hidden;
}

bool has_letter(const ModelArch& model, char letter) {
    return model.pattern.find(letter) != std::string::npos;
}

LayerParts layer_parts(const ModelArch& model, int layer) {
    const bool past_the_last = layer >= model.layers;
    if (model.pattern.empty() || past_the_last) {
        const int like = std::min(layer, model.layers - 1);
        const bool experts = model.moe.experts > 0 &&
                             (!model.pattern.empty() || (like >= model.dense_layers &&
                                                         (like - model.dense_layers) % model.moe.every == 0));
        return {Mixer::attention, experts ? Ffn::experts : Ffn::dense};
    }
    switch (model.pattern[static_cast<std::size_t>(std::max(layer, 0))]) {
    case 'M':
        return {Mixer::state_space, Ffn::none};
    case '*':
        return {Mixer::attention, Ffn::none};
    case 'E':
        return {Mixer::none, Ffn::experts};
    default:
        return {Mixer::none, Ffn::dense};
    }
}

bool runs_parallel(const ModelArch& model) {
    return model.block == BlockForm::parallel || model.block == BlockForm::parallel_two_norms;
}

bool has_experts(const ModelArch& model, int layer) { return layer_parts(model, layer).ffn == Ffn::experts; }

int window_of(const ModelArch& model, int layer) {
    const Attention& a = model.attention;
    const int like = std::min(layer, model.layers - 1);
    return a.full_every > 0 && (like + 1) % a.full_every == 0 ? 0 : a.window;
}

int moe_layers(const ModelArch& model) {
    int layers = 0;
    for (int layer = 0; layer < model.layers; ++layer) {
        layers += has_experts(model, layer) ? 1 : 0;
    }
    return layers;
}

std::int64_t shared_ffn_hidden(const Moe& moe) {
    return moe.shared_ffn_hidden > 0 ? moe.shared_ffn_hidden
                                     : std::int64_t{moe.shared_experts} * moe.ffn_hidden;
}

ParameterCount count_parameters(const ModelArch& model) {
    const std::int64_t h = model.hidden;
    ParameterCount count;
    count.attention_per_layer = attention_matrices(model) + attention_norms(model) + attention_biases(model);
    count.norms_per_layer =
        model.pattern.empty() ? mixer_norms(model) + ffn_norms(model) : norm_weights(model, h);
    count.embedding = std::int64_t{model.vocabulary} * h;
    count.positions = std::int64_t{model.positions} * h;
    const std::int64_t expert = model.moe.experts > 0 ? ffn_parameters(model, expert_ffn(model)) : 0;
    const std::int64_t around = norm_weights(model, h) + count.embedding;
    count.total = around + (model.tied_embeddings ? 0 : count.embedding) + count.positions;
    count.active = around;
    for (int layer = 0; layer < model.layers; ++layer) {
        const LayerParts parts = layer_parts(model, layer);
        const BlockParameters block = block_parameters(model, {layer_kind(model, layer), layer});
        const std::int64_t all = sum_of(block);
        const bool experts = parts.ffn == Ffn::experts;
        const std::int64_t active = experts ? all - block.routed + model.moe.top_k * expert : all;
        count.total += all;
        count.active += active;
        if (experts) {
            count.expert = expert;
            count.router_per_layer = model.moe.experts * h;
            count.shared_experts_per_layer = ffn_parameters(model, shared_ffn(model));
            count.moe_layer = all;
            count.moe_layer_active = active;
        } else if (parts.ffn == Ffn::dense) {
            count.dense_ffn_per_layer = ffn_parameters(model, dense_ffn(model));
            count.dense_layer = all;
        } else if (parts.mixer == Mixer::state_space) {
            count.state_space_layer = all;
        }
    }

    // An MTP module: norms of the hidden state and of the next token's embedding, the 2h to h projection, one
    // layer of the last kind, and the norm in front of the shared head (DeepSeek-V3 report, arXiv
    // 2412.19437, 2.2).
    const Block last{layer_kind(model, model.layers), model.layers};
    count.mtp = model.mtp_modules * (sum_of(block_parameters(model, {BlockKind::mtp_projection})) +
                                     sum_of(block_parameters(model, last)) + norm_weights(model, h));
    return count;
}

BlockKind layer_kind(const ModelArch& model, int layer) {
    return has_experts(model, layer) ? BlockKind::moe_layer : BlockKind::dense_layer;
}

std::vector<LikeLayers> like_layers(const ModelArch& model) {
    std::vector<LikeLayers> groups;
    for (int layer = 0; layer < model.layers; ++layer) {
        const auto like = std::ranges::find_if(groups, [&](const LikeLayers& group) {
            return layer_parts(model, group.first.layer) == layer_parts(model, layer) &&
                   window_of(model, group.first.layer) == window_of(model, layer);
        });
        if (like == groups.end()) {
            groups.push_back({{layer_kind(model, layer), layer}, 1});
        } else {
            ++like->count;
        }
    }
    return groups;
}

namespace {

BlockParameters& operator+=(BlockParameters& sum, const BlockParameters& part) {
    sum.routed += part.routed;
    sum.matrices += part.matrices;
    sum.sensitive += part.sensitive;
    return sum;
}

/// Each with the norm in front of it.
BlockParameters mixer_parameters(const ModelArch& model, Mixer mixer) {
    switch (mixer) {
    case Mixer::attention:
        return {.matrices = attention_matrices(model),
                .sensitive = mixer_norms(model) + attention_norms(model) + attention_biases(model)};
    case Mixer::state_space:
        return {.matrices = state_space_matrices(model),
                .sensitive = mixer_norms(model) + state_space_small(model)};
    case Mixer::none:
        break;
    }
    return {};
}
BlockParameters ffn_parameters(const ModelArch& model, Ffn ffn) {
    const std::int64_t h = model.hidden;
    switch (ffn) {
    case Ffn::dense:
        return {.matrices = ffn_matrices(model, dense_ffn(model)),
                .sensitive = ffn_norms(model) + ffn_biases(model, dense_ffn(model))};
    case Ffn::experts:
        return {.routed = model.moe.experts * ffn_parameters(model, expert_ffn(model)),
                .matrices = ffn_matrices(model, shared_ffn(model)) + latent_matrices(model),
                .sensitive = ffn_norms(model) + model.moe.experts * h + ffn_biases(model, shared_ffn(model))};
    case Ffn::none:
        break;
    }
    return {};
}

} // namespace

BlockParameters block_parameters(const ModelArch& model, const Block& block) {
    const std::int64_t h = model.hidden;
    const std::int64_t vocabulary = model.vocabulary * h;
    switch (block.kind) {
    case BlockKind::embedding:
        return {.sensitive = vocabulary + model.positions * h};
    case BlockKind::dense_layer:
    case BlockKind::moe_layer: {
        const LayerParts parts = layer_parts(model, block.layer);
        BlockParameters sum = mixer_parameters(model, parts.mixer);
        return sum += ffn_parameters(model, parts.ffn);
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

std::int64_t parameters_not_split(const ModelArch& model, const Block& block) {
    const Attention& a = model.attention;
    const std::int64_t h = model.hidden;
    switch (block.kind) {
    case BlockKind::embedding:
        return model.positions * h;
    case BlockKind::dense_layer:
    case BlockKind::moe_layer: {
        const LayerParts parts = layer_parts(model, block.layer);
        std::int64_t whole = 0;
        if (parts.mixer != Mixer::none) {
            whole += mixer_norms(model);
        }
        if (parts.mixer == Mixer::attention) {
            whole +=
                attention_norms(model) +
                (a.kind == AttentionKind::mla ? h * (a.q_lora_rank + a.kv_lora_rank + a.qk_rope_dim) : 0);
        }
        if (parts.ffn != Ffn::none) {
            whole += ffn_norms(model);
        }
        if (parts.ffn == Ffn::experts) {
            whole += model.moe.experts * h + latent_matrices(model);
        }
        return whole;
    }
    case BlockKind::mtp_projection:
        return block_parameters(model, block).sensitive;
    case BlockKind::head:
        return norm_weights(model, h);
    }
    return 0;
}

namespace {

/// Multiplied and added for one token: weights count once.
double mixer_products(const ModelArch& model, Mixer mixer, double keys) {
    switch (mixer) {
    case Mixer::attention:
        return static_cast<double>(attention_matrices(model)) +
               keys * static_cast<double>(query_dim(model.attention) + value_dim(model.attention));
    case Mixer::state_space: {
        // Seven operations for each channel and state, as Megatron-LM counts (training.py,
        // mamba_layer_flops): what the recurrence takes, and not the products in chunks that stand for it.
        const StateSpace& s = model.state_space;
        return static_cast<double>(state_space_matrices(model)) +
               7.0 / 2.0 * static_cast<double>(inner_width(s) * s.state);
    }
    case Mixer::none:
        break;
    }
    return 0.0;
}
double ffn_products(const ModelArch& model, Ffn ffn) {
    switch (ffn) {
    case Ffn::dense:
        return static_cast<double>(ffn_matrices(model, dense_ffn(model)));
    case Ffn::experts:
        return static_cast<double>(model.moe.top_k * ffn_matrices(model, expert_ffn(model)) +
                                   latent_matrices(model) + ffn_matrices(model, shared_ffn(model)));
    case Ffn::none:
        break;
    }
    return 0.0;
}

} // namespace

hw::Flops block_training_flops(const ModelArch& model, std::int64_t sequence, bool causal,
                               const Block& block) {
    const std::int64_t h = model.hidden;
    const auto trained = [](double products) { return hw::Flops(6.0 * products); };
    switch (block.kind) {
    case BlockKind::embedding:
        return hw::Flops(0.0);
    case BlockKind::dense_layer:
    case BlockKind::moe_layer: {
        const LayerParts parts = layer_parts(model, block.layer);
        const double keys = mean_keys(window_of(model, block.layer), sequence) * (causal ? 1.0 : 2.0);
        return trained(mixer_products(model, parts.mixer, keys) + ffn_products(model, parts.ffn));
    }
    case BlockKind::mtp_projection:
        return trained(2.0 * static_cast<double>(h * h));
    case BlockKind::head:
        return trained(static_cast<double>(model.vocabulary * h));
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
    std::int64_t layers = 0; // a state-space layer keeps a state for a whole sequence, whatever its length
    for (int layer = 0; layer < model.layers; ++layer) {
        layers += layer_parts(model, layer).mixer == Mixer::attention ? 1 : 0;
    }
    constexpr double kBf16 = 2.0;
    return hw::Bytes(kBf16 * static_cast<double>(layers * elements));
}

} // namespace chokepoint::work
