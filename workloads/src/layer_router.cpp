// SPDX-License-Identifier: Apache-2.0
// Kernels that choose a token's experts, and their backward: one small GEMM among dozens of tiny kernels.
#include "layer_parts.hpp"

namespace chokepoint::work {

using hw::KernelClass;

namespace {

/// Kernels between the gate's GEMM and the dispatch, and how often they read and write a tokens x experts
/// matrix of FP32 scores.
struct Passes {
    int launches, reads, writes;
};
struct Router {
    Passes forward, backward;
};

// Counted in DeepSeek's profile: sigmoid, normalisation, group top-k, masks, top-k, balance loss.
constexpr Router kLimited{{37, 11, 7}, {26, 16, 12}};
// Counted in Megatron-Core's operations for softmax and top-k without groups, with a balance loss (0.12,
// transformer/moe/router.py and moe_utils.py): scores and map of the choice, both again for the loss, and its
// sums.
constexpr Router kPlain{{24, 8, 8}, {10, 6, 5}};
// Transformer Engine's fused router (pytorch/router.py, 2.9): top-k with its scores, scores for the balance
// loss, the loss; each reads and writes such a matrix once, backward too.
constexpr Router kFused{{3, 3, 3}, {3, 3, 3}};

const Router& router(const LayerShape& shape) {
    if (shape.plan.fused_router) {
        return kFused;
    }
    return shape.model.moe.max_nodes > 0 ? kLimited : kPlain;
}

hw::Bytes scores(const LayerShape& shape) { return fp32_bytes(shape.shard * shape.model.moe.experts); }

/// The gate works in BF16 with FP32 results: DeepSeek-V3 report, arXiv 2412.19437, 3.3.1.
hw::Operator gate(std::string name, KernelClass kernel, std::int64_t m, std::int64_t n, std::int64_t k) {
    return hw::gemm(std::move(name), kernel, hw::DType::bf16, hw::Scaling::none, m, n, k);
}

/// Whole on every GPU, which applies it to its shard of the tokens.
Linear latent_down(const LayerShape& shape) {
    return {"latent down", shape.model.hidden, shape.expert_hidden, Rows::shard};
}

} // namespace

void add_router_forward(BlockKernels& block, const LayerShape& shape) {
    const ModelArch& model = shape.model;
    Operators& out = block.attention_forward;
    out.push_back(gate("router gate", KernelClass::gemm, shape.shard, model.moe.experts, model.hidden));
    const Passes& passes = router(shape).forward;
    out.push_back(hw::streaming("router top-k", KernelClass::router, passes.reads * scores(shape),
                                passes.writes * scores(shape), passes.launches));
    if (model.moe.latent > 0) {
        forward(out, shape, latent_down(shape));
    }
    if (shape.fp8) {
        out.push_back(quantize("dispatch payload", shape.shard, shape.expert_hidden));
    }
    if (arrives_per_expert(shape.plan)) {
        out.push_back(hw::streaming(
            "permute to send", KernelClass::permute, payload_bytes(shape, shape.shard, shape.expert_hidden),
            payload_bytes(shape, shape.shard * model.moe.top_k, shape.expert_hidden)));
    }
}

void add_router_backward(BlockKernels& block, const LayerShape& shape) {
    const ModelArch& model = shape.model;
    Operators& out = block.attention_backward;
    if (model.moe.latent > 0) {
        input_gradient(out, shape, latent_down(shape));
        weight_gradient_operands(out, shape, latent_down(shape));
        weight_gradient(block.attention_weight_gradient, shape, latent_down(shape));
    }
    // Element by element over the scores, at the speed of other scalings and sums; the forward's top-k is far
    // slower.
    const Passes& passes = router(shape).backward;
    out.push_back(hw::streaming("router backward", KernelClass::add, passes.reads * scores(shape),
                                passes.writes * scores(shape), passes.launches));
    out.push_back(gate("router gate dgrad", KernelClass::gemm, shape.shard, model.hidden, model.moe.experts));
    // Not deferred with the other weight gradients: the profile runs it here.
    out.push_back(
        gate("router gate wgrad", KernelClass::gemm_wgrad, model.moe.experts, model.hidden, shape.shard));
    out.push_back(add("sum ffn input gradients", shape.shard * model.hidden));
    if (shape.fp8) {
        // Of the FFN's output: what combine's backward sends to the experts.
        block.gradient_payload.push_back(
            quantize("gradient dispatch payload", shape.shard, shape.expert_hidden));
    }
}

} // namespace chokepoint::work
