// SPDX-License-Identifier: Apache-2.0
// The kernels of every kind of block, and what a block sends to others.
#include "layer_eager.hpp"
#include "layer_parts.hpp"
#include "layer_tensor.hpp"
#include "loss.hpp"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace chokepoint::work {

using hw::KernelClass;

namespace {

// Embedding, output head and the projection of MTP stay in BF16: DeepSeek-V3 report, arXiv 2412.19437, 3.3.1.
hw::Operator bf16_gemm(std::string name, KernelClass kernel, std::int64_t m, std::int64_t n, std::int64_t k) {
    return hw::gemm(std::move(name), kernel, hw::DType::bf16, hw::Scaling::none, m, n, k);
}

hw::Operator lookup(const LayerShape& shape) {
    return pass("embedding lookup", KernelClass::embedding, bf16_bytes(shape.tokens * shape.model.hidden));
}

/// Rows added into the FP32 gradient of the table.
hw::Operator lookup_gradient(const LayerShape& shape) {
    const std::int64_t elements = shape.tokens * shape.model.hidden;
    return hw::streaming("embedding gradient", KernelClass::embedding,
                         bf16_bytes(elements) + fp32_bytes(elements), fp32_bytes(elements));
}

BlockKernels embedding(const LayerShape& shape) {
    BlockKernels block;
    // Each GPU looks up the part of the vocabulary that it holds.
    block.attention_forward.push_back(lookup(shape));
    reduce_tokens(block.attention_forward, shape, "embedding", shape.model.hidden);
    gather_tokens(block.attention_weight_gradient, shape, "embedding gradient", shape.model.hidden);
    block.attention_weight_gradient.push_back(lookup_gradient(shape));
    return block;
}

/// A layer's mixer and FFN, of which it may lack one; each has a norm in front.
BlockKernels layer(const LayerShape& shape) {
    const auto [mixer, ffn] = shape.parts;
    const bool moe = ffn == Ffn::experts;
    BlockKernels block;
    if (moe) {
        add_router_backward(block, shape);
    }
    // A parallel block with one norm runs it in front of attention.
    const bool has_ffn_norm = ffn != Ffn::none && !shape.shares_input();
    if (has_ffn_norm) {
        block.attention_backward.push_back(
            norm_backward(shape, "ffn norm backward", shape.shard, shape.model.hidden, true));
    }
    if (mixer == Mixer::attention) {
        add_attention(block, shape);
    } else if (mixer == Mixer::state_space) {
        add_state_space(block, shape);
    }
    if (has_ffn_norm) {
        const std::int64_t h = shape.model.hidden;
        block.attention_forward.push_back(runs_parallel(shape.model)
                                              ? norm(shape, "ffn norm", shape.shard, h)
                                              : norm_with_residual(shape, "ffn norm", shape.shard, h));
    }
    if (moe) {
        add_router_forward(block, shape);
        add_moe_ffn(block, shape);
    } else if (ffn == Ffn::dense) {
        add_dense_ffn(block, shape);
    }
    block.routed = moe && shape.plan.expert > 1;
    if (!block.routed) { // nothing is sent, and the FFN's backward quantises for itself
        block.ffn_backward.prepend(block.gradient_payload.operators);
        block.gradient_payload = {};
    }
    return block;
}

BlockKernels mtp_projection(const LayerShape& shape) {
    const std::int64_t t = shape.shard; // the projection is whole on every GPU
    const std::int64_t h = shape.model.hidden;
    const auto add_joined_inputs = [&](Operators& out, const std::string& prefix) {
        out.push_back(norm(shape, prefix + "mtp hidden norm", t, h));
        out.push_back(norm(shape, prefix + "mtp embedding norm", t, h));
        out.push_back(pass(prefix + "mtp concatenate", KernelClass::copy, bf16_bytes(2 * t * h)));
    };
    BlockKernels block;
    block.attention_forward.push_back(lookup(shape));
    reduce_tokens(block.attention_forward, shape, "mtp embedding", h);
    add_joined_inputs(block.attention_forward, "");
    block.attention_forward.push_back(bf16_gemm("mtp projection", KernelClass::gemm, t, h, 2 * h));
    Operators& bwd = block.attention_backward;
    if (shape.plan.recompute.norm) {
        add_joined_inputs(bwd, "recompute ");
    }
    bwd.push_back(bf16_gemm("mtp projection dgrad", KernelClass::gemm, t, 2 * h, h));
    bwd.push_back(norm_backward(shape, "mtp embedding norm backward", t, h, false));
    bwd.push_back(norm_backward(shape, "mtp hidden norm backward", t, h, true));
    Operators& weights = block.attention_weight_gradient;
    weights.push_back(
        into_gradients(shape, bf16_gemm("mtp projection wgrad", KernelClass::gemm_wgrad, h, 2 * h, t)));
    gather_tokens(weights, shape, "mtp embedding gradient", h);
    weights.push_back(lookup_gradient(shape));
    return block;
}

/// Maximum, sum and the target's logit of every row, over the parts of the vocabulary.
void reduce_row_statistics(Operators& out, const LayerShape& shape) {
    if (shape.tensor > 1) {
        out.transfer({.name = "reduce cross-entropy",
                      .kind = TransferKind::all_reduce,
                      .bytes = 3.0 * fp32_bytes(shape.tokens)});
    }
}

BlockKernels head(const LayerShape& shape) {
    const std::int64_t t = shape.tokens;
    const std::int64_t h = shape.model.hidden;
    const std::int64_t vocabulary = shape.vocabulary;
    BlockKernels block;
    Operators& fwd = block.attention_forward;
    fwd.push_back(norm_with_residual(shape, "final norm", shape.shard, h));
    gather_tokens(fwd, shape, "head input", h);
    fwd.push_back(bf16_gemm("head", KernelClass::gemm, t, vocabulary, h));
    reduce_row_statistics(fwd, shape);
    Operators& bwd = block.attention_backward;
    fwd.push_back(loss(shape, t * vocabulary));
    bwd.push_back(loss_backward(shape, t * vocabulary));
    bwd.push_back(bf16_gemm("head dgrad", KernelClass::gemm, t, h, vocabulary));
    reduce_tokens(bwd, shape, "head input gradient", h);
    if (shape.plan.recompute.norm) {
        bwd.push_back(norm(shape, "recompute final norm", shape.shard, h));
    }
    bwd.push_back(norm_backward(shape, "final norm backward", shape.shard, h, false));
    Operators& weights = block.attention_weight_gradient;
    gather_tokens(weights, shape, "head input again", h);
    weights.push_back(
        into_gradients(shape, bf16_gemm("head wgrad", KernelClass::gemm_wgrad, vocabulary, h, t)));
    return block;
}

} // namespace

std::string_view name(BlockKind kind) {
    switch (kind) {
    case BlockKind::embedding:
        return "embedding";
    case BlockKind::dense_layer:
        return "dense layer";
    case BlockKind::moe_layer:
        return "moe layer";
    case BlockKind::mtp_projection:
        return "mtp projection";
    case BlockKind::head:
        return "head";
    }
    return "?";
}

BlockKernels block_kernels(const ModelArch& model, const ParallelPlan& plan, const Block& block) {
    const LayerShape shape = layer_shape(model, plan, block);
    switch (block.kind) {
    case BlockKind::embedding:
        return embedding(shape);
    case BlockKind::dense_layer:
    case BlockKind::moe_layer:
        return layer(shape);
    case BlockKind::mtp_projection:
        return mtp_projection(shape);
    case BlockKind::head:
        return head(shape);
    }
    throw std::logic_error(fmt::format("block of unknown kind {}", static_cast<int>(block.kind)));
}

hw::Bytes dispatch_bytes_per_token(const ModelArch& model, const ParallelPlan& plan) {
    const std::int64_t width = expert_hidden(model);
    return plan.precision == Precision::fp8_block ? fp8_bytes(1, width) : bf16_bytes(width);
}

hw::Bytes combine_bytes_per_token(const ModelArch& model, const ParallelPlan&) {
    return bf16_bytes(expert_hidden(model));
}

hw::Bytes boundary_bytes(const ModelArch& model, const ParallelPlan& plan) {
    // Without scattered sequences the tensor-parallel GPUs still send a share each, and gather it behind the
    // boundary (Megatron-LM's scatter-gather optimisation, arXiv 2104.04473, 4.1).
    return bf16_bytes(plan.local_tokens() / plan.tensor * model.hidden);
}

} // namespace chokepoint::work
