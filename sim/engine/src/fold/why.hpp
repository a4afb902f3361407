// SPDX-License-Identifier: Apache-2.0
// Says why a class of GPUs is not simulated together with the rest of its pipeline rank.
#pragma once

#include "quotient.hpp"

namespace chokepoint::sim::folding {

/// Fills in `why` of every class but the largest of each pipeline rank.
void explain(Partition&, const work::RankLayout&, const Relations&, const Uplinks&, const Conditions&,
             const std::vector<double>& load);

} // namespace chokepoint::sim::folding
