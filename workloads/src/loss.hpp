// SPDX-License-Identifier: Apache-2.0
// The loss on the head's logits.
#pragma once

#include "layer_operators.hpp"

namespace chokepoint::work {

hw::Operator loss(const LayerShape&, std::int64_t logits);
hw::Operator loss_backward(const LayerShape&, std::int64_t logits);

} // namespace chokepoint::work
