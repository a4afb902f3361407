// SPDX-License-Identifier: Apache-2.0
// What others fuse, as PyTorch runs it operation by operation: bytes and kernels of each chain together.
#pragma once

#include "layer_operators.hpp"

namespace chokepoint::work {

inline bool eager(const LayerShape& shape) { return shape.plan.elementwise == Elementwise::eager; }

hw::Operator eager_norm(const LayerShape&, std::string name, std::int64_t elements, bool with_residual);
hw::Operator eager_norm_backward(const LayerShape&, std::string name, std::int64_t elements,
                                 bool with_residual);
/// Forward and backward alike: the backward turns the other way.
hw::Operator eager_rotation(std::string name, std::int64_t elements);
/// `outputs` as the activation writes them; a gated one reads twice as many.
hw::Operator eager_activation(const LayerShape&, std::string name, std::int64_t outputs);
/// With the forward once more where its result was not kept.
hw::Operator eager_activation_backward(const LayerShape&, std::string name, std::int64_t outputs,
                                       bool with_forward);
/// AdamW's update of FP32 parameters and moments, with the clipping in front.
hw::Operator eager_update(std::string name, double parameters);
/// Sum of a product's output gradients over tokens.
hw::Operator eager_bias_gradient(std::string name, std::int64_t elements);

} // namespace chokepoint::work
