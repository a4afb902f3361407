// SPDX-License-Identifier: Apache-2.0
// Adds up what one GPU of each pipeline rank holds at its fullest moment.
#include "block_counts.hpp"
#include "layer_shape.hpp"

#include <chokepoint/workloads/memory.hpp>

#include <algorithm>

namespace chokepoint::work {
namespace {

/// Parameters of one GPU, by the precision they are kept in and by who shares their optimizer states.
struct Held {
    double expert = 0.0;    ///< replicated over the data-parallel groups of an expert group
    double matrices = 0.0;  ///< replicated over all data-parallel ranks, FP8 in the FP8 recipe
    double sensitive = 0.0; ///< replicated likewise, always BF16
};

bool hosts(const Schedule& schedule, int rank, int stage) {
    const auto& of_stage = schedule.hosts[static_cast<std::size_t>(stage)];
    return std::ranges::find(of_stage, Rank{rank}) != of_stage.end();
}

/// All blocks of a rank as one list, so that what they share is counted once.
std::vector<Block> blocks_of_rank(const Schedule& schedule, const std::vector<std::vector<Block>>& stages,
                                  int rank) {
    std::vector<Block> blocks;
    for (int stage = 0; stage < schedule.stages; ++stage) {
        if (hosts(schedule, rank, stage)) {
            const auto& own = stages[static_cast<std::size_t>(stage)];
            blocks.insert(blocks.end(), own.begin(), own.end());
        }
    }
    const auto has = [&](BlockKind kind) { return std::ranges::count(blocks, kind, &Block::kind) > 0; };
    if (has(BlockKind::mtp_projection) && !has(BlockKind::embedding)) {
        // MTP looks up the next token. DualPipe puts embedding and head on one rank for this (arXiv
        // 2412.19437, 3.2.3); other schedules need a copy.
        blocks.insert(blocks.begin(), {BlockKind::embedding, -1});
    }
    return blocks;
}

Held held_parameters(const ModelArch& model, const ParallelPlan& plan, const std::vector<Block>& blocks) {
    const StageParameters all = stage_parameters(model, plan, blocks);
    Held held;
    held.expert = static_cast<double>(all.expert);
    for (const Block& block : blocks) {
        held.matrices += static_cast<double>(block_parameters(model, block.kind).matrices);
    }
    held.sensitive = static_cast<double>(all.replicated) - held.matrices;
    return held;
}

/// Weights as the kernels read them: FP8 with a scale per 128 x 128 block, or BF16. The FP32 master copy is
/// counted with the optimizer (arXiv 2412.19437, 3.3.3).
hw::Bytes weight_bytes(const Held& held, Precision precision) {
    constexpr double kFp8Weight = 1.0 + 4.0 / (128.0 * 128.0);
    const double matrix = precision == Precision::fp8_block ? kFp8Weight : 2.0;
    return hw::Bytes(matrix * (held.expert + held.matrices) + 2.0 * held.sensitive);
}

/// Gradients are accumulated in FP32 in both recipes (arXiv 2412.19437, 3.3.3; Megatron-LM's default).
hw::Bytes gradient_bytes(const Held& held) {
    return hw::Bytes(4.0 * (held.expert + held.matrices + held.sensitive));
}

/// FP32 master weights and two AdamW moments: BF16 in DeepSeek's recipe (arXiv 2412.19437, 3.3.3), FP32 in
/// usual mixed precision (ZeRO, arXiv 1910.02054, 3.1: 12 bytes). ZeRO-1 shards them over all copies.
hw::Bytes optimizer_bytes(const Held& held, const ParallelPlan& plan, int replicas_per_stage) {
    const double per_parameter = plan.precision == Precision::fp8_block ? 4.0 + 2.0 * 2.0 : 4.0 + 2.0 * 4.0;
    const bool sharded = plan.zero >= 1;
    const double copies = sharded ? static_cast<double>(plan.data) * replicas_per_stage : 1.0;
    const double expert_copies = sharded ? std::max(1.0, copies / plan.expert) : 1.0;
    return hw::Bytes(per_parameter *
                     (held.expert / expert_copies + (held.matrices + held.sensitive) / copies));
}

/// The fullest moment of the rank's order. An input gradient alone frees nothing: its weight gradient still
/// needs what the forward kept.
hw::Bytes peak_activations(const std::vector<Action>& order, const std::vector<hw::Bytes>& stage_bytes) {
    const auto of = [&](Stage stage) { return stage_bytes[static_cast<std::size_t>(index(stage))]; };
    hw::Bytes held;
    hw::Bytes peak;
    for (const Action& action : order) {
        const bool pair = action.kind == ActionKind::overlapped;
        if (pair || action.kind == ActionKind::forward) {
            held += of(action.forward_stage);
            peak = std::max(peak, held);
        }
        if (pair || action.kind == ActionKind::backward || action.kind == ActionKind::weight_backward) {
            held -= of(action.backward_stage);
        }
    }
    return peak;
}

/// Tensors that live within one layer's forward or backward. A schedule that overlaps the two has both at a
/// time; we count both for every schedule.
hw::Bytes working_bytes(const LayerShape& shape, const std::vector<Block>& blocks) {
    const auto has = [&](BlockKind kind) { return std::ranges::count(blocks, kind, &Block::kind) > 0; };
    const std::int64_t h = shape.model.hidden;
    hw::Bytes layer;
    if (has(BlockKind::moe_layer)) {
        const hw::Bytes staging =
            payload_bytes(shape, shape.arrived_rows, h) + bf16_bytes(shape.arrived_rows * h);
        const hw::Bytes rows =
            payload_bytes(shape, shape.routed_rows, h) +
            bf16_bytes(shape.routed_rows * (shape.ffn_inputs * shape.model.moe.ffn_hidden + h));
        layer = staging + rows;
    }
    if (has(BlockKind::dense_layer)) {
        layer = std::max(layer, bf16_bytes(shape.tokens * shape.ffn_inputs * shape.model.dense_ffn_hidden));
    }
    // q, k and v; in the backward also their gradients and q's in FP32.
    const hw::Bytes qkv = bf16_bytes(shape.tokens * (2 * shape.query_dim + shape.value_dim));
    const hw::Bytes attention = qkv + fp32_bytes(shape.tokens * shape.query_dim);
    // One forward and one backward of either half of a layer.
    hw::Bytes sum = 2.0 * std::max(layer, attention);
    if (has(BlockKind::head)) {
        // Logits and their gradient; the head's backward follows its forward, so one micro-batch has them.
        sum += 2.0 * bf16_bytes(shape.tokens * shape.model.vocabulary);
    }
    return sum;
}

} // namespace

std::vector<MemoryUse> memory_per_rank(const ModelArch& model, const ParallelPlan& plan,
                                       const Schedule& schedule) {
    const LayerShape shape = layer_shape(model, plan);
    const auto stages = split_stages(model, plan, schedule.stages);
    std::vector<hw::Bytes> stage_bytes;
    for (const auto& blocks : stages) {
        hw::Bytes sum;
        for (const Block& block : blocks) {
            sum += activation_bytes(model, plan, block);
        }
        stage_bytes.push_back(sum);
    }
    std::vector<MemoryUse> use;
    for (int rank = 0; rank < schedule.ranks; ++rank) {
        const std::vector<Block> blocks = blocks_of_rank(schedule, stages, rank);
        const Held held = held_parameters(model, plan, blocks);
        use.push_back(
            {.parameters = weight_bytes(held, plan.precision),
             .gradients = gradient_bytes(held),
             .optimizer = optimizer_bytes(held, plan, schedule.replicas_per_stage),
             .activations = peak_activations(schedule.order[static_cast<std::size_t>(rank)], stage_bytes),
             .buffers = working_bytes(shape, blocks)});
    }
    return use;
}

} // namespace chokepoint::work
