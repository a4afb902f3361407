// SPDX-License-Identifier: Apache-2.0
// Where a plan's groups lie on nodes: GPUs are numbered pipeline rank outermost, then data, tensor innermost.
#pragma once

#include <chokepoint/workloads/plan.hpp>
#include <chokepoint/workloads/schedule.hpp>

#include <span>

namespace chokepoint::work {

/// Expert groups are consecutive data-parallel GPUs of one pipeline rank: GPU d is in group d / expert and
/// holds the experts of position d % expert.
class Placement {
public:
    Placement(const ParallelPlan&, int gpus_per_node);

    /// Members of one expert-parallel group within a node.
    [[nodiscard]] int expert_group_per_node() const;
    /// Whether a GPU and its counterpart on another pipeline rank are, for any GPU of the rank, on different
    /// nodes.
    [[nodiscard]] bool remote(Rank, Rank) const;

    /// Groups that reduce gradients: GPUs of `ranks` that hold the same parameters as the first GPU of the
    /// first of them. The group of replicated parameters has every data-parallel GPU, that of experts one per
    /// expert group.
    struct Group {
        int ranks = 1;
        int ranks_per_node = 1;
    };
    [[nodiscard]] Group replicated_group(std::span<const Rank>) const;
    [[nodiscard]] Group expert_replicas(std::span<const Rank>) const;

private:
    [[nodiscard]] int gpus_per_rank() const { return data_ * tensor_; }
    /// Members every `stride` data-parallel GPUs, starting with the first.
    [[nodiscard]] Group group(std::span<const Rank>, int stride) const;

    int data_, tensor_, expert_, gpus_per_node_;
};

} // namespace chokepoint::work
