// SPDX-License-Identifier: Apache-2.0
// The halves of a layer, each of which adds its kernels to a BlockKernels.
#pragma once

#include "layer_operators.hpp"

namespace chokepoint::work {

/// Input norm and attention, with their backward.
void add_attention(BlockKernels&, const LayerShape&);
/// Input norm and a state-space mixer, with their backward.
void add_state_space(BlockKernels&, const LayerShape&);

/// Gate, top-k choice and the payload of the dispatch, which close a MoE layer's attention part. Their
/// backward comes before the mixer's: call add_router_backward first, then add_attention or add_state_space,
/// then add_router_forward.
void add_router_forward(BlockKernels&, const LayerShape&);
void add_router_backward(BlockKernels&, const LayerShape&);

void add_dense_ffn(BlockKernels&, const LayerShape&);
/// Routed experts and the shared ones, interleaved as the profile shows.
void add_moe_ffn(BlockKernels&, const LayerShape&);

} // namespace chokepoint::work
