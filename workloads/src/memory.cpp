// SPDX-License-Identifier: Apache-2.0
// Adds up what one GPU of each pipeline rank holds at its fullest moment.
#include "block_counts.hpp"
#include "step/offload_windows.hpp"
#include "step/units.hpp"
#include "working_memory.hpp"

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
    held.matrices = static_cast<double>(all.matrices);
    held.sensitive = static_cast<double>(all.replicated) - held.matrices;
    return held;
}

/// Weights as the kernels read them: FP8 with a scale per 128 x 128 block, or BF16. The FP32 master copy is
/// counted with the optimizer (arXiv 2412.19437, 3.3.3).
hw::Bytes weight_bytes(const Held& held, const ParallelPlan& plan) {
    constexpr double kFp8Weight = 1.0 + 4.0 / (128.0 * 128.0);
    // Transformer Engine's recipes read a cast for each direction, cached over the step.
    constexpr double kCasts = 1.0 + 1.0;
    double matrix = 2.0;
    if (plan.precision == Precision::fp8_block) {
        matrix = kFp8Weight;
    } else if (plan.precision != Precision::bf16 && plan.precision != Precision::fp16) {
        // These are all that is kept of parameters in FP8 (fp8_param_gather, fp8_model_init).
        matrix = (plan.parameter_dtype == hw::DType::fp8 ? 0.0 : 2.0) + kCasts;
    }
    return hw::Bytes(matrix * (held.expert + held.matrices) + 2.0 * held.sensitive);
}

/// GPUs that share out the states of one parameter.
struct Copies {
    double expert = 1.0;
    double replicated = 1.0;
};

Copies copies_of(const ParallelPlan& plan, int replicas_per_stage) {
    const int holders = plan.data * plan.context;
    const double instances = static_cast<double>(holders) / plan.shard_group.value_or(holders);
    const double all = static_cast<double>(holders) * replicas_per_stage;
    return {.expert = std::max(1.0, all * plan.tensor / plan.expert / plan.expert_tensor / instances),
            .replicated = all / instances};
}

Held shared_out(const Held& held, const Copies& copies) {
    return {.expert = held.expert / copies.expert,
            .matrices = held.matrices / copies.replicated,
            .sensitive = held.sensitive / copies.replicated};
}

double parameters(const Held& held) { return held.expert + held.matrices + held.sensitive; }

/// FSDP shares out FP32 parameters and casts what it gathers: they are the optimizer's master weights
/// (torch.distributed.fsdp, MixedPrecisionPolicy).
hw::Bytes parameter_bytes(const Held& whole, const Held& shard, const ParallelPlan& plan) {
    return plan.zero >= 3 ? parameters(shard) * hw::element_bytes(hw::DType::fp32)
                          : weight_bytes(whole, plan);
}

/// FP32 master weights and two moments, 12 bytes in usual mixed precision (ZeRO, arXiv 1910.02054, 3.1), but
/// for those in host memory.
hw::Bytes optimizer_bytes(const Held& held, const ParallelPlan& plan) {
    const hw::Bytes master = plan.zero >= 3 ? hw::Bytes() : hw::element_bytes(hw::DType::fp32);
    return parameters(held) * (1.0 - plan.offload_optimizer) *
           (master + 2.0 * hw::element_bytes(plan.moment_dtype()));
}

/// What a CUDA context with the libraries' kernels takes on a data-centre GPU, and what NCCL's channels take
/// for the groups of a plan. Estimates: nvidia-smi shows about 0.5 GB for a context with cuBLAS and about
/// 1 GB more once the communicators of a Megatron-LM job exist.
constexpr hw::Bytes kContext{0.5e9};
constexpr hw::Bytes kCommunicators{1.0e9};
/// Of activations and buffers, which come and go: what the caching allocator cannot hand out again. An
/// estimate; PyTorch's expandable segments waste less.
constexpr double kFragmentation = 0.03;

hw::Bytes outside_allocator(const ParallelPlan& plan) {
    const bool alone = plan.pipeline * plan.tensor * plan.context * plan.data == 1;
    return kContext + (alone ? hw::Bytes() : kCommunicators);
}

/// What a pair adds to what is held before it, at its fullest: in its first step or in its last.
hw::Bytes added_by_pair(const ParallelPlan& plan, const StageActivations& forward,
                        const StageActivations& backward) {
    const double steps = pair_steps(plan, forward, backward);
    return std::max(forward.kept / steps, forward.kept - backward.kept * ((steps - 1.0) / steps));
}

/// The fullest moment of the rank's order. An input gradient alone frees nothing: its weight gradient still
/// needs what the forward kept.
hw::Bytes peak_activations(const std::vector<Action>& order, const std::vector<StageActivations>& stages,
                           const ParallelPlan& plan) {
    const auto of = [&](Stage stage) { return stages[static_cast<std::size_t>(index(stage))]; };
    hw::Bytes held;
    hw::Bytes peak;
    for (const Action& action : order) {
        const bool pair = action.kind == ActionKind::overlapped;
        if (pair || action.kind == ActionKind::forward) {
            const StageActivations forward = of(action.forward_stage);
            peak = std::max(
                peak, held + (pair ? added_by_pair(plan, forward, of(action.backward_stage)) : forward.kept));
            held += forward.kept;
        }
        if (pair || action.kind == ActionKind::backward || action.kind == ActionKind::weight_backward) {
            held -= of(action.backward_stage).kept;
        }
    }
    return peak;
}

bool overlaps(const std::vector<Action>& order) {
    return std::ranges::count(order, ActionKind::overlapped, &Action::kind) > 0;
}

/// What a stage keeps of one micro-batch, but for what waits in host memory.
hw::Bytes kept_on_gpu(const ModelArch& model, const ParallelPlan& plan, const std::vector<Block>& blocks) {
    const std::vector<hw::Bytes> kept = kept_activations(model, plan, blocks);
    const OffloadWindows windows(layers_of(blocks).size(), plan.offload_layers);
    hw::Bytes sum;
    std::size_t layers = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const bool offloaded = is_layer(blocks[i].kind) && layers++ < windows.copies;
        sum += offloaded ? hw::Bytes() : kept[i];
    }
    return sum;
}

} // namespace

std::vector<StageActivations> stage_activations(const ModelArch& model, const ParallelPlan& plan,
                                                int stages) {
    std::vector<StageActivations> all;
    for (const auto& blocks : split_stages(model, plan, stages)) {
        all.push_back({kept_on_gpu(model, plan, blocks), static_cast<int>(layers_of(blocks).size())});
    }
    return all;
}

int pair_steps(const ParallelPlan& plan, const StageActivations& forward, const StageActivations& backward) {
    return plan.overlap_expert ? std::max({1, forward.layers, backward.layers}) : 1;
}

std::vector<MemoryUse> memory_per_rank(const ModelArch& model, const ParallelPlan& plan,
                                       const Schedule& schedule) {
    const auto stages = split_stages(model, plan, schedule.stages);
    const std::vector<StageActivations> kept = stage_activations(model, plan, schedule.stages);
    std::vector<MemoryUse> use;
    for (int rank = 0; rank < schedule.ranks; ++rank) {
        const std::vector<Block> blocks = blocks_of_rank(schedule, stages, rank);
        const std::vector<Action>& order = schedule.order[static_cast<std::size_t>(rank)];
        const Held whole = held_parameters(model, plan, blocks);
        const Held shard = shared_out(whole, copies_of(plan, schedule.replicas_per_stage));
        MemoryUse rank_use{.parameters = parameter_bytes(whole, shard, plan),
                           .gradients = parameters(plan.zero >= 2 ? shard : whole) *
                                        hw::element_bytes(plan.gradient_dtype),
                           .optimizer = optimizer_bytes(plan.zero >= 1 ? shard : whole, plan),
                           .activations = peak_activations(order, kept, plan),
                           .buffers = working_bytes(model, plan, blocks, overlaps(order)),
                           .overhead = {},
                           .fragmentation = {}};
        rank_use.fragmentation =
            kFragmentation * (rank_use.activations + rank_use.buffers) + stranded_bytes(model, plan, blocks);
        rank_use.overhead = outside_allocator(plan) + rank_use.fragmentation;
        use.push_back(rank_use);
    }
    return use;
}

} // namespace chokepoint::work
