// SPDX-License-Identifier: Apache-2.0
// What starting kernels costs the host: a stretch of small kernels takes no less than that.
#pragma once

#include <chokepoint/hwmodels/operator.hpp>

namespace chokepoint::hw {

/// What a training framework does on the host to start an operator's kernels, in calls of it: an element-wise
/// kernel is one, Python and autograd included (Node::host_call says how long that takes).
double host_calls(const Operator&);

/// A further kernel of one such call, which a library launches and not the framework: 10 us in Transformer
/// Engine's loop over experts on GH200 (GeodesicResearch/geodesic-megatron,
/// docs/investigations/120b-gbs64-host-overhead-investigation.md), where a call takes that host 120.
constexpr double kFurtherKernel = 10.0 / 120.0;

} // namespace chokepoint::hw
