// SPDX-License-Identifier: Apache-2.0
// Kernels of a MoE layer's FFN half: received rows into expert order, grouped GEMMs and back; shared experts.
#include "layer_ffn.hpp"

#include <algorithm>

namespace chokepoint::work {

using hw::KernelClass;

namespace {

/// From the experts' width back to the model's, whole on every GPU for its shard of the tokens.
Linear latent_up(const LayerShape& shape) {
    return {"latent up", shape.expert_hidden, shape.model.hidden, Rows::shard};
}

std::int64_t expert_up_width(const LayerShape& shape) { return shape.ffn_inputs * shape.expert_width; }
std::int64_t expert_weights(const LayerShape& shape, std::int64_t in, std::int64_t out) {
    return shape.local_experts * in * out;
}

std::int64_t rows_per_expert(const LayerShape& shape) {
    // To the nearest: the balanced share need not be whole.
    return std::max<std::int64_t>(1, (shape.routed_rows + shape.local_experts / 2) / shape.local_experts);
}

hw::Operator grouped(const LayerShape& shape, std::string name, std::int64_t n, std::int64_t k) {
    return hw::gemm(std::move(name), KernelClass::grouped_gemm, matrix_dtype(shape), matrix_scaling(shape),
                    rows_per_expert(shape), n, k, shape.local_experts);
}

hw::Operator grouped_wgrad(const LayerShape& shape, std::string name, std::int64_t m, std::int64_t n) {
    hw::Operator op = hw::gemm(std::move(name), KernelClass::grouped_wgrad, matrix_dtype(shape),
                               matrix_scaling(shape), m, n, rows_per_expert(shape), shape.local_experts);
    op.launches = shape.local_experts; // one kernel per expert in the profile
    return into_gradients(shape, std::move(op));
}

/// Both copies of an MXFP8 operand, along rows and along columns, with their scales.
hw::Bytes both_copies(const LayerShape& shape, std::int64_t width) {
    return 2.0 * fp8_bytes(shape.routed_rows, width);
}

/// The up projection. Fused, it also writes the down projection's operand; its own output stays for the
/// backward.
hw::Operator up_projection(const LayerShape& shape) {
    hw::Operator op = grouped(shape, "expert up", expert_up_width(shape), shape.expert_hidden);
    if (shape.plan.fused_experts) {
        op.written += both_copies(shape, shape.expert_width);
    }
    return op;
}

/// Back through the down projection. Fused, on through the activation: it reads the activation's input and
/// writes its gradient as operands of the next products.
hw::Operator down_input_gradient(const LayerShape& shape) {
    hw::Operator op = grouped(shape, "expert down dgrad", shape.expert_width, shape.expert_hidden);
    if (shape.plan.fused_experts) {
        op.read += bf16_bytes(shape.routed_rows * expert_up_width(shape));
        op.written = both_copies(shape, expert_up_width(shape));
    }
    return promoted(std::move(op));
}

/// Received tokens, each copied to the rows of the local experts it chose.
hw::Operator permute(const LayerShape& shape, std::string name) {
    return hw::streaming(std::move(name), KernelClass::permute,
                         payload_bytes(shape, shape.arrived_rows, shape.expert_hidden),
                         payload_bytes(shape, shape.routed_rows, shape.expert_hidden));
}

/// Expert rows summed to one BF16 row for each received token.
hw::Operator unpermute(const LayerShape& shape, std::string name) {
    return hw::streaming(std::move(name), KernelClass::unpermute,
                         bf16_bytes(shape.routed_rows * shape.expert_hidden),
                         bf16_bytes(shape.arrived_rows * shape.expert_hidden));
}

void cast_rows(Operators& out, const LayerShape& shape, std::string name, std::int64_t width) {
    if (shape.cast) {
        hw::Operator op = cast(shape, std::move(name), shape.routed_rows, width);
        op.groups = static_cast<int>(shape.local_experts);
        out.push_back(std::move(op));
    }
}

/// Scales of the expert rows into the order the grouped GEMM reads.
hw::Operator copy_scales(const LayerShape& shape, std::string name, std::int64_t width, int launches = 1) {
    return pass(std::move(name), KernelClass::copy, scale_bytes(shape.routed_rows, width), launches);
}

/// A weight for every routed row is scaled or summed; far smaller than the rows.
hw::Operator row_weights(const LayerShape& shape, std::string name) {
    return pass(std::move(name), KernelClass::add, fp32_bytes(shape.routed_rows));
}

/// GPUs that share an expert's matrices all need the rows that any of them received, and each sums a part of
/// their products.
InnerTransfer rows_transfer(TransferKind kind, std::string name, hw::Bytes bytes) {
    return {.name = std::move(name), .kind = kind, .group = Group::expert_tensor, .bytes = bytes};
}
void gather_rows(Operators& out, const LayerShape& shape, std::string name) {
    if (shape.plan.expert_tensor > 1) {
        out.transfer(rows_transfer(TransferKind::all_gather, std::move(name),
                                   payload_bytes(shape, shape.arrived_rows, shape.expert_hidden)));
    }
}
void reduce_rows(Operators& out, const LayerShape& shape, std::string name) {
    if (shape.plan.expert_tensor > 1) {
        out.transfer(rows_transfer(TransferKind::reduce_scatter, std::move(name),
                                   bf16_bytes(shape.arrived_rows * shape.expert_hidden)));
    }
}

void add_mapping(Operators& out, const LayerShape& shape) {
    // Counts and positions of every expert's rows, from the choices (64-bit indices) of received tokens.
    const hw::Bytes choices(8.0 * static_cast<double>(shape.arrived_rows * shape.model.moe.top_k));
    // Two kernels in DeepSeek's profile, behind DeepEP. Megatron-Core's plain dispatchers count in the
    // framework's operations, unless every expert gets as many rows: sums over tokens, ranks and experts, the
    // counts of all ranks, four copies to the host, row maps of both permutations (0.12,
    // transformer/moe/token_dispatcher.py, preprocess).
    constexpr int kLaunches = 2, kPlainLaunches = 16;
    const bool plain =
        shape.plan.dispatcher == Dispatcher::all_to_all || shape.plan.dispatcher == Dispatcher::all_gather;
    out.push_back(hw::streaming("expert mapping", KernelClass::expert_map, 2.0 * choices,
                                fp32_bytes(2 * shape.routed_rows),
                                plain && shape.plan.capacity_factor == 0.0 ? kPlainLaunches : kLaunches));
}

/// The down projection's bias, weighted by its row's routing weight: a product and a sum for each expert in
/// FP32 (the routing weights' format), then all rows together and to BF16 (Megatron-Core's TEGroupedMLP).
void down_bias(Operators& out, const LayerShape& shape) {
    if (!shape.model.biases || shape.plan.fused_experts) {
        return;
    }
    const std::int64_t elements = shape.routed_rows * shape.expert_hidden;
    const hw::Bytes wide = fp32_bytes(elements);
    const hw::Bytes narrow = bf16_bytes(elements);
    out.push_back(hw::streaming("expert down bias", KernelClass::add, narrow + 3.0 * wide,
                                3.0 * wide + narrow, 2 * shape.local_experts + 2));
}

/// Its gradients: the sum's in both formats, the bias's (products, summed over rows) and the routing weights'
/// (products, summed over columns); the experts' gradients put together. Fused, a sum over rows is left.
void down_bias_backward(Operators& out, const LayerShape& shape) {
    if (!shape.model.biases) {
        return;
    }
    const std::int64_t elements = shape.routed_rows * shape.expert_hidden;
    const hw::Bytes wide = fp32_bytes(elements);
    const hw::Bytes narrow = bf16_bytes(elements);
    const std::string name = "expert down bias backward";
    if (shape.plan.fused_experts) {
        out.push_back(hw::streaming(name, KernelClass::add, narrow, hw::Bytes(0.0), shape.local_experts));
        return;
    }
    out.push_back(hw::streaming(name, KernelClass::add, 2.0 * narrow + 5.0 * wide, 3.0 * wide + 2.0 * narrow,
                                5 * shape.local_experts + 2));
}

void routed_forward(Operators& out, const LayerShape& shape) {
    const std::int64_t h = shape.expert_hidden;
    const std::int64_t width = shape.expert_width;
    add_mapping(out, shape);
    gather_rows(out, shape, "gather expert rows");
    out.push_back(permute(shape, "permute"));
    if (shape.fp8) {
        out.push_back(
            transpose_weight("expert up weight transpose", expert_weights(shape, h, expert_up_width(shape))));
        out.push_back(copy_scales(shape, "expert up scales", h));
    }
    cast_rows(out, shape, "expert up cast", h);
    out.push_back(up_projection(shape));
    if (!shape.plan.fused_experts) {
        out.push_back(row_weights(shape, "routing weights"));
        out.push_back(activation_forward(shape, "expert activation", shape.routed_rows, width));
    }
    if (shape.fp8) {
        out.push_back(transpose_weight("expert down weight transpose", expert_weights(shape, width, h)));
        // The second kernel writes the grouped operands' descriptors.
        out.push_back(copy_scales(shape, "expert down scales", width, 2));
    }
    if (!shape.plan.fused_experts) {
        cast_rows(out, shape, "expert down cast", width);
    }
    out.push_back(grouped(shape, "expert down", h, width));
    down_bias(out, shape);
    out.push_back(unpermute(shape, "unpermute"));
    reduce_rows(out, shape, "reduce expert rows");
}

/// Gradient of the experts' output, which the gradient's dispatch brought, back through the down projection.
void routed_down_backward(Operators& out, const LayerShape& shape) {
    const std::int64_t width = shape.expert_width;
    if (shape.fp8) {
        out.push_back(dequantize("read expert up", shape.routed_rows, expert_up_width(shape)));
    }
    gather_rows(out, shape, "gather expert gradients");
    out.push_back(permute(shape, "permute gradient"));
    if (shape.fp8) {
        out.push_back(copy_scales(shape, "expert down gradient scales", shape.expert_hidden));
    }
    down_bias_backward(out, shape);
    cast_rows(out, shape, "expert down gradient cast", shape.expert_hidden);
    out.push_back(down_input_gradient(shape));
    if (shape.plan.fused_experts) {
        return;
    }
    out.push_back(activation_backward(shape, "expert activation backward", shape.routed_rows, width,
                                      shape.plan.recompute.activation));
    // The gradient of a routing weight: output times gradient, summed over the row.
    out.push_back(hw::streaming("routing weight gradient", KernelClass::swiglu_bwd,
                                2.0 * bf16_bytes(shape.routed_rows * width), fp32_bytes(shape.routed_rows)));
    if (shape.fp8) {
        out.push_back(quantize_transpose("expert activation transpose", shape.routed_rows, width));
    }
    out.push_back(row_weights(shape, "routing weights backward"));
}

void routed_up_backward(Operators& out, const LayerShape& shape) {
    const std::int64_t up = expert_up_width(shape);
    if (shape.fp8) {
        out.push_back(quantize("expert up gradient quantize", shape.routed_rows, up));
        out.push_back(copy_scales(shape, "expert up gradient scales", up));
    }
    if (shape.model.biases) { // its gradient: the sum over rows, which is next to nothing to write
        out.push_back(hw::streaming("expert up bias gradient", KernelClass::add,
                                    bf16_bytes(shape.routed_rows * up), hw::Bytes(0.0), shape.local_experts));
    }
    if (!shape.plan.fused_experts) {
        cast_rows(out, shape, "expert up gradient cast", up);
    }
    out.push_back(promoted(grouped(shape, "expert up dgrad", shape.expert_hidden, up)));
    out.push_back(unpermute(shape, "unpermute gradient"));
    reduce_rows(out, shape, "reduce expert gradients");
    if (shape.fp8) {
        out.push_back(quantize_transpose("expert up gradient transpose", shape.routed_rows, up));
    }
}

void routed_weight_gradient(Operators& out, const LayerShape& shape) {
    const std::int64_t h = shape.expert_hidden;
    // Received rows and their gradients stay in FP8, gathered again on the way to scales along the tokens.
    if (shape.fp8) {
        out.push_back(
            quantize_transpose("expert down gradient transpose", shape.routed_rows, h, Operand::quantized));
    }
    out.push_back(grouped_wgrad(shape, "expert down wgrad", h, shape.expert_width));
    if (shape.fp8) {
        out.push_back(quantize_transpose("expert input transpose", shape.routed_rows, h, Operand::quantized));
    }
    out.push_back(grouped_wgrad(shape, "expert up wgrad", expert_up_width(shape), h));
}

} // namespace

void add_moe_ffn(BlockKernels& block, const LayerShape& shape) {
    const bool shared = shape.model.moe.shared_experts > 0;
    const Mlp mlp = shared_mlp(shape);

    Operators& fwd = block.ffn_forward;
    if (shared) {
        mlp_up_forward(fwd, shape, mlp);
    }
    routed_forward(fwd, shape);
    if (shared) {
        mlp_down_forward(fwd, shape, mlp);
    }
    if (shape.fp8) {
        fwd.push_back(quantize("cache expert up", shape.routed_rows, expert_up_width(shape)));
    }
    if (shared) {
        mlp_cache(fwd, shape, mlp);
    }
    // Behind the transfer back, where nothing runs beside it but the next layer: here it takes as long.
    if (shape.model.moe.latent > 0) {
        forward(fwd, shape, latent_up(shape));
    }
    if (arrives_per_expert(shape.plan)) {
        // The rows of a token come back one by one; their sum belongs behind the transfer, which takes as
        // long.
        fwd.push_back(hw::streaming("sum expert rows", KernelClass::unpermute,
                                    bf16_bytes(shape.routed_rows * shape.expert_hidden),
                                    bf16_bytes(shape.shard * shape.expert_hidden)));
    }

    Operators& bwd = block.ffn_backward;
    if (shape.model.moe.latent > 0) { // in front of the gradients' transfer, likewise
        input_gradient(bwd, shape, latent_up(shape));
        weight_gradient_operands(bwd, shape, latent_up(shape));
    }
    if (shared && shape.plan.recompute.shared_experts) {
        Operators again;
        mlp_up_forward(again, shape, mlp);
        mlp_down_forward(again, shape, mlp);
        run_again(bwd, again);
    }
    if (shared) {
        mlp_down_backward(bwd, shape, mlp);
    }
    routed_down_backward(bwd, shape);
    // Also where there are no shared experts: the router's weight gradient needs the norm's output.
    mlp_input_recompute(bwd, shape);
    routed_up_backward(bwd, shape);
    if (shared) {
        mlp_up_backward(bwd, shape, mlp);
    }

    Operators& weights = block.ffn_weight_gradient;
    if (shape.model.moe.latent > 0) {
        weight_gradient(weights, shape, latent_up(shape));
    }
    if (shared) {
        weight_gradient(weights, shape, mlp_down(shape, mlp));
    }
    routed_weight_gradient(weights, shape);
    if (shared) {
        weight_gradient(weights, shape, mlp_up(shape, mlp));
    }
}

} // namespace chokepoint::work
