// SPDX-License-Identifier: Apache-2.0
// What starting kernels costs the host: a stretch of small kernels takes no less than that.
#pragma once

#include <chokepoint/hwmodels/operator.hpp>

namespace chokepoint::hw {

/// What a training framework does on the host to start an operator's kernels, in calls of it: an element-wise
/// kernel is one, Python and autograd included (Node::host_call says how long that takes). One that follows
/// an operator of its own name is a further chunk of that product, which a library starts and not the
/// framework.
double host_calls(const Operator&, const Operator* previous = nullptr);

} // namespace chokepoint::hw
