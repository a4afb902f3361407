// SPDX-License-Identifier: Apache-2.0
// Matrices that a tensor-parallel group shares, with the transfers that stand around each product: a
// column-parallel one in front (each GPU computes some outputs of all tokens), then a row-parallel one (each
// GPU sums over some inputs). Megatron-LM: arXiv 1909.08053; scattered sequences: arXiv 2205.05198.
#pragma once

#include "layer_operators.hpp"

namespace chokepoint::work {

/// The scattered input is gathered, then multiplied.
void column_forward(Operators&, const LayerShape&, const Linear&, Operand input = Operand::bf16);
/// The products are summed over the group and scattered, or left whole on every GPU.
void row_forward(Operators&, const LayerShape&, const Linear&, Operand input = Operand::bf16);

/// The scattered gradient of the output is gathered, then multiplied; with the weight gradient's operands.
void row_input_gradient(Operators&, const LayerShape&, const Linear&,
                        Operand output_gradient = Operand::bf16);
/// Multiplies while the input is gathered again for the weight gradient, whose operands follow; or, without
/// overlap_input_gradient, with the input that was kept.
void column_input_gradient(Operators&, const LayerShape&, const Linear&,
                           Operand output_gradient = Operand::bf16);
/// Sums the gradient of a column-parallel input of `width`; it is the sequence's output, beside which the
/// weight gradient runs (Megatron-LM's LinearWithGradAccumulationAndAsyncCommunication). Without
/// overlap_input_gradient everything waits for it.
void reduce_input_gradient(Operators&, const LayerShape&, const std::string& name, std::int64_t width);

/// Exposed transfers over `width` elements of every token: what is scattered becomes whole, and what is
/// whole but partial becomes a sum.
void gather_tokens(Operators&, const LayerShape&, const std::string& name, std::int64_t width);
void reduce_tokens(Operators&, const LayerShape&, const std::string& name, std::int64_t width);

} // namespace chokepoint::work
