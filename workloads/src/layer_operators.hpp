// SPDX-License-Identifier: Apache-2.0
// Building blocks of a layer's kernel lists: a linear map with its quantisations, and the kernels that stream
// memory. What runs around each matrix product follows the kernels of DeepSeek's published H800 profile
// (deepseek-ai/ profile-data, train.json).
#pragma once

#include "layer_shape.hpp"

namespace chokepoint::work {

using Operators = KernelSequence;

/// Which of a micro-batch's tokens a kernel of this GPU works on.
enum class Rows { all, shard };

/// out = in x weight, over the micro-batch's tokens.
struct Linear {
    std::string name;
    std::int64_t in = 0;
    std::int64_t out = 0;
    Rows rows = Rows::all;
    /// Whether another product of a parallel block does the tensor-parallel transfer of the forward, or of
    /// the backward, for this one too.
    bool joins_forward = false, joins_backward = false;
};

/// How a GEMM's operand lies in memory before it: FP8 work quantises it only if it is still BF16.
enum class Operand { bf16, quantized };

/// Format of projections and experts in this recipe.
hw::DType matrix_dtype(const LayerShape&);
hw::Scaling matrix_scaling(const LayerShape&);

void forward(Operators&, const LayerShape&, const Linear&, Operand input = Operand::bf16);
void input_gradient(Operators&, const LayerShape&, const Linear&, Operand output_gradient = Operand::bf16);
/// FP8 only: input and output gradient, scaled along the tokens and transposed, as the weight gradient
/// multiplies them.
void weight_gradient_operands(Operators&, const LayerShape&, const Linear&);
void weight_gradient(Operators&, const LayerShape&, const Linear&);
/// The same product, added to gradients of the plan's format instead of FP32.
hw::Operator into_gradients(const LayerShape&, hw::Operator weight_gradient);

/// A product of the backward, which FP8 with one scale per tensor adds up in full.
hw::Operator promoted(hw::Operator backward);
/// A product that a backward computes again, without the casts and transfers around it.
hw::Operator product_again(const LayerShape&, const Linear&);
/// Appends what a backward computes again, each kernel named so.
void run_again(Operators&, const Operators& forward);

hw::Operator norm(const LayerShape&, std::string name, std::int64_t rows, std::int64_t width);
/// Adds the residual stream first and writes it back beside the norm.
hw::Operator norm_with_residual(const LayerShape&, std::string name, std::int64_t rows, std::int64_t width);
/// With a residual, its gradient joins in.
hw::Operator norm_backward(const LayerShape&, std::string name, std::int64_t rows, std::int64_t width,
                           bool with_residual);
/// The norm behind a part of a sandwich, whose other outside is the one in front; nothing in other blocks.
void norm_behind(Operators&, const LayerShape&, const std::string& part);
void norm_behind_backward(Operators&, const LayerShape&, const std::string& part);
/// Rotation of queries or keys, and of their gradients.
hw::Operator rotation(const LayerShape&, std::string name, std::int64_t elements);

hw::Operator quantize(std::string name, std::int64_t rows, std::int64_t width);
hw::Operator dequantize(std::string name, std::int64_t rows, std::int64_t width);
hw::Operator quantize_transpose(std::string name, std::int64_t rows, std::int64_t width,
                                Operand from = Operand::bf16);
/// Transformer Engine's cast: one kernel writes the tensor as the forward (or input gradient) and, turned, as
/// the weight gradient read it. A scale taken from the tensor itself reads it once more for its maximum.
hw::Operator cast(const LayerShape&, std::string name, std::int64_t rows, std::int64_t width);

/// FP8 weights turned: the GEMM takes both operands contiguous along the reduction.
hw::Operator transpose_weight(std::string name, std::int64_t elements);
/// Scales of FP8 rows turned into the order a GEMM reads.
hw::Operator transpose_scales(std::string name, std::int64_t rows, std::int64_t width);

/// A kernel that reads and writes the same number of bytes.
hw::Operator pass(std::string name, hw::KernelClass, hw::Bytes, int launches = 1);
/// sum = a + b over BF16 tensors.
hw::Operator add(std::string name, std::int64_t elements);

} // namespace chokepoint::work
