// SPDX-License-Identifier: Apache-2.0
// What follows a step's last action: gradient reduction over data-parallel replicas, gradient norm,
// optimizer.
#pragma once

#include "work_table.hpp"

#include <span>
#include <vector>

namespace chokepoint::work {

/// A pipeline rank as the optimizer sees it.
struct RankParameters {
    StageParameters held;       ///< of all stages the rank hosts
    std::vector<Rank> replicas; ///< ranks of one pipeline that host the same stages, itself included
    std::optional<TaskId> last; ///< exit of its last action
};

/// Appends to `step`, for every rank: gradient reduction, norm, update and, with ZeRO-1, the gathering of
/// parameters.
void append_optimizer(StepGraph& step, WorkTable&, const ParallelPlan&, const RankLayout&,
                      std::span<const RankParameters>);

} // namespace chokepoint::work
