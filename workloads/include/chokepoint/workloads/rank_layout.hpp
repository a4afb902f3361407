// SPDX-License-Identifier: Apache-2.0
// Which GPUs form each of a plan's groups, and on which nodes they lie.
#pragma once

#include <chokepoint/workloads/plan.hpp>
#include <chokepoint/workloads/schedule.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace chokepoint::work {

/// The groups of GPUs that one GPU communicates with. Attention and dense layers are spread over tensor x
/// context x data, routed experts over expert_tensor x expert x expert_data: the same GPUs of a pipeline
/// rank, cut up twice (Megatron-Core's parallel folding, arXiv 2504.14960).
enum class Group : std::uint8_t {
    pipeline,
    tensor,
    context,
    data, ///< holders of the same unrouted parameters: data-parallel and context-parallel ranks together
    expert,
    expert_tensor,
    expert_data, ///< holders of the same routed experts
    shard,       ///< of `data`, those that share states out: plan.shard_group neighbours, or all
    replicas,    ///< of `data`, those that hold the same shards
    expert_shard,
    expert_replicas,
    own, ///< the GPU alone
};
std::string_view name(Group);

/// Numbers GPUs by plan.rank_order, whose first name varies fastest. GPUs with consecutive numbers share a
/// node. Costs nothing to copy: every question is answered by arithmetic.
class RankLayout {
public:
    /// @throws std::invalid_argument if plan.rank_order is no order of tp, cp, ep, dp and pp, if the expert
    /// groups do not divide the GPUs of a pipeline rank, if attention and experts that are spread over GPUs
    /// would disagree on the pipeline rank of a GPU, or if plan.shard_group does not cut up the holders of a
    /// parameter.
    RankLayout(const ParallelPlan&, int gpus_per_node);

    [[nodiscard]] int gpus() const { return gpus_; }
    [[nodiscard]] int pipeline_rank(int gpu) const { return gpu / pipeline_.stride % pipeline_.extent; }
    [[nodiscard]] int node(int gpu) const { return gpu / gpus_per_node_; }
    /// The lowest GPU of a pipeline rank.
    [[nodiscard]] int first_gpu(Rank rank) const { return index(rank) * pipeline_.stride; }

    /// The group of `gpu`, itself included, ascending. With `hosts`, its counterparts' groups on these
    /// pipeline ranks together: ranks that hold the same parameters reduce gradients as one.
    [[nodiscard]] std::vector<int> members(Group, int gpu, std::span<const Rank> hosts = {}) const;

    /// The GPU with the same other coordinates on another pipeline rank.
    [[nodiscard]] int counterpart(int gpu, Rank) const;
    /// Whether a GPU and its counterpart are, for any GPU of the ranks, on different nodes.
    [[nodiscard]] bool remote(Rank, Rank) const;

    struct Shape {
        int ranks = 1;
        int ranks_per_node = 1; ///< the largest number that divides the members on each of the nodes
    };
    /// Of the group of the first GPU of a pipeline rank; the others' lie likewise on nodes that ranks fill.
    [[nodiscard]] Shape shape(Group, Rank, std::span<const Rank> hosts = {}) const;

private:
    struct Axis {
        int extent = 1;
        int stride = 1;
    };
    [[nodiscard]] std::vector<Axis> axes(Group) const;
    /// Cuts `whole` into groups of `members` neighbours, and their counterparts.
    struct Cut {
        std::vector<Axis> neighbours, counterparts;
    };
    [[nodiscard]] static Cut cut(std::vector<Axis> whole, int members, std::string_view what);

    Axis pipeline_, tensor_, context_, data_, expert_tensor_, expert_;
    std::vector<Axis> expert_data_;
    Cut shards_, expert_shards_;
    int gpus_ = 1;
    int gpus_per_node_ = 1;
};

/// Why `order` is no order of tp, cp, ep, dp and pp; empty if it is one.
std::string rank_order_fault(std::string_view order);

} // namespace chokepoint::work
