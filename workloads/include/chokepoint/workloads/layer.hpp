// SPDX-License-Identifier: Apache-2.0
// A model cut into pipeline stages of blocks; and each block's kernels, forward and backward.
#pragma once

#include <chokepoint/workloads/kernel_sequence.hpp>
#include <chokepoint/workloads/plan.hpp>
#include <chokepoint/workloads/schedule.hpp>

#include <chokepoint/hwmodels/transfer.hpp>

namespace chokepoint::work {

enum class BlockKind {
    embedding,
    dense_layer, ///< any layer without experts
    moe_layer,
    mtp_projection, ///< norms, concatenation and the 2h to h projection in front of an MTP module's layer
    head,           ///< final norm, vocabulary projection and cross-entropy; its backward follows at once
};
std::string_view name(BlockKind);

struct Block {
    BlockKind kind = BlockKind::dense_layer;
    int layer = -1; ///< 0-based; MTP layers continue after the last; -1 for blocks that are no layer
    friend bool operator==(const Block&, const Block&) = default;
};

/// The blocks of every stage, front to back: embedding, layers, head, and MTP modules behind the head of the
/// last stage; or as `plan.layout` has them. Without a layout, a split or an account of embedding and head,
/// and without MTP modules, every stage has as many layers where they divide, or else where they divide with
/// embedding and head counted as a layer each, or the head alone. Else consecutive layers are placed so that
/// the costliest stage is as cheap as can be, by training FLOPs; then as evenly as can be, with more in the
/// earlier stages. A split or layout may leave stages empty, which hand on what they receive.
/// @throws std::invalid_argument if the program would have to leave a stage without a block, or if what the
/// plan says does not add up.
std::vector<std::vector<Block>> split_stages(const ModelArch&, const ParallelPlan&, int stages);

/// The most stages that split_stages fills by itself: embedding and head may stand alone where nothing
/// follows them.
int most_stages(const ModelArch&);

/// Megatron-LM's pipeline_model_parallel_layout, "Et*3|(tt|)*29m|L": E is the embedding, t a layer, m an MTP
/// module without its head, L the head with all its uses, | the end of a stage, x*3 and (…)*3 repetitions.
/// @throws std::invalid_argument naming what is wrong, and where.
std::vector<std::vector<Block>> parse_layout(const ModelArch&, std::string_view layout);

/// One block's compute, cut where the schedule can put communication in between. The attention part ends with
/// the router; the FFN part starts with the permutation of received rows. A part that a block lacks is empty.
struct BlockKernels {
    KernelSequence attention_forward;
    KernelSequence ffn_forward;
    /// Of a dense layer that runs again, if the plan stops early: without the last product.
    KernelSequence ffn_forward_again;
    KernelSequence ffn_backward; ///< input gradient; recomputation included
    KernelSequence ffn_weight_gradient;
    KernelSequence attention_backward; ///< input gradient; recomputation included
    KernelSequence attention_weight_gradient;
    /// Backward of the input norm, where tensor parallelism reduces its gradient beside the weight gradient.
    KernelSequence input_norm_backward;
    /// Quantisation of the FFN's output gradient, in front of combine(B) on the communication stream, as the
    /// published profile runs it. Empty unless the block is routed in FP8.
    KernelSequence gradient_payload;
    bool routed = false; ///< dispatch and combine surround the FFN part
};

/// Layers that run the same kernels.
struct LikeLayers {
    Block first;
    int count = 0;
};
/// All layers but MTP's, in groups of like ones.
std::vector<LikeLayers> like_layers(const ModelArch&);

/// Kernels of one block for one micro-batch on one GPU. The routed rows are tokens x top_k: balanced.
/// @throws std::invalid_argument if the plan's groups do not divide heads, FFNs, experts or tokens.
BlockKernels block_kernels(const ModelArch&, const ParallelPlan&, const Block&);

/// Payload bytes per token of dispatch (FP8 with scales, or BF16) and combine (BF16), forward and backward
/// alike: the gradient of a combine is a dispatch of the same format as the forward dispatch.
hw::Bytes dispatch_bytes_per_token(const ModelArch&, const ParallelPlan&);
hw::Bytes combine_bytes_per_token(const ModelArch&, const ParallelPlan&);

/// Activation bytes that one GPU sends over a pipeline stage boundary per micro-batch: BF16 hidden states of
/// its share of the tokens.
hw::Bytes boundary_bytes(const ModelArch&, const ParallelPlan&);

/// Parameters that one GPU of a stage holds.
struct StageParameters {
    std::int64_t expert = 0;     ///< routed experts' share
    std::int64_t replicated = 0; ///< attention, shared experts, norms, router, embedding, head
    std::int64_t matrices = 0;   ///< of the replicated ones: projections, which the FP8 recipe keeps in FP8
};
StageParameters stage_parameters(const ModelArch&, const ParallelPlan&, const std::vector<Block>&);

/// Activation bytes of one micro-batch that a block keeps from forward to backward, after recomputation
/// within it.
hw::Bytes activation_bytes(const ModelArch&, const ParallelPlan&, const Block&);
/// The same for each block of a stage. Of layers that run again as a whole, the input of the first of each
/// piece.
std::vector<hw::Bytes> kept_activations(const ModelArch&, const ParallelPlan&,
                                        const std::vector<Block>& stage);

} // namespace chokepoint::work
