// SPDX-License-Identifier: Apache-2.0
// Counts a group's members within one node by looking at that node's GPUs only, so the cost is independent of
// scale.
#include "placement.hpp"

#include <algorithm>
#include <cstdlib>

namespace chokepoint::work {

Placement::Placement(const ParallelPlan& plan, int gpus_per_node)
    : data_(plan.data),
      tensor_(plan.tensor),
      expert_(plan.expert),
      gpus_per_node_(gpus_per_node) {}

int Placement::expert_group_per_node() const { return std::clamp(gpus_per_node_ / tensor_, 1, expert_); }

bool Placement::remote(Rank a, Rank b) const {
    const int distance = std::abs(index(a) - index(b)) * gpus_per_rank();
    if (distance >= gpus_per_node_) {
        return true;
    }
    const int first = std::min(index(a), index(b)) * gpus_per_rank();
    for (int gpu = first; gpu < first + gpus_per_rank(); ++gpu) {
        if (gpu / gpus_per_node_ != (gpu + distance) / gpus_per_node_) {
            return true;
        }
    }
    return false;
}

Placement::Group Placement::group(std::span<const Rank> ranks, int stride) const {
    const int first_gpu = index(ranks.front()) * gpus_per_rank();
    const int node_begin = first_gpu / gpus_per_node_ * gpus_per_node_;
    int here = 0;
    for (int gpu = node_begin; gpu < node_begin + gpus_per_node_; ++gpu) {
        const bool on_a_rank = std::ranges::find(ranks, Rank{gpu / gpus_per_rank()}) != ranks.end();
        const int data = gpu / tensor_ % data_;
        here += on_a_rank && gpu % tensor_ == 0 && data % stride == 0 ? 1 : 0;
    }
    return {.ranks = data_ / stride * static_cast<int>(ranks.size()), .ranks_per_node = here};
}

Placement::Group Placement::replicated_group(std::span<const Rank> ranks) const { return group(ranks, 1); }

Placement::Group Placement::expert_replicas(std::span<const Rank> ranks) const {
    return group(ranks, expert_);
}

} // namespace chokepoint::work
