// SPDX-License-Identifier: Apache-2.0
// Kernels of an FFN that every token passes: a dense layer's, or a MoE layer's shared experts.
#include "layer_ffn.hpp"

#include "layer_eager.hpp"
#include "layer_tensor.hpp"

namespace chokepoint::work {

using hw::KernelClass;

Mlp dense_mlp(const LayerShape& shape) { return {"ffn", shape.ffn_width, Operand::bf16}; }

Mlp shared_mlp(const LayerShape& shape) {
    return {"shared", shape.shared_width, shape.cast ? Operand::bf16 : Operand::quantized};
}

Linear mlp_up(const LayerShape& shape, const Mlp& mlp) {
    return {.name = mlp.name + " up",
            .in = shape.model.hidden,
            .out = shape.ffn_inputs * mlp.width,
            .joins_forward = shape.shares_input()};
}

Linear mlp_down(const LayerShape& shape, const Mlp& mlp) {
    return {mlp.name + " down", mlp.width, shape.model.hidden};
}

hw::Operator activation_forward(const LayerShape& shape, std::string name, std::int64_t rows,
                                std::int64_t width) {
    if (eager(shape)) {
        return eager_activation(shape, std::move(name), rows * width);
    }
    // FP8 work quantises the result in the same kernel.
    return hw::streaming(std::move(name), KernelClass::swiglu_fwd,
                         bf16_bytes(rows * shape.ffn_inputs * width), payload_bytes(shape, rows, width));
}

hw::Operator activation_backward(const LayerShape& shape, std::string name, std::int64_t rows,
                                 std::int64_t width, bool with_forward) {
    if (eager(shape)) {
        return eager_activation_backward(shape, std::move(name), rows * width, with_forward);
    }
    const hw::Bytes input = bf16_bytes(rows * shape.ffn_inputs * width);
    const hw::Bytes output = bf16_bytes(rows * width);
    return hw::streaming(std::move(name), KernelClass::swiglu_bwd, input + output,
                         with_forward ? input + output : input);
}

void mlp_up_forward(Operators& out, const LayerShape& shape, const Mlp& mlp) {
    column_forward(out, shape, mlp_up(shape, mlp), mlp.operands);
}

namespace {

void mlp_activation(Operators& out, const LayerShape& shape, const Mlp& mlp) {
    out.push_back(activation_forward(shape, mlp.name + " activation", shape.tokens, mlp.width));
}

} // namespace

void mlp_down_forward(Operators& out, const LayerShape& shape, const Mlp& mlp) {
    mlp_activation(out, shape, mlp);
    row_forward(out, shape, mlp_down(shape, mlp), shape.cast ? Operand::bf16 : Operand::quantized);
}

void mlp_cache(Operators& out, const LayerShape& shape, const Mlp& mlp) {
    if (shape.fp8) {
        out.push_back(quantize("cache " + mlp.name + " up", shape.tokens, mlp_up(shape, mlp).out));
    }
}

void mlp_down_backward(Operators& out, const LayerShape& shape, const Mlp& mlp) {
    const Linear down = mlp_down(shape, mlp);
    const bool recompute = shape.plan.recompute.activation;
    if (shape.fp8) {
        out.push_back(dequantize("read " + mlp.name + " up", shape.tokens, mlp_up(shape, mlp).out));
    }
    row_input_gradient(out, shape, down, mlp.operands);
    if (shape.fp8) {
        out.push_back(quantize_transpose(mlp.name + " down gradient transpose", shape.tokens, down.out,
                                         Operand::quantized));
        const std::int64_t activation = shape.tokens * mlp.width;
        if (recompute) {
            // SwiGLU again, quantised and transposed in one kernel.
            out.push_back(hw::streaming(
                "recompute " + mlp.name + " activation transpose", KernelClass::quantize_transpose,
                bf16_bytes(shape.ffn_inputs * activation), fp8_bytes(mlp.width, shape.tokens)));
        } else {
            out.push_back(quantize_transpose(mlp.name + " activation transpose", shape.tokens, mlp.width,
                                             Operand::quantized));
        }
    }
    out.push_back(activation_backward(shape, mlp.name + " activation backward", shape.tokens, mlp.width,
                                      recompute && !shape.fp8));
}

void mlp_input_recompute(Operators& out, const LayerShape& shape) {
    if (!shape.plan.recompute.norm || shape.shares_input()) {
        return;
    }
    out.push_back(norm(shape, "recompute ffn norm", shape.shard, shape.model.hidden));
    if (shape.fp8) {
        out.push_back(quantize("recompute ffn input quantize", shape.shard, shape.model.hidden));
    }
}

void mlp_up_backward(Operators& out, const LayerShape& shape, const Mlp& mlp) {
    const Linear up = mlp_up(shape, mlp);
    if (shape.fp8) {
        // The weight gradient sees the values that the forward's GEMM saw: quantised, then back.
        out.push_back(dequantize("read " + mlp.name + " input", shape.tokens, up.in));
    }
    column_input_gradient(out, shape, up);
    if (!shape.shares_input()) {
        reduce_input_gradient(out, shape, mlp.name + " input", shape.model.hidden);
    }
}

void add_dense_ffn(BlockKernels& block, const LayerShape& shape) {
    const Mlp mlp = dense_mlp(shape);
    mlp_up_forward(block.ffn_forward, shape, mlp);
    if (runs_parallel(shape.model)) {
        // In front of the last product, which may as well add to it: either reads and writes it once more.
        block.ffn_forward.push_back(add("sum block outputs", shape.tokens * shape.model.hidden));
    }
    mlp_down_forward(block.ffn_forward, shape, mlp);
    norm_behind(block.ffn_forward, shape, "ffn");
    mlp_cache(block.ffn_forward, shape, mlp);

    if (shape.plan.recompute_early_stop) {
        mlp_up_forward(block.ffn_forward_again, shape, mlp);
        mlp_activation(block.ffn_forward_again, shape, mlp);
    }
    if (shape.plan.recompute.every_second_product && shape.ffn_inputs > 1) {
        block.ffn_backward.push_back(product_again(shape, {"ffn up", shape.model.hidden, mlp.width}));
    }
    norm_behind_backward(block.ffn_backward, shape, "ffn");
    mlp_down_backward(block.ffn_backward, shape, mlp);
    mlp_input_recompute(block.ffn_backward, shape);
    mlp_up_backward(block.ffn_backward, shape, mlp);

    weight_gradient(block.ffn_weight_gradient, shape, mlp_down(shape, mlp));
    weight_gradient(block.ffn_weight_gradient, shape, mlp_up(shape, mlp));
}

} // namespace chokepoint::work
