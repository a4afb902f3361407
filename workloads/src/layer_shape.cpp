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
double distinct_ranks(const Moe& moe, int expert_ranks) {
    constexpr int kNodeLimitGpus = 8; // nodes that max_nodes speaks of hold 8 GPUs: arXiv 2412.19437, 3.1
    const int per_node = std::min(expert_ranks, kNodeLimitGpus);
    const bool whole_nodes = expert_ranks % per_node == 0;
    return hw::expected_spread({.experts = moe.experts,
                                .top_k = moe.top_k,
                                .ranks = expert_ranks,
                                .ranks_per_node = whole_nodes ? per_node : expert_ranks,
                                .max_nodes = whole_nodes ? moe.max_nodes : 0})
        .ranks;
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
    // Balanced: each of the group's ranks sends out tokens x top_k rows and receives as many.
    shape.routed_rows = shape.tokens * moe.top_k;
    shape.arrived_rows = ranks == 1
                             ? shape.tokens
                             : std::llround(static_cast<double>(shape.tokens) * distinct_ranks(moe, ranks));
}

} // namespace

LayerShape layer_shape(const ModelArch& model, const ParallelPlan& plan) {
    if (plan.tensor != 1) {
        throw std::invalid_argument(
            fmt::format("tensor parallelism ({}) is not modelled; expected plan.tensor = 1", plan.tensor));
    }
    LayerShape shape{.model = model, .plan = plan};
    const Attention& a = model.attention;
    const bool latent = a.kind == AttentionKind::mla;
    shape.tokens = plan.micro_batch_tokens();
    shape.fp8 = plan.precision == Precision::fp8_block;
    shape.head_qk = latent ? a.qk_nope_dim + a.qk_rope_dim : a.head_dim;
    shape.head_v = latent ? a.v_dim : a.head_dim;
    shape.query_dim = std::int64_t{a.heads} * shape.head_qk;
    shape.value_dim = std::int64_t{a.heads} * shape.head_v;
    shape.ffn_inputs = model.gated_ffn ? 2 : 1;
    if (model.moe.experts > 0) {
        add_experts(shape);
    }
    return shape;
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

hw::Bytes attention_output_bytes(const LayerShape& shape) {
    const std::int64_t elements = shape.tokens * shape.value_dim;
    if (!shape.fp8) {
        return bf16_bytes(elements);
    }
    return hw::Bytes(1.5 * static_cast<double>(elements)) + fp32_bytes(elements / kScaleBlock);
}

} // namespace chokepoint::work
