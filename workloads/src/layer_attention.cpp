// SPDX-License-Identifier: Apache-2.0
// Kernels of the attention half of a layer: latent (MLA) or grouped-query, forward and backward.
#include "layer_attention_core.hpp"
#include "layer_parts.hpp"
#include "layer_tensor.hpp"

namespace chokepoint::work {

using hw::KernelClass;

namespace {

/// A parallel block sums the FFN's output with it and reduces both, and gathers their one gradient for the
/// FFN.
Linear output_projection(const LayerShape& shape) {
    const bool parallel = runs_parallel(shape.model);
    return {.name = "o",
            .in = shape.value_dim,
            .out = shape.model.hidden,
            .joins_forward = parallel,
            .joins_backward = parallel};
}

void output_forward(Operators& out, const LayerShape& shape) {
    const std::int64_t hidden = shape.shard * shape.model.hidden;
    if (shape.fp8) {
        out.push_back(hw::streaming("cache attention output", KernelClass::quantize,
                                    bf16_bytes(shape.tokens * shape.value_dim),
                                    attention_output_bytes(shape)));
    }
    row_forward(out, shape, output_projection(shape));
    if (shape.model.attention.kind == AttentionKind::mla) {
        out.push_back(pass("scale attention output", KernelClass::add, bf16_bytes(hidden)));
    }
}

void output_backward(Operators& out, const LayerShape& shape) {
    const std::int64_t hidden = shape.shard * shape.model.hidden;
    if (shape.model.attention.kind == AttentionKind::mla) {
        out.push_back(pass("scale attention gradient", KernelClass::add, bf16_bytes(hidden)));
    }
    if (shape.fp8) {
        out.push_back(hw::streaming("read attention output", KernelClass::quantize,
                                    attention_output_bytes(shape),
                                    bf16_bytes(shape.tokens * shape.value_dim)));
    }
    const Linear o = output_projection(shape);
    if (shape.plan.recompute.every_second_product) {
        out.push_back(product_again(shape, o));
    }
    row_input_gradient(out, shape, o);
    weight_gradient_operands(out, shape, o);
}

// ---- latent attention ----

/// The projections up are split by heads; those down are whole on every GPU, which applies them to its shard
/// of the tokens (Megatron-Core's MLASelfAttention).
struct LatentMaps {
    std::vector<Linear> query; ///< down and up, or one without a query rank
    Linear kv_down, kv_up;
    [[nodiscard]] bool compressed_query() const { return query.size() == 2; }
};

LatentMaps latent_maps(const LayerShape& shape) {
    const Attention& a = shape.model.attention;
    const std::int64_t h = shape.model.hidden;
    LatentMaps maps;
    if (a.q_lora_rank > 0) {
        maps.query = {{"q_a", h, a.q_lora_rank, Rows::shard}, {"q_b", a.q_lora_rank, shape.query_dim}};
    } else {
        maps.query = {{"q", h, shape.query_dim}};
    }
    maps.kv_down = {"kv_a", h, a.kv_lora_rank + a.qk_rope_dim, Rows::shard};
    maps.kv_up = {"kv_b", a.kv_lora_rank, std::int64_t{shape.heads} * (a.qk_nope_dim + a.v_dim)};
    return maps;
}

/// Width of what the projections up read.
std::int64_t latent_width(const LayerShape& shape) {
    const Attention& a = shape.model.attention;
    return a.q_lora_rank + a.kv_lora_rank + a.qk_rope_dim;
}

std::int64_t rope_elements(const LayerShape& shape, std::int64_t heads) {
    return shape.tokens * heads * shape.model.attention.qk_rope_dim;
}

/// Their inputs are kept, so that a backward may run them again.
void latent_norms(Operators& out, const LayerShape& shape, const std::string& prefix) {
    const Attention& a = shape.model.attention;
    if (a.q_lora_rank > 0) {
        out.push_back(norm(shape, prefix + "q latent norm", shape.shard, a.q_lora_rank));
    }
    out.push_back(norm(shape, prefix + "kv latent norm", shape.shard, a.kv_lora_rank));
}

/// From latents to q and k as the fused kernel takes them.
void latent_up(Operators& out, const LayerShape& shape, const LatentMaps& maps, const std::string& prefix,
               bool with_query) {
    const Attention& a = shape.model.attention;
    const auto renamed = [&](Linear linear) {
        linear.name = prefix + linear.name;
        return linear;
    };
    if (with_query) {
        forward(out, shape, renamed(maps.query.back()));
    }
    forward(out, shape, renamed(maps.kv_up));
    out.push_back(rotation(shape, prefix + "rope k", rope_elements(shape, 1)));
    const hw::Bytes nope = bf16_bytes(shape.tokens * shape.heads * a.qk_nope_dim);
    // Every head gets its own nope part and a copy of the one rope part.
    out.push_back(hw::streaming(prefix + "concatenate k", KernelClass::copy,
                                nope + bf16_bytes(rope_elements(shape, 1)),
                                nope + bf16_bytes(rope_elements(shape, shape.heads)), 2));
    if (with_query) {
        out.push_back(rotation(shape, prefix + "rope q", rope_elements(shape, shape.heads)));
    }
}

void latent_forward(Operators& out, const LayerShape& shape) {
    const LatentMaps maps = latent_maps(shape);
    if (maps.compressed_query()) {
        forward(out, shape, maps.query.front());
    }
    forward(out, shape, maps.kv_down);
    // The latent and the rope part of kv_a's output lie side by side: two copies, and two index vectors.
    out.push_back(pass("split kv latent", KernelClass::copy, bf16_bytes(shape.shard * maps.kv_down.out), 4));
    latent_norms(out, shape, "");
    gather_tokens(out, shape, "latents", latent_width(shape));
    if (!maps.compressed_query()) {
        gather_tokens(out, shape, "q input", shape.model.hidden);
    }
    latent_up(out, shape, maps, "", true);
    attention_core(out, shape);
}

/// Gradients of q, k and v back to the latents.
void latent_up_backward(Operators& out, const LayerShape& shape, const LatentMaps& maps) {
    const Attention& a = shape.model.attention;
    out.push_back(rotation(shape, "rope q backward", rope_elements(shape, shape.heads)));
    if (maps.compressed_query()) {
        input_gradient(out, shape, maps.query.back());
    }
    out.push_back(hw::streaming("sum k rope gradient", KernelClass::add,
                                bf16_bytes(rope_elements(shape, shape.heads)),
                                bf16_bytes(rope_elements(shape, 1))));
    out.push_back(rotation(shape, "rope k backward", rope_elements(shape, 1)));
    out.push_back(
        pass("concatenate kv gradient", KernelClass::copy, bf16_bytes(shape.tokens * maps.kv_up.out), 2));
    input_gradient(out, shape, maps.kv_up);
    weight_gradient_operands(out, shape, maps.kv_up);
    if (maps.compressed_query()) {
        weight_gradient_operands(out, shape, maps.query.back());
    }
    reduce_tokens(out, shape, "latent gradients", latent_width(shape));
    out.push_back(norm_backward(shape, "kv latent norm backward", shape.shard, a.kv_lora_rank, false));
    if (a.q_lora_rank > 0) {
        out.push_back(norm_backward(shape, "q latent norm backward", shape.shard, a.q_lora_rank, false));
    }
    // Two cleared tensors, two copies into them, one sum, each as wide as kv_a's output.
    const hw::Bytes latent = bf16_bytes(shape.shard * maps.kv_down.out);
    out.push_back(hw::streaming("join kv latent gradient", KernelClass::copy, 3.0 * latent, 4.0 * latent, 5));
}

void latent_backward(Operators& out, const LayerShape& shape) {
    const LatentMaps maps = latent_maps(shape);
    const Recompute& recompute = shape.plan.recompute;
    if (recompute.norm) {
        out.push_back(pass("recompute split kv latent", KernelClass::copy,
                           bf16_bytes(shape.shard * shape.model.attention.kv_lora_rank)));
        latent_norms(out, shape, "recompute ");
    }
    // The weight gradients of the projections up need the gathered latents in any case.
    gather_tokens(out, shape, "latents again", latent_width(shape));
    if (recompute.attention_up_projection) {
        latent_up(out, shape, maps, "recompute ", maps.compressed_query());
    }
    attention_core_backward(out, shape);
    latent_up_backward(out, shape, maps);
    if (recompute.norm) {
        out.push_back(norm(shape, "recompute attention norm", shape.shard, shape.model.hidden));
    }
    input_gradient(out, shape, maps.kv_down);
    weight_gradient_operands(out, shape, maps.kv_down);
    if (maps.compressed_query()) {
        input_gradient(out, shape, maps.query.front());
        weight_gradient_operands(out, shape, maps.query.front());
    } else {
        column_input_gradient(out, shape, maps.query.front());
        reduce_tokens(out, shape, "q input gradient", shape.model.hidden);
    }
    out.push_back(add("sum attention input gradients", shape.shard * shape.model.hidden));
}

void latent_weight_gradient(Operators& out, const LayerShape& shape) {
    const LatentMaps maps = latent_maps(shape);
    weight_gradient(out, shape, output_projection(shape));
    weight_gradient(out, shape, maps.kv_up);
    for (auto linear = maps.query.rbegin(); linear != maps.query.rend(); ++linear) {
        weight_gradient(out, shape, *linear);
    }
    weight_gradient(out, shape, maps.kv_down);
}

// ---- grouped-query and multi-head attention ----

/// The backward of a parallel block's FFN, which comes first, gathers the input that both read.
Linear qkv(const LayerShape& shape) {
    const Attention& a = shape.model.attention;
    return {.name = "qkv",
            .in = shape.model.hidden,
            .out = shape.query_dim + 2LL * shape.kv_heads * a.head_dim,
            .joins_backward = shape.shares_input()};
}

hw::Operator rope_qk(const LayerShape& shape, std::string name) {
    const Attention& a = shape.model.attention;
    return rotation(shape, std::move(name),
                    shape.tokens * std::int64_t{shape.heads + shape.kv_heads} * a.head_dim);
}

/// Rows of the norms that every head's query and key pass.
std::int64_t qk_norm_rows(const LayerShape& shape) { return shape.tokens * (shape.heads + shape.kv_heads); }

void grouped_forward(Operators& out, const LayerShape& shape) {
    column_forward(out, shape, qkv(shape));
    if (shape.model.attention.qk_norm) {
        out.push_back(norm(shape, "qk norm", qk_norm_rows(shape), shape.model.attention.head_dim));
    }
    if (shape.model.positions == 0) {
        out.push_back(rope_qk(shape, "rope"));
    }
    attention_core(out, shape);
}

void grouped_backward(Operators& out, const LayerShape& shape) {
    if (shape.plan.recompute.every_second_product) {
        const std::int64_t keys = std::int64_t{shape.kv_heads} * shape.model.attention.head_dim;
        out.push_back(product_again(shape, {"k", shape.model.hidden, keys}));
    }
    attention_core_backward(out, shape);
    if (shape.model.positions == 0) {
        out.push_back(rope_qk(shape, "rope backward"));
    }
    if (shape.model.attention.qk_norm) {
        out.push_back(norm_backward(shape, "qk norm backward", qk_norm_rows(shape),
                                    shape.model.attention.head_dim, false));
    }
    if (shape.plan.recompute.norm) {
        out.push_back(norm(shape, "recompute attention norm", shape.shard, shape.model.hidden));
    }
    column_input_gradient(out, shape, qkv(shape));
    if (shape.shares_input()) {
        out.push_back(add("sum block input gradients", shape.tokens * shape.model.hidden));
    }
    reduce_input_gradient(out, shape, "qkv input", shape.model.hidden);
}

} // namespace

void add_attention(BlockKernels& block, const LayerShape& shape) {
    const bool latent = shape.model.attention.kind == AttentionKind::mla;
    Operators& fwd = block.attention_forward;
    fwd.push_back(norm_with_residual(shape, "attention norm", shape.shard, shape.model.hidden));
    if (latent) {
        latent_forward(fwd, shape);
    } else {
        grouped_forward(fwd, shape);
    }
    output_forward(fwd, shape);
    norm_behind(fwd, shape, "attention");

    Operators& bwd = block.attention_backward;
    norm_behind_backward(bwd, shape, "attention");
    output_backward(bwd, shape);
    if (latent) {
        latent_backward(bwd, shape);
    } else {
        grouped_backward(bwd, shape);
    }
    Operators& last = shape.tensor == 1 || latent ? bwd : block.input_norm_backward;
    last.push_back(norm_backward(shape, "attention norm backward", shape.shard, shape.model.hidden, true));

    Operators& weights = block.attention_weight_gradient;
    if (latent) {
        latent_weight_gradient(weights, shape);
    } else {
        weight_gradient(weights, shape, output_projection(shape));
        weight_gradient(weights, shape, qkv(shape));
    }
}

} // namespace chokepoint::work
