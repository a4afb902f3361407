// SPDX-License-Identifier: Apache-2.0
// The bytes behind each streaming kernel, and the kernels around each matrix product.
#include "layer_operators.hpp"

#include "layer_eager.hpp"

#include <stdexcept>
#include <utility>

namespace chokepoint::work {

using hw::KernelClass;

hw::DType matrix_dtype(const LayerShape& shape) { return matrix_format(shape.plan.precision); }
hw::Scaling matrix_scaling(const LayerShape& shape) {
    switch (shape.plan.precision) {
    case Precision::bf16:
    case Precision::fp16:
        return hw::Scaling::none;
    case Precision::fp8_block:
        return hw::Scaling::block_128;
    case Precision::fp8_tensor:
    case Precision::fp8_delayed:
        return hw::Scaling::per_tensor;
    case Precision::mxfp8:
        return hw::Scaling::mx_32;
    case Precision::nvfp4:
        return hw::Scaling::nv_16;
    }
    throw std::logic_error("a precision without scaling");
}

namespace {

std::int64_t rows(const LayerShape& shape, const Linear& linear) {
    return linear.rows == Rows::all ? shape.tokens : shape.shard;
}

} // namespace

void forward(Operators& out, const LayerShape& shape, const Linear& linear, Operand input) {
    if (shape.fp8) {
        if (input == Operand::bf16) {
            out.push_back(quantize(linear.name + " quantize", rows(shape, linear), linear.in));
        }
        out.push_back(transpose_scales(linear.name + " scales", rows(shape, linear), linear.in));
    } else if (shape.cast && input == Operand::bf16) {
        out.push_back(cast(shape, linear.name + " cast", rows(shape, linear), linear.in));
    }
    out.push_back(hw::gemm(linear.name, KernelClass::gemm, matrix_dtype(shape), matrix_scaling(shape),
                           rows(shape, linear), linear.out, linear.in));
}

void input_gradient(Operators& out, const LayerShape& shape, const Linear& linear, Operand output_gradient) {
    if (shape.fp8) {
        if (output_gradient == Operand::bf16) {
            out.push_back(quantize(linear.name + " gradient quantize", rows(shape, linear), linear.out));
        }
        out.push_back(transpose_weight(linear.name + " weight transpose", linear.in * linear.out));
        out.push_back(transpose_scales(linear.name + " gradient scales", rows(shape, linear), linear.out));
    } else if (shape.cast && output_gradient == Operand::bf16) {
        out.push_back(cast(shape, linear.name + " gradient cast", rows(shape, linear), linear.out));
    }
    out.push_back(promoted(hw::gemm(linear.name + " dgrad", KernelClass::gemm, matrix_dtype(shape),
                                    matrix_scaling(shape), rows(shape, linear), linear.in, linear.out)));
}

void weight_gradient_operands(Operators& out, const LayerShape& shape, const Linear& linear) {
    if (shape.fp8) {
        out.push_back(quantize_transpose(linear.name + " input transpose", rows(shape, linear), linear.in));
        out.push_back(
            quantize_transpose(linear.name + " gradient transpose", rows(shape, linear), linear.out));
    }
}

void weight_gradient(Operators& out, const LayerShape& shape, const Linear& linear) {
    if (eager(shape) && shape.model.biases) {
        out.push_back(eager_bias_gradient(linear.name + " bias gradient", rows(shape, linear) * linear.out));
    }
    out.push_back(
        into_gradients(shape, hw::gemm(linear.name + " wgrad", KernelClass::gemm_wgrad, matrix_dtype(shape),
                                       matrix_scaling(shape), linear.out, linear.in, rows(shape, linear))));
}

hw::Operator promoted(hw::Operator backward) {
    backward.promoted = backward.scaling == hw::Scaling::per_tensor;
    return backward;
}

hw::Operator into_gradients(const LayerShape& shape, hw::Operator weight_gradient) {
    const hw::Bytes gradients = static_cast<double>(weight_gradient.m * weight_gradient.n) *
                                weight_gradient.groups * hw::element_bytes(shape.plan.gradient_dtype);
    weight_gradient.read += gradients - weight_gradient.written;
    weight_gradient.written = gradients;
    return promoted(std::move(weight_gradient));
}

hw::Operator product_again(const LayerShape& shape, const Linear& linear) {
    return hw::gemm("recompute " + linear.name, KernelClass::gemm, matrix_dtype(shape), matrix_scaling(shape),
                    rows(shape, linear), linear.out, linear.in);
}

void run_again(Operators& out, const Operators& forward) {
    const std::size_t before = out.operators.size();
    for (hw::Operator op : forward) {
        op.name = "recompute " + op.name;
        out.push_back(std::move(op));
    }
    for (InnerTransfer transfer : forward.transfers) {
        transfer.after += before;
        transfer.until += transfer.until == InnerTransfer::kOutput ? 0 : before;
        out.transfers.push_back(std::move(transfer));
    }
}

namespace {

/// Norms of DeepSeek-V3's recipe are those of its profile.
hw::Operator from_library(const LayerShape& shape, hw::Operator op) {
    op.library = shape.fp8 ? hw::KernelLibrary::deepseek : hw::KernelLibrary::usual;
    return op;
}

} // namespace

hw::Operator norm(const LayerShape& shape, std::string name, std::int64_t rows, std::int64_t width) {
    if (eager(shape)) {
        return eager_norm(shape, std::move(name), rows * width, false);
    }
    return from_library(shape, pass(std::move(name), KernelClass::norm_fwd, bf16_bytes(rows * width)));
}

hw::Operator norm_with_residual(const LayerShape& shape, std::string name, std::int64_t rows,
                                std::int64_t width) {
    if (eager(shape)) {
        return eager_norm(shape, std::move(name), rows * width, true);
    }
    return from_library(shape, pass(std::move(name), KernelClass::norm_fwd, 2.0 * bf16_bytes(rows * width)));
}

hw::Operator norm_backward(const LayerShape& shape, std::string name, std::int64_t rows, std::int64_t width,
                           bool with_residual) {
    if (eager(shape)) {
        return eager_norm_backward(shape, std::move(name), rows * width, with_residual);
    }
    const hw::Bytes tensor = bf16_bytes(rows * width);
    // Three kernels: the gradient, the sum over rows for the scale's gradient, and its accumulation.
    constexpr int kLaunches = 3;
    return from_library(shape, hw::streaming(std::move(name), KernelClass::norm_bwd,
                                             (with_residual ? 3.0 : 2.0) * tensor, tensor, kLaunches));
}

void norm_behind(Operators& out, const LayerShape& shape, const std::string& part) {
    if (shape.model.block == BlockForm::sandwich_norm) {
        out.push_back(norm(shape, "norm behind " + part, shape.shard, shape.model.hidden));
    }
}

void norm_behind_backward(Operators& out, const LayerShape& shape, const std::string& part) {
    if (shape.model.block == BlockForm::sandwich_norm) {
        out.push_back(norm_backward(shape, "norm behind " + part + " backward", shape.shard,
                                    shape.model.hidden, false));
    }
}

hw::Operator rotation(const LayerShape& shape, std::string name, std::int64_t elements) {
    return eager(shape) ? eager_rotation(std::move(name), elements)
                        : pass(std::move(name), KernelClass::rope, bf16_bytes(elements));
}

hw::Operator quantize(std::string name, std::int64_t rows, std::int64_t width) {
    return hw::streaming(std::move(name), KernelClass::quantize, bf16_bytes(rows * width),
                         fp8_bytes(rows, width));
}

hw::Operator dequantize(std::string name, std::int64_t rows, std::int64_t width) {
    return hw::streaming(std::move(name), KernelClass::quantize, fp8_bytes(rows, width),
                         bf16_bytes(rows * width));
}

hw::Operator quantize_transpose(std::string name, std::int64_t rows, std::int64_t width, Operand from) {
    return hw::streaming(std::move(name), KernelClass::quantize_transpose,
                         from == Operand::bf16 ? bf16_bytes(rows * width) : fp8_bytes(rows, width),
                         fp8_bytes(width, rows));
}

hw::Operator cast(const LayerShape& shape, std::string name, std::int64_t rows, std::int64_t width) {
    const hw::Bytes input = bf16_bytes(rows * width);
    const bool two_passes = shape.plan.precision == Precision::fp8_tensor;
    return hw::streaming(std::move(name), KernelClass::quantize_transpose, two_passes ? 2.0 * input : input,
                         operand_bytes(shape, rows, width) + operand_bytes(shape, width, rows),
                         two_passes ? 2 : 1);
}

hw::Operator transpose_weight(std::string name, std::int64_t elements) {
    return pass(std::move(name), KernelClass::copy, hw::Bytes(static_cast<double>(elements)));
}

hw::Operator transpose_scales(std::string name, std::int64_t rows, std::int64_t width) {
    return pass(std::move(name), KernelClass::copy, scale_bytes(rows, width));
}

hw::Operator pass(std::string name, hw::KernelClass kernel, hw::Bytes bytes, int launches) {
    return hw::streaming(std::move(name), kernel, bytes, bytes, launches);
}

hw::Operator add(std::string name, std::int64_t elements) {
    return hw::streaming(std::move(name), KernelClass::add, 2.0 * bf16_bytes(elements), bf16_bytes(elements));
}

} // namespace chokepoint::work
