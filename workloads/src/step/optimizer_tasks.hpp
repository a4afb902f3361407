// SPDX-License-Identifier: Apache-2.0
// What follows a step's last action: gradient reduction over data-parallel replicas, gradient norm,
// optimizer.
#pragma once

#include "data_transfers.hpp"

namespace chokepoint::work {

/// Appends to `step`, for every rank: what is left to reduce, the gradient norm, the update and, where the
/// next use does not gather them, the gathering of parameters.
void append_optimizer(StepGraph& step, WorkTable&, const ParallelPlan&, const RankLayout&, DataTransfers&);

} // namespace chokepoint::work
