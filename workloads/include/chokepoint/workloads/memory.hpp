// SPDX-License-Identifier: Apache-2.0
// What one GPU of each pipeline rank must hold, by kind.
#pragma once

#include <chokepoint/workloads/layer.hpp>

namespace chokepoint::work {

/// Peak bytes of one GPU. Activations are those of the schedule's fullest moment; buffers are what lives
/// within one layer's forward and backward (dispatch and combine staging, expert rows, q, k and v), and the
/// logits of the head. Overhead is what the framework never hands to tensors.
struct MemoryUse {
    hw::Bytes parameters;
    hw::Bytes gradients;
    hw::Bytes optimizer;
    hw::Bytes activations;
    hw::Bytes buffers;
    hw::Bytes overhead;      ///< CUDA context, NCCL's buffers, and what fragmentation wastes
    hw::Bytes fragmentation; ///< of the overhead, what the allocator holds and cannot hand out
    /// What the framework's allocator reports as allocated.
    [[nodiscard]] hw::Bytes allocated() const {
        return parameters + gradients + optimizer + activations + buffers;
    }
    /// What it reports as reserved.
    [[nodiscard]] hw::Bytes reserved() const { return allocated() + fragmentation; }
    [[nodiscard]] hw::Bytes total() const { return allocated() + overhead; }
};

/// What a stage keeps of one micro-batch, from its forward to its weight gradient.
struct StageActivations {
    hw::Bytes kept;
    int layers = 1;
};
/// Of each of so many stages.
std::vector<StageActivations> stage_activations(const ModelArch&, const ParallelPlan&, int stages);

/// Steps in which a pair of a forward and a backward keeps and frees: a layer of each at a time under
/// plan.overlap_expert, the forward a step ahead. DualPipe's pairs hold both their micro-batches whole, as
/// its authors count (PP + 1, arXiv 2412.19437, table 2): one step.
int pair_steps(const ParallelPlan&, const StageActivations& forward, const StageActivations& backward);

/// One entry per pipeline rank. A rank that hosts several stages holds all their parameters.
std::vector<MemoryUse> memory_per_rank(const ModelArch&, const ParallelPlan&, const Schedule&);

} // namespace chokepoint::work
