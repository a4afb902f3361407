// SPDX-License-Identifier: Apache-2.0
// What one GPU of each pipeline rank must hold, by kind.
#pragma once

#include <chokepoint/workloads/layer.hpp>

namespace chokepoint::work {

/// Peak bytes of one GPU. Activations are those of the schedule's fullest moment; buffers are what lives
/// within one layer's forward and backward (dispatch and combine staging, expert rows, q, k and v), and the
/// logits of the head.
struct MemoryUse {
    hw::Bytes parameters;
    hw::Bytes gradients;
    hw::Bytes optimizer;
    hw::Bytes activations;
    hw::Bytes buffers;
    [[nodiscard]] hw::Bytes total() const {
        return parameters + gradients + optimizer + activations + buffers;
    }
};

/// One entry per pipeline rank. A rank that hosts several stages holds all their parameters.
std::vector<MemoryUse> memory_per_rank(const ModelArch&, const ParallelPlan&, const Schedule&);

} // namespace chokepoint::work
