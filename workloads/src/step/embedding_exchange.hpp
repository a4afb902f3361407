// SPDX-License-Identifier: Apache-2.0
// The gradient of an embedding that several pipeline ranks hold a copy of.
#pragma once

#include "data_transfers.hpp"

namespace chokepoint::work {

/// Sums it over its holders: the first stage, a tied head's, an MTP module's that has no embedding of its own
/// (Megatron-LM, _allreduce_word_embedding_grads). `reduced` holds, for each rank, what its own gradients
/// wait for; the holders' then wait for the sum too.
void append_embedding_exchange(StepGraph&, WorkTable&, const ParallelPlan&, const RankLayout&,
                               const DataTransfers&, std::vector<std::vector<TaskId>>& reduced);

} // namespace chokepoint::work
