// SPDX-License-Identifier: Apache-2.0
// The halves of a layer, each of which adds its kernels to a BlockKernels.
#pragma once

#include "layer_operators.hpp"

namespace chokepoint::work {

/// Input norm, attention and the norm behind it; with its backward.
void add_attention(BlockKernels&, const LayerShape&);

/// Gate, top-k choice and the payload of the dispatch, which close a MoE layer's attention part. Their
/// backward comes before the attention's: call add_router_backward first, then add_attention, then
/// add_router_forward.
void add_router_forward(BlockKernels&, const LayerShape&);
void add_router_backward(BlockKernels&, const LayerShape&);

void add_dense_ffn(BlockKernels&, const LayerShape&);
/// Routed experts and the shared ones, interleaved as the profile shows.
void add_moe_ffn(BlockKernels&, const LayerShape&);

} // namespace chokepoint::work
