// SPDX-License-Identifier: Apache-2.0
// The sizes that all kernels of a block are made of, worked out once.
#pragma once

#include <chokepoint/workloads/layer.hpp>

namespace chokepoint::work {

/// This GPU's part of a state-space mixer.
struct StateSpaceShape {
    std::int64_t heads = 0, groups = 0;
    std::int64_t inner = 0;     ///< channels of its heads
    std::int64_t convolved = 0; ///< with B and C
    std::int64_t projected = 0; ///< with the gate and the heads' steps
    std::int64_t states = 0;    ///< elements of the states of all chunks of the tokens
};

/// Sizes of one block's work on one GPU for one micro-batch.
struct LayerShape {
    const ModelArch& model;
    const ParallelPlan& plan;
    LayerParts parts;
    int window = 0;          ///< tokens that one token attends to; 0: its whole past
    std::int64_t tokens = 0; ///< that the matrices see
    std::int64_t shard = 0;  ///< of them, that norms, residuals and the router see
    int tensor = 1;          ///< GPUs that share each matrix outside the routed experts
    bool fp8 = false;        ///< DeepSeek's recipe: 128-wide blocks of scales, and its own caches and kernels
    bool cast = false;       ///< Transformer Engine's recipes: each operand is cast once, both ways round
    int local_experts = 0;   ///< routed experts of a layer held by this GPU
    std::int64_t routed_rows = 0; ///< rows the local experts multiply: one per token and chosen expert
    std::int64_t arrived_rows =
        0; ///< distinct tokens that reach this GPU: one with several experts here comes once

    int heads = 0, kv_heads = 0; ///< of this GPU
    std::int64_t query_dim = 0;  ///< of its heads
    std::int64_t value_dim = 0;  ///< of its heads; width of the attention output
    int head_qk = 0, head_v = 0;
    std::int64_t ffn_inputs = 1;    ///< matrices in front of the activation: 2 when gated
    std::int64_t ffn_width = 0;     ///< this GPU's part of a dense layer's FFN
    std::int64_t shared_width = 0;  ///< of all shared experts together
    std::int64_t expert_width = 0;  ///< of one routed expert
    std::int64_t expert_hidden = 0; ///< of the rows that routed experts see
    StateSpaceShape state_space;
    std::int64_t vocabulary = 0; ///< of embedding and head

    /// Whether tokens are gathered in front of the matrices and scattered behind them.
    [[nodiscard]] bool scattered() const { return tensor > 1 && plan.sequence_parallel; }
    /// Whether attention and FFN read one normed state: a parallel block's attention gathers it for both and
    /// reduces the gradients of both.
    [[nodiscard]] bool shares_input() const { return model.block == BlockForm::parallel; }
};

/// Only the parts of a layer and attention's window depend on the block.
/// @throws std::invalid_argument with what the plan's groups do not divide.
LayerShape layer_shape(const ModelArch&, const ParallelPlan&, const Block& = {});

/// Whether a token arrives once for every expert it chose: an all-to-all between experts' ranks.
bool arrives_per_expert(const ParallelPlan&);

hw::Bytes bf16_bytes(std::int64_t elements);
hw::Bytes fp32_bytes(std::int64_t elements);
/// One FP32 scale for every 128 elements of a row.
hw::Bytes scale_bytes(std::int64_t rows, std::int64_t width);
/// FP8 with one FP32 scale for every 128 elements of a row.
hw::Bytes fp8_bytes(std::int64_t rows, std::int64_t width);
/// The recipe's format for a tensor that is sent or cached: FP8 with scales, or BF16.
hw::Bytes payload_bytes(const LayerShape&, std::int64_t rows, std::int64_t width);
/// A tensor as the recipe's matrix products read it, with its scales.
hw::Bytes operand_bytes(const LayerShape&, std::int64_t rows, std::int64_t width);
/// The attention output cached for the backward: the FP8 recipe keeps it in E5M6, 12 bits (DeepSeek-V3
/// report, 3.3.3).
hw::Bytes attention_output_bytes(const LayerShape&);

} // namespace chokepoint::work
