// SPDX-License-Identifier: Apache-2.0
// Derives the sizes of a block's kernels from model and plan.
#include "layer_shape.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

namespace chokepoint::work {
namespace {

constexpr std::int64_t kScaleBlock = 128; // elements per scale: DeepSeek-V3 report, arXiv 2412.19437, 3.3.2

/// Distinct ranks that a token's experts lie on, as the transfer model expects them.
double distinct_ranks(const Moe& moe, int expert_ranks, int gpus_per_node) {
    const int per_node = std::min(expert_ranks, gpus_per_node);
    const bool whole_nodes = expert_ranks % per_node == 0;
    return hw::expected_spread({.experts = moe.experts,
                                .top_k = moe.top_k,
                                .ranks = expert_ranks,
                                .ranks_per_node = whole_nodes ? per_node : expert_ranks,
                                .max_nodes = whole_nodes ? moe.max_nodes : 0})
        .ranks;
}

std::int64_t share(std::int64_t whole, int ranks, std::string_view by, std::string_view what) {
    if (ranks < 1 || whole % ranks != 0) {
        throw std::invalid_argument(fmt::format("{} ({}) does not divide {} ({})", by, ranks, what, whole));
    }
    return whole / ranks;
}

void add_experts(LayerShape& shape) {
    const Moe& moe = shape.model.moe;
    const int ranks = shape.plan.expert;
    if (ranks < 1 || moe.experts % ranks != 0) {
        throw std::invalid_argument(
            fmt::format("expert parallelism ({}) does not divide the {} experts of a layer of {}", ranks,
                        moe.experts, shape.model.id));
    }
    shape.local_experts = moe.experts / ranks;
    shape.expert_width = share(moe.ffn_hidden, shape.plan.expert_tensor, "expert_tensor", "an expert's FFN");
    shape.shared_width = share(shared_ffn_hidden(moe), shape.tensor, "tensor", "the shared experts' FFN");
    // Balanced: each of the group's ranks sends out tokens x top_k rows and receives as many. GPUs that share
    // an expert's matrices see each other's rows too.
    const std::int64_t sent = shape.shard * shape.plan.expert_tensor;
    // With a capacity every expert's rows are cut or padded to that many.
    const double rows = shape.plan.capacity_factor > 0.0 ? shape.plan.capacity_factor : 1.0;
    shape.routed_rows = std::llround(rows * static_cast<double>(sent * moe.top_k));
    shape.arrived_rows =
        arrives_per_expert(shape.plan) ? shape.routed_rows
        : ranks == 1
            ? sent
            : std::llround(static_cast<double>(sent) * distinct_ranks(moe, ranks, shape.plan.gpus_per_node));
}

void add_state_space_heads(LayerShape& shape) {
    const StateSpace& s = shape.model.state_space;
    if (s.heads == 0) {
        return;
    }
    StateSpace local = s;
    local.heads = static_cast<int>(share(s.heads, shape.tensor, "tensor", "state-space heads"));
    local.groups = static_cast<int>(share(s.groups, shape.tensor, "tensor", "state-space groups"));
    const std::int64_t chunks = (shape.tokens + s.chunk - 1) / s.chunk;
    shape.state_space = {.heads = local.heads,
                         .groups = local.groups,
                         .inner = inner_width(local),
                         .convolved = convolved_width(local),
                         .projected = projected_width(local),
                         .states = chunks * inner_width(local) * s.state};
}

void add_attention_heads(LayerShape& shape) {
    const Attention& a = shape.model.attention;
    const bool latent = a.kind == AttentionKind::mla;
    shape.heads = static_cast<int>(share(a.heads, shape.tensor, "tensor", "attention heads"));
    // Fewer key-value heads than GPUs: each GPU keeps a copy of the one that its query heads need.
    shape.kv_heads = latent ? shape.heads
                     : a.kv_heads <= shape.tensor
                         ? 1
                         : static_cast<int>(share(a.kv_heads, shape.tensor, "tensor", "key-value heads"));
    shape.head_qk = latent ? a.qk_nope_dim + a.qk_rope_dim : a.head_dim;
    shape.head_v = latent ? a.v_dim : a.head_dim;
    shape.query_dim = std::int64_t{shape.heads} * shape.head_qk;
    shape.value_dim = std::int64_t{shape.heads} * shape.head_v;
}

} // namespace

LayerShape layer_shape(const ModelArch& model, const ParallelPlan& plan, const Block& block) {
    LayerShape shape{.model = model,
                     .plan = plan,
                     .parts = layer_parts(model, block.layer),
                     .window = window_of(model, block.layer)};
    shape.tensor = plan.tensor;
    shape.tokens = share(plan.micro_batch_tokens(), plan.context, "context", "a micro-batch's tokens");
    shape.shard = plan.sequence_parallel
                      ? share(shape.tokens, plan.tensor, "tensor", "a micro-batch's tokens")
                      : shape.tokens;
    shape.fp8 = plan.precision == Precision::fp8_block;
    shape.cast = !shape.fp8 && plan.precision != Precision::bf16 && plan.precision != Precision::fp16;
    add_attention_heads(shape);
    add_state_space_heads(shape);
    shape.expert_hidden = expert_hidden(model);
    shape.ffn_inputs = model.gated_ffn ? 2 : 1;
    shape.ffn_width = share(model.dense_ffn_hidden, plan.tensor, "tensor", "a dense layer's FFN");
    // Padded to a multiple, as Megatron-LM does.
    shape.vocabulary = (model.vocabulary + plan.tensor - 1) / plan.tensor;
    if (model.moe.experts > 0) {
        add_experts(shape);
    }
    return shape;
}

bool arrives_per_expert(const ParallelPlan& plan) {
    return plan.expert > 1 && plan.dispatcher == Dispatcher::all_to_all;
}

hw::Bytes bf16_bytes(std::int64_t elements) { return hw::Bytes(2.0 * static_cast<double>(elements)); }
hw::Bytes fp32_bytes(std::int64_t elements) { return hw::Bytes(4.0 * static_cast<double>(elements)); }

hw::Bytes scale_bytes(std::int64_t rows, std::int64_t width) {
    return fp32_bytes(rows * ((width + kScaleBlock - 1) / kScaleBlock));
}

hw::Bytes fp8_bytes(std::int64_t rows, std::int64_t width) {
    return hw::Bytes(static_cast<double>(rows * width)) + scale_bytes(rows, width);
}

hw::Bytes payload_bytes(const LayerShape& shape, std::int64_t rows, std::int64_t width) {
    return shape.fp8 ? fp8_bytes(rows, width) : bf16_bytes(rows * width);
}

hw::Bytes operand_bytes(const LayerShape& shape, std::int64_t rows, std::int64_t width) {
    const auto elements = static_cast<double>(rows * width);
    switch (shape.plan.precision) {
    case Precision::bf16:
    case Precision::fp16:
        return bf16_bytes(rows * width);
    case Precision::fp8_block:
        return fp8_bytes(rows, width);
    case Precision::fp8_tensor:
    case Precision::fp8_delayed:
        return hw::Bytes(elements);
    case Precision::mxfp8: // one E8M0 scale for 32 elements (OCP Microscaling Formats v1.0, 5.1)
        return hw::Bytes(elements * (1.0 + 1.0 / 32.0));
    case Precision::nvfp4: // one E4M3 scale for 16 elements (NVIDIA, arXiv 2509.25149, 2)
        return hw::Bytes(elements * (0.5 + 1.0 / 16.0));
    }
    throw std::logic_error("precision without an operand format");
}

hw::Bytes attention_output_bytes(const LayerShape& shape) {
    const std::int64_t elements = shape.tokens * shape.value_dim;
    if (!shape.fp8) {
        return bf16_bytes(elements);
    }
    return hw::Bytes(1.5 * static_cast<double>(elements)) + fp32_bytes(elements / kScaleBlock);
}

} // namespace chokepoint::work
