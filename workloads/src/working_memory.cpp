// SPDX-License-Identifier: Apache-2.0
// Finds the moment at which a rank needs most beside what it keeps.
#include "working_memory.hpp"

#include "layer_shape.hpp"
#include "step/units.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace chokepoint::work {
namespace {

bool has(const std::vector<Block>& blocks, BlockKind kind) {
    return std::ranges::count(blocks, kind, &Block::kind) > 0;
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

void add_ffn_shapes(Shapes& shapes, const LayerShape& shape, std::int64_t width) {
    if (width > 0) {
        shapes.insert({shape.ffn_inputs * width, shape.model.hidden});
        shapes.insert({shape.model.hidden, width});
    }
}

Shapes weight_shapes(const LayerShape& shape, const std::vector<Block>& blocks) {
    Shapes shapes;
    if (!layers_of(blocks).empty()) {
        add_attention_shapes(shapes, shape);
    }
    if (has(blocks, BlockKind::dense_layer)) {
        add_ffn_shapes(shapes, shape, shape.ffn_width);
    }
    if (has(blocks, BlockKind::moe_layer)) {
        add_ffn_shapes(shapes, shape, shape.expert_width);
        add_ffn_shapes(shapes, shape, shape.shared_width);
    }
    return shapes;
}

/// Weight gradients in BF16 beside the accumulated ones. Kernels that add in place still hand autograd a
/// tensor of the gradient's size: Transformer Engine keeps one for each shape of weight over the whole run
/// (module/base.py, get_dummy_wgrad), Megatron-LM makes one for the head whenever its backward runs
/// (tensor_parallel/layers.py). FSDP has the largest one for real until it is reduced. DeepSeek's own
/// software is taken to have none.
struct WeightGradients {
    hw::Bytes always, in_layer, in_head;
};

WeightGradients weight_gradients(const LayerShape& shape, const std::vector<Block>& blocks) {
    if (shape.fp8) {
        return {};
    }
    WeightGradients bytes;
    for (const auto& [rows, columns] : weight_shapes(shape, blocks)) {
        const hw::Bytes one = bf16_bytes(rows * columns);
        if (shape.plan.zero >= 3) {
            bytes.in_layer = std::max(bytes.in_layer, one);
        } else {
            bytes.always += one;
        }
    }
    if (has(blocks, BlockKind::head)) {
        bytes.in_head = bf16_bytes(shape.model.hidden * shape.vocabulary);
    }
    return bytes;
}

/// Tensors that live within one layer's forward or backward.
hw::Bytes within_layer(const LayerShape& shape, const std::vector<Block>& blocks) {
    const std::int64_t h = shape.model.hidden;
    hw::Bytes layer;
    if (has(blocks, BlockKind::moe_layer)) {
        const hw::Bytes staging =
            payload_bytes(shape, shape.arrived_rows, h) + bf16_bytes(shape.arrived_rows * h);
        const hw::Bytes rows = payload_bytes(shape, shape.routed_rows, h) +
                               bf16_bytes(shape.routed_rows * (shape.ffn_inputs * shape.expert_width + h));
        layer = staging + rows;
    }
    if (has(blocks, BlockKind::dense_layer)) {
        layer = std::max(layer, bf16_bytes(shape.tokens * shape.ffn_inputs * shape.ffn_width));
    }
    // q, k and v; in the backward also their gradients and q's in FP32.
    const hw::Bytes qkv = bf16_bytes(shape.tokens * (2 * shape.query_dim + shape.value_dim));
    return std::max(layer, qkv + fp32_bytes(shape.tokens * shape.query_dim));
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

/// What two copies of offloaded layers hold on their way.
hw::Bytes copies_under_way(const ModelArch& model, const ParallelPlan& plan,
                           const std::vector<Block>& blocks) {
    if (plan.offload_layers == 0) {
        return {};
    }
    const std::vector<hw::Bytes> kept = kept_activations(model, plan, layers_of(blocks));
    return kept.empty() ? hw::Bytes() : 2.0 * std::ranges::max(kept);
}

/// Two blocks' whole parameters, the one that computes and the one fetched ahead, in BF16.
hw::Bytes gathered_parameters(const ModelArch& model, const ParallelPlan& plan,
                              const std::vector<Block>& blocks) {
    if (plan.zero < 3) {
        return {};
    }
    std::int64_t most = 0;
    for (const Block& block : blocks) {
        const StageParameters held = stage_parameters(model, plan, {block});
        most = std::max(most, held.expert + held.replicated);
    }
    return 2.0 * bf16_bytes(most);
}

} // namespace

hw::Bytes working_bytes(const ModelArch& model, const ParallelPlan& plan, const std::vector<Block>& blocks,
                        bool overlapped) {
    const LayerShape shape = layer_shape(model, plan);
    const WeightGradients gradients = weight_gradients(shape, blocks);
    const hw::Bytes layer = within_layer(shape, blocks);
    const hw::Bytes again =
        plan.recompute.layer ? largest_piece(model, plan, blocks, plan.recompute_every) : hw::Bytes();
    const hw::Bytes in_layer = (overlapped ? 2.0 : 1.0) * layer + again + gradients.in_layer;
    hw::Bytes in_head;
    if (has(blocks, BlockKind::head)) {
        // Logits and their gradient; the head's backward follows its forward, so one micro-batch has them. In
        // a pair, the other side's layers run beside.
        in_head = 2.0 * bf16_bytes(shape.tokens * shape.vocabulary) + gradients.in_head +
                  (overlapped ? layer + again : hw::Bytes());
    }
    return gradients.always + std::max(in_layer, in_head) + copies_under_way(model, plan, blocks) +
           gathered_parameters(model, plan, blocks);
}

} // namespace chokepoint::work
