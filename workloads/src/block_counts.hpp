// SPDX-License-Identifier: Apache-2.0
// What one block counts: training FLOPs of a token, and parameters by the precision they are kept in.
#pragma once

#include <chokepoint/workloads/layer.hpp>

namespace chokepoint::work {

/// Share of one block in the training FLOPs of a token: forward and backward, matrix products, no router.
/// Summed over all blocks but MTP's this is training_flops_per_token.
hw::Flops block_training_flops(const ModelArch&, std::int64_t sequence, bool causal, const Block&);

/// Kind of the layer at a 0-based index: with experts, or not.
BlockKind layer_kind(const ModelArch&, int layer);

struct BlockParameters {
    std::int64_t routed = 0;    ///< of all routed experts, before expert parallelism
    std::int64_t matrices = 0;  ///< of projections and shared experts, which the FP8 recipe keeps in FP8
    std::int64_t sensitive = 0; ///< norms, router, embedding, head, MTP's projection: BF16 in every recipe
};
BlockParameters block_parameters(const ModelArch&, const Block&);

/// Of a block's unrouted parameters, those that every tensor-parallel GPU holds whole: norms, router, and
/// what compresses latents or joins MTP's inputs (Megatron-Core).
std::int64_t parameters_not_split(const ModelArch&, const Block&);

} // namespace chokepoint::work
