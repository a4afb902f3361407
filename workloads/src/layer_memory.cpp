// SPDX-License-Identifier: Apache-2.0
// What a stage's blocks keep in memory: parameters, and activations from a forward to its backward.
#include "block_counts.hpp"
#include "layer_shape.hpp"

#include <algorithm>

namespace chokepoint::work {
namespace {

/// The output of a norm as the matrix behind it and its weight gradient take it; nothing if the backward runs
/// the norm again from its input.
hw::Bytes kept_norm_output(const LayerShape& shape, std::int64_t width) {
    return shape.plan.recompute.norm ? hw::Bytes() : operand_bytes(shape, shape.shard, width);
}

/// The hidden states that a part's first product reads, behind its norm: this GPU's share of the tokens, or
/// the gathered ones where the weight gradient does not gather them again.
hw::Bytes kept_part_input(const LayerShape& shape) {
    return shape.scattered() && !shape.plan.overlap_input_gradient
               ? operand_bytes(shape, shape.tokens, shape.model.hidden)
               : kept_norm_output(shape, shape.model.hidden);
}

/// One byte an element says what dropout lets through.
hw::Bytes dropout_mask(const LayerShape& shape) {
    return hw::Bytes(shape.plan.dropout ? static_cast<double>(shape.shard * shape.model.hidden) : 0.0);
}

/// What the norm behind a part of a sandwich reads.
hw::Bytes input_of_norm_behind(const LayerShape& shape) {
    return shape.model.block == BlockForm::sandwich_norm ? bf16_bytes(shape.shard * shape.model.hidden)
                                                         : hw::Bytes();
}

hw::Bytes attention_activations(const LayerShape& shape) {
    const Attention& a = shape.model.attention;
    const std::int64_t t = shape.tokens;
    // Latent projections down work on this GPU's tokens alone.
    const hw::Bytes input =
        a.kind == AttentionKind::mla ? kept_norm_output(shape, shape.model.hidden) : kept_part_input(shape);
    hw::Bytes kept = bf16_bytes(shape.shard * shape.model.hidden) + input + input_of_norm_behind(shape) +
                     dropout_mask(shape);
    const std::int64_t query = t * shape.query_dim;
    if (a.kind == AttentionKind::mla) {
        // Latents in front of their norms, and the shared rope key.
        kept += bf16_bytes(shape.shard * (a.q_lora_rank + a.kv_lora_rank + a.qk_rope_dim));
        kept += kept_norm_output(shape, a.q_lora_rank) + kept_norm_output(shape, a.kv_lora_rank);
        const bool again = shape.plan.recompute.attention_up_projection;
        if (!again || a.q_lora_rank == 0) {
            kept += bf16_bytes(query);
        }
        if (!again) {
            kept += bf16_bytes(query + t * shape.value_dim); // k has as many heads as q
        }
    } else {
        const std::int64_t key = t * shape.kv_heads * a.head_dim;
        kept += bf16_bytes(query + (shape.plan.recompute.every_second_product ? 1 : 2) * key);
        if (a.qk_norm) {
            kept += bf16_bytes(query + key); // in front of the norms
        }
    }
    if (shape.plan.recompute.core_attention) {
        return kept;
    }
    if (shape.plan.attention_kernel == AttentionKernel::unfused) {
        // The softmax of all pairs; with dropout its output and its mask too: arXiv 2205.05198, 4.1.
        const auto pairs = static_cast<double>(t * shape.plan.sequence * shape.heads);
        const double each = shape.plan.dropout ? 2.0 + 2.0 + 1.0 : 2.0;
        return kept + attention_output_bytes(shape) + hw::Bytes(each * pairs);
    }
    const hw::Bytes softmax_sums = fp32_bytes(t * shape.heads);
    return kept + attention_output_bytes(shape) + softmax_sums;
}

/// Input and output of the activation of an FFN over `rows`.
hw::Bytes activation_kept(const LayerShape& shape, std::int64_t rows, std::int64_t width) {
    const hw::Bytes output =
        shape.plan.recompute.activation ? hw::Bytes() : operand_bytes(shape, rows, width);
    return payload_bytes(shape, rows, shape.ffn_inputs * width) + output;
}

hw::Bytes dense_ffn_activations(const LayerShape& shape) {
    const std::int64_t h = shape.model.hidden;
    const bool again = shape.plan.recompute.every_second_product;
    // The stream between attention and FFN is a sum with the attention's output. PyTorch's checkpoints keep
    // the output of every product that does not run again, the last one's too, which no backward reads.
    // A parallel block has no such stream, and with one norm no input of its own either.
    const hw::Bytes ends =
        runs_parallel(shape.model) ? hw::Bytes() : bf16_bytes((again ? shape.tokens : shape.shard) * h);
    const hw::Bytes own_input = shape.shares_input() ? hw::Bytes() : kept_part_input(shape);
    const hw::Bytes input = ends + own_input + input_of_norm_behind(shape) + dropout_mask(shape);
    if (shape.plan.recompute.dense_ffn) {
        return input;
    }
    const hw::Bytes second =
        again && shape.ffn_inputs > 1 ? payload_bytes(shape, shape.tokens, shape.ffn_width) : hw::Bytes();
    return input + activation_kept(shape, shape.tokens, shape.ffn_width) - second;
}

hw::Bytes moe_ffn_activations(const LayerShape& shape) {
    const Moe& moe = shape.model.moe;
    const std::int64_t h = shape.model.hidden;
    const hw::Bytes router =
        fp32_bytes(shape.shard * moe.experts) +
        hw::Bytes(8.0 + 4.0) * static_cast<double>(shape.shard * moe.top_k); // index and weight
    const hw::Bytes input =
        bf16_bytes(shape.shard * h) + kept_part_input(shape) + dropout_mask(shape) + router;
    if (shape.plan.recompute.moe) {
        return input;
    }
    // DeepSeek's FP8 work keeps received tokens once and gathers them again for the weight gradient; other
    // work keeps expert rows.
    const hw::Bytes received =
        operand_bytes(shape, shape.fp8 ? shape.arrived_rows : shape.routed_rows, shape.expert_hidden);
    // The latent projections' inputs: the norm's output is kept above, what comes back from the experts is
    // not.
    const hw::Bytes latent =
        moe.latent > 0 ? operand_bytes(shape, shape.shard, shape.expert_hidden) : hw::Bytes();
    const hw::Bytes shared = shape.plan.recompute.shared_experts
                                 ? hw::Bytes()
                                 : activation_kept(shape, shape.tokens, shape.shared_width);
    // The routing weights' gradient needs what they multiply; one kernel of a gated activation runs it again.
    const hw::Bytes unweighted = shape.model.gated_ffn || shape.plan.recompute.activation
                                     ? hw::Bytes()
                                     : bf16_bytes(shape.routed_rows * shape.expert_width);
    return input + received + latent + activation_kept(shape, shape.routed_rows, shape.expert_width) +
           unweighted + shared;
}

/// What mamba_ssm's memory-efficient path saves: the projection's output and the scan's, in front of the
/// gate; the output norm keeps its input, the projection out its own.
hw::Bytes state_space_activations(const LayerShape& shape) {
    const StateSpaceShape& s = shape.state_space;
    return bf16_bytes(shape.shard * shape.model.hidden) + kept_norm_output(shape, shape.model.hidden) +
           dropout_mask(shape) + bf16_bytes(shape.tokens * (s.projected + 2 * s.inner)) +
           operand_bytes(shape, shape.tokens, s.inner);
}

hw::Bytes mixer_activations(const LayerShape& shape) {
    switch (shape.parts.mixer) {
    case Mixer::attention:
        return attention_activations(shape);
    case Mixer::state_space:
        return state_space_activations(shape);
    case Mixer::none:
        break;
    }
    return {};
}

hw::Bytes ffn_activations(const LayerShape& shape) {
    switch (shape.parts.ffn) {
    case Ffn::dense:
        return dense_ffn_activations(shape);
    case Ffn::experts:
        return moe_ffn_activations(shape);
    case Ffn::none:
        break;
    }
    return {};
}

} // namespace

StageParameters stage_parameters(const ModelArch& model, const ParallelPlan& plan,
                                 const std::vector<Block>& blocks) {
    StageParameters sum;
    const bool has_embedding = std::ranges::count(blocks, BlockKind::embedding, &Block::kind) > 0;
    bool has_head = false;
    const auto per_gpu = [&](std::int64_t parameters) {
        return (parameters + plan.tensor - 1) / plan.tensor;
    };
    for (const Block& block : blocks) {
        const BlockParameters own = block_parameters(model, block);
        sum.expert += own.routed / (std::int64_t{plan.expert} * plan.expert_tensor);
        const std::int64_t whole = parameters_not_split(model, block);
        const std::int64_t split = own.matrices + own.sensitive - whole;
        sum.replicated += whole + per_gpu(split);
        sum.matrices += per_gpu(own.matrices);
        if (block.kind == BlockKind::head) {
            // MTP shares the main head, and a tied head shares the embedding where both lie in one stage.
            const bool shared = has_head || (model.tied_embeddings && has_embedding);
            sum.replicated -= shared ? per_gpu(std::int64_t{model.vocabulary} * model.hidden) : 0;
            has_head = true;
        }
    }
    return sum;
}

hw::Bytes activation_bytes(const ModelArch& model, const ParallelPlan& plan, const Block& block) {
    const LayerShape shape = layer_shape(model, plan, block);
    const hw::Bytes stream = bf16_bytes(shape.shard * model.hidden);
    switch (block.kind) {
    case BlockKind::embedding:
        return hw::Bytes(8.0 * static_cast<double>(shape.tokens)) + dropout_mask(shape); // token numbers
    case BlockKind::dense_layer:
    case BlockKind::moe_layer:
        return mixer_activations(shape) + ffn_activations(shape);
    case BlockKind::mtp_projection:
        return 2.0 *
               (stream + (plan.recompute.norm ? hw::Bytes() : stream)); // both inputs, both norms' outputs
    case BlockKind::head:
        return stream + (plan.recompute.norm ? hw::Bytes() : stream); // logits are a buffer
    }
    return {};
}

std::vector<hw::Bytes> kept_activations(const ModelArch& model, const ParallelPlan& plan,
                                        const std::vector<Block>& stage) {
    const LayerShape shape = layer_shape(model, plan);
    std::vector<hw::Bytes> kept;
    int layers = 0;
    for (const Block& block : stage) {
        const int layer = block.layer >= 0 ? layers++ : -1;
        const bool again = layer >= 0 && plan.recompute.layer &&
                           (plan.recompute_layers == 0 || layer < plan.recompute_layers);
        const bool has_input = layer % plan.recompute_every == 0;
        kept.push_back(!again       ? activation_bytes(model, plan, block)
                       : !has_input ? hw::Bytes()
                                    : bf16_bytes(shape.shard * model.hidden));
    }
    return kept;
}

} // namespace chokepoint::work
