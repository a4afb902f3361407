// SPDX-License-Identifier: Apache-2.0
// Finds the moment at which a rank needs most beside what it keeps.
#include "working_memory.hpp"

#include "layer_shape.hpp"
#include "step/units.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>
#include <utility>

namespace chokepoint::work {
namespace {

bool has(const std::vector<Block>& blocks, BlockKind kind) {
    return std::ranges::count(blocks, kind, &Block::kind) > 0;
}

/// What the layers among the blocks have, any of them.
struct PartsPresent {
    bool attention = false, state_space = false, dense_ffn = false, experts = false;
};
PartsPresent parts_of(const ModelArch& model, const std::vector<Block>& blocks) {
    PartsPresent present;
    for (const Block& layer : layers_of(blocks)) {
        const LayerParts parts = layer_parts(model, layer.layer);
        present.attention = present.attention || parts.mixer == Mixer::attention;
        present.state_space = present.state_space || parts.mixer == Mixer::state_space;
        present.dense_ffn = present.dense_ffn || parts.ffn == Ffn::dense;
        present.experts = present.experts || parts.ffn == Ffn::experts;
    }
    return present;
}

/// Rows and columns of the weights that one GPU multiplies with, each shape once.
using Shapes = std::set<std::pair<std::int64_t, std::int64_t>>;

void add_attention_shapes(Shapes& shapes, const LayerShape& shape) {
    const Attention& a = shape.model.attention;
    const std::int64_t h = shape.model.hidden;
    if (a.kind == AttentionKind::mla) {
        if (a.q_lora_rank > 0) {
            shapes.insert({a.q_lora_rank, h});
        }
        shapes.insert({shape.query_dim, a.q_lora_rank > 0 ? a.q_lora_rank : h});
        shapes.insert({a.kv_lora_rank + a.qk_rope_dim, h});
        shapes.insert({std::int64_t{shape.heads} * (a.qk_nope_dim + a.v_dim), a.kv_lora_rank});
    } else {
        shapes.insert({shape.query_dim + 2LL * shape.kv_heads * a.head_dim, h}); // one fused product
    }
    shapes.insert({h, shape.value_dim});
}

void add_ffn_shapes(Shapes& shapes, const LayerShape& shape, std::int64_t hidden, std::int64_t width) {
    if (width > 0) {
        shapes.insert({shape.ffn_inputs * width, hidden});
        shapes.insert({hidden, width});
    }
}

Shapes weight_shapes(const LayerShape& shape, const std::vector<Block>& blocks) {
    const std::int64_t h = shape.model.hidden;
    const PartsPresent parts = parts_of(shape.model, blocks);
    Shapes shapes;
    if (parts.attention) {
        add_attention_shapes(shapes, shape);
    }
    if (parts.state_space) {
        shapes.insert({shape.state_space.projected, h});
        shapes.insert({h, shape.state_space.inner});
    }
    if (parts.dense_ffn) {
        add_ffn_shapes(shapes, shape, h, shape.ffn_width);
    }
    if (parts.experts) {
        add_ffn_shapes(shapes, shape, shape.expert_hidden, shape.expert_width);
        add_ffn_shapes(shapes, shape, h, shape.shared_width);
        if (shape.expert_hidden != h) {
            shapes.insert({shape.expert_hidden, h});
            shapes.insert({h, shape.expert_hidden});
        }
    }
    return shapes;
}

std::int64_t parameters_of(const ModelArch& model, const ParallelPlan& plan,
                           const std::vector<Block>& blocks) {
    const StageParameters held = stage_parameters(model, plan, blocks);
    return held.expert + held.replicated;
}

std::int64_t largest_layer(const ModelArch& model, const ParallelPlan& plan,
                           const std::vector<Block>& blocks) {
    std::int64_t most = 0;
    for (const Block& layer : layers_of(blocks)) {
        most = std::max(most, parameters_of(model, plan, {layer}));
    }
    return most;
}

/// Weight gradients in BF16 beside the accumulated ones. Kernels that add in place still hand autograd a
/// tensor of the gradient's size: Transformer Engine keeps one for each shape of weight over the whole run
/// (module/base.py, get_dummy_wgrad), Megatron-LM makes one for the head whenever its backward runs
/// (tensor_parallel/layers.py). FSDP has a layer's for real, and what it reduces them from, until they are
/// reduced. DeepSeek's own software is taken to have none.
struct WeightGradients {
    hw::Bytes always, in_layer, in_head;
};

WeightGradients weight_gradients(const LayerShape& shape, const std::vector<Block>& blocks) {
    if (shape.fp8) {
        return {};
    }
    WeightGradients bytes;
    for (const auto& [rows, columns] : weight_shapes(shape, blocks)) {
        bytes.always += shape.plan.zero >= 3 ? hw::Bytes() : bf16_bytes(rows * columns);
    }
    if (shape.plan.zero >= 3) {
        const std::int64_t layer = largest_layer(shape.model, shape.plan, blocks);
        bytes.in_layer =
            bf16_bytes(layer) + static_cast<double>(layer) * hw::element_bytes(shape.plan.gradient_dtype);
    }
    if (has(blocks, BlockKind::head)) {
        bytes.in_head = bf16_bytes(shape.model.hidden * shape.vocabulary);
    }
    return bytes;
}

/// Of an attention's forward and backward.
hw::Bytes within_attention(const LayerShape& shape) {
    // q, k and v; in the backward also their gradients and q's in FP32.
    const hw::Bytes qkv = bf16_bytes(shape.tokens * (2 * shape.query_dim + shape.value_dim));
    if (shape.plan.attention_kernel == AttentionKernel::unfused) {
        // The gradient of all pairs, which the softmax's backward overwrites; with dropout the one behind it.
        const double each = shape.plan.dropout ? 2.0 + 2.0 : 2.0;
        const auto pairs = static_cast<double>(shape.tokens * shape.plan.sequence * shape.heads);
        return qkv + hw::Bytes(each * pairs);
    }
    return qkv + fp32_bytes(shape.tokens * shape.query_dim);
}

/// Of a state-space mixer's backward: gradients of the projection's output and of what the convolution made,
/// that itself, the output's gradient, and all chunks' states and their gradients in both formats.
hw::Bytes within_state_space(const LayerShape& shape) {
    const StateSpaceShape& s = shape.state_space;
    return bf16_bytes(shape.tokens * (s.projected + 2 * s.convolved + s.inner)) + 2.0 * fp32_bytes(s.states) +
           2.0 * bf16_bytes(s.states);
}

hw::Bytes within_experts(const LayerShape& shape) {
    const std::int64_t h = shape.expert_hidden;
    const hw::Bytes staging =
        payload_bytes(shape, shape.arrived_rows, h) + bf16_bytes(shape.arrived_rows * h);
    const hw::Bytes rows = payload_bytes(shape, shape.routed_rows, h) +
                           bf16_bytes(shape.routed_rows * (shape.ffn_inputs * shape.expert_width + h));
    return staging + rows;
}

/// Tensors that live within one layer's forward or backward.
hw::Bytes within_layer(const LayerShape& shape, const std::vector<Block>& blocks) {
    const PartsPresent parts = parts_of(shape.model, blocks);
    hw::Bytes most;
    const auto reach = [&](bool present, hw::Bytes bytes) { most = present ? std::max(most, bytes) : most; };
    reach(parts.experts, within_experts(shape));
    reach(parts.dense_ffn, bf16_bytes(shape.tokens * shape.ffn_inputs * shape.ffn_width));
    reach(parts.attention, within_attention(shape));
    reach(parts.state_space, within_state_space(shape));
    return most;
}

/// The most that a piece of `count` layers needs, whose backwards follow at once.
hw::Bytes largest_piece(const ModelArch& model, const ParallelPlan& plan, const std::vector<Block>& blocks,
                        int count) {
    const std::vector<Block> layers = layers_of(blocks);
    std::vector<hw::Bytes> bytes;
    for (const Block& layer : layers) {
        bytes.push_back(activation_bytes(model, plan, layer));
    }
    hw::Bytes most;
    for (std::size_t first = 0; first < bytes.size(); first += static_cast<std::size_t>(count)) {
        const std::size_t end = std::min(first + static_cast<std::size_t>(count), bytes.size());
        most = std::max(most, std::accumulate(bytes.begin() + static_cast<std::ptrdiff_t>(first),
                                              bytes.begin() + static_cast<std::ptrdiff_t>(end), hw::Bytes()));
    }
    return most;
}

/// What a layer's backward has computed again before it begins.
hw::Bytes run_again(const ModelArch& model, const ParallelPlan& plan, const std::vector<Block>& blocks) {
    if (plan.recompute.layer) {
        return largest_piece(model, plan, blocks, plan.recompute_every);
    }
    if (!plan.recompute.every_second_product) {
        return {};
    }
    ParallelPlan all = plan;
    all.recompute = {};
    return largest_piece(model, all, blocks, 1) - largest_piece(model, plan, blocks, 1);
}

/// What two copies of offloaded layers hold on their way.
hw::Bytes copies_under_way(const ModelArch& model, const ParallelPlan& plan,
                           const std::vector<Block>& blocks) {
    if (plan.offload_layers == 0) {
        return {};
    }
    const std::vector<hw::Bytes> kept = kept_activations(model, plan, layers_of(blocks));
    return kept.empty() ? hw::Bytes() : 2.0 * std::ranges::max(kept);
}

/// Whole parameters in BF16: of two layers, the one that computes and the one fetched ahead, and of the root
/// (embedding and head), which FSDP gathers once and keeps for the backward.
hw::Bytes gathered_parameters(const ModelArch& model, const ParallelPlan& plan,
                              const std::vector<Block>& blocks) {
    if (plan.zero < 3) {
        return {};
    }
    std::vector<Block> root;
    std::ranges::copy_if(blocks, std::back_inserter(root), [](const Block& b) { return !is_layer(b.kind); });
    return bf16_bytes(parameters_of(model, plan, root) + 2 * largest_layer(model, plan, blocks));
}

/// What the loss holds for each of the head's logits.
struct LogitBytes {
    double most = 0.0; ///< at its fullest moment
    double kept = 0.0; ///< until the backward
};

LogitBytes logit_bytes(CrossEntropy kernel, bool shared) {
    switch (kernel) {
    case CrossEntropy::fused:
        return {.most = 2.0 + 2.0, .kept = 2.0}; // logits and their gradient
    case CrossEntropy::in_place:
        // Logits and the FP32 copy that becomes softmax and gradient; later that and the gradient in 16 bits
        // (Megatron-LM, tensor_parallel/cross_entropy.py).
        return {.most = 2.0 + 4.0, .kept = 4.0};
    case CrossEntropy::compiled:
        return {.most = 2.0 + 4.0 + 4.0, .kept = 4.0};
    case CrossEntropy::eager:
        // Logarithm of the softmax, and the gradients behind and in front of it. Of a vocabulary that is
        // shared out, its exponential and a sum too (torch/distributed/tensor/parallel/loss.py).
        return {.most = shared ? 16.0 : 12.0, .kept = 4.0};
    }
    return {};
}

/// Logits, or the head's backward, which has their gradient and its own weight's. It follows its forward, so
/// one micro-batch has them; MTP's losses come in front and wait for their backward.
hw::Bytes head_bytes(const LayerShape& shape, hw::Bytes weight_gradient) {
    const auto logits = static_cast<double>(shape.tokens * shape.vocabulary);
    const auto [most, kept] = logit_bytes(shape.plan.cross_entropy, shape.tensor > 1);
    hw::Bytes waiting(shape.model.mtp_modules * kept * logits);
    if (shape.plan.zero >= 3 && shape.scattered()) {
        // PyTorch's tensor parallelism keeps the head's gathered input; Megatron-LM gathers it again.
        waiting += bf16_bytes(shape.tokens * shape.model.hidden);
    }
    if (shape.plan.cross_entropy == CrossEntropy::fused) {
        return waiting + hw::Bytes(most * logits) + weight_gradient;
    }
    return waiting + std::max(hw::Bytes(most * logits), hw::Bytes(2.0 * logits) + weight_gradient);
}

/// What cuBLAS works in, on Hopper and later: 32 MiB for each host thread that starts products, forward and
/// autograd's (PyTorch, aten/src/ATen/cuda/CublasHandlePool.cpp); as much of Transformer Engine's own, and
/// four for products that are grouped, one a stream (cpp_extensions/gemm.py,
/// get_cublas_workspace_size_bytes).
hw::Bytes workspaces(const std::vector<Block>& blocks) {
    constexpr hw::Bytes kOne{32.0 * 1024.0 * 1024.0};
    return (has(blocks, BlockKind::moe_layer) ? 3.0 + 4.0 : 3.0) * kOne;
}

} // namespace

hw::Bytes stranded_bytes(const ModelArch& model, const ParallelPlan& plan, const std::vector<Block>& blocks) {
    const LayerShape shape = layer_shape(model, plan);
    const bool eager = plan.cross_entropy == CrossEntropy::eager && has(blocks, BlockKind::head);
    return eager ? bf16_bytes(shape.tokens * shape.vocabulary) : hw::Bytes();
}

hw::Bytes working_bytes(const ModelArch& model, const ParallelPlan& plan, const std::vector<Block>& blocks,
                        bool overlapped) {
    const LayerShape shape = layer_shape(model, plan);
    const WeightGradients gradients = weight_gradients(shape, blocks);
    const hw::Bytes layer = within_layer(shape, blocks);
    const hw::Bytes again = run_again(model, plan, blocks);
    const hw::Bytes in_layer = (overlapped ? 2.0 : 1.0) * layer + again + gradients.in_layer;
    hw::Bytes in_head;
    if (has(blocks, BlockKind::head)) {
        // In a pair, the other side's layers run beside.
        in_head = head_bytes(shape, gradients.in_head) + (overlapped ? layer + again : hw::Bytes());
    }
    return workspaces(blocks) + gradients.always + std::max(in_layer, in_head) +
           copies_under_way(model, plan, blocks) + gathered_parameters(model, plan, blocks);
}

} // namespace chokepoint::work
