// SPDX-License-Identifier: Apache-2.0
// What each pipeline rank holds of the model, and who holds the same.
#pragma once

#include "data_transfers.hpp"

namespace chokepoint::work {

using Blocks = std::vector<Block>;

/// Parameters of all stages that a rank hosts, counted together so that what they share is counted once; and
/// the ranks that host the same.
std::vector<RankParameters> rank_parameters(const ModelArch&, const ParallelPlan&, const Schedule&,
                                            const std::vector<Blocks>& stages);

} // namespace chokepoint::work
