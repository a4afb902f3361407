// SPDX-License-Identifier: Apache-2.0
// The fused attention kernels with what context parallelism puts around them.
#pragma once

#include "layer_operators.hpp"

namespace chokepoint::work {

void attention_core(Operators&, const LayerShape&);
void attention_core_backward(Operators&, const LayerShape&);

} // namespace chokepoint::work
