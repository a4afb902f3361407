// SPDX-License-Identifier: Apache-2.0
// The chains are those of ATen and its derivatives (pytorch/pytorch, tools/autograd/derivatives.yaml) under
// the modules of Llama and GPT as torchtitan and llm-foundry write them.
#include "layer_eager.hpp"

#include "kernel_chain.hpp"

#include <utility>

namespace chokepoint::work {

using hw::KernelClass;

namespace {

/// One kernel of PyTorch's own forward; backward one for the input's and one for the parameters' gradients,
/// with their accumulation.
constexpr Chain kLayerNorm{2, 2, 1};
constexpr Chain kLayerNormBackward{8, 2, 3};

/// In FP32: widen, square, mean, plus epsilon, inverse root, product with it; narrowed, times the scale.
constexpr Chain kRmsNorm = kWiden + kWideUnary + Chain{4, 0, 3} + kWideUnary + kNarrow + Chain{2, 2, 1};
/// Back through the scale (its own gradient a product and a sum), the cast, the product (one gradient for
/// each factor, that of the root summed over the row), the root and mean, and the square (grad * (2 * x^1));
/// the two gradients of the input added, and narrowed.
constexpr Chain kRmsNormBackward = Chain{2, 2, 1} + kSum + Chain{2, 0, 2} + kWiden + kWideUnary + kWideSum +
                                   Chain{4, 4, 5} + kWideUnary + kWideUnary + kWideSum + kWideSum + kNarrow;

/// A pair of elements as a complex number, times its angle.
constexpr Chain kRotation = kWiden + kWideUnary + kNarrow;

constexpr Chain kPlainActivation{2, 2, 1};
constexpr Chain kPlainActivationBackward = kSum;
constexpr Chain kSquaredRelu{4, 4, 2};
constexpr Chain kSquaredReluBackward = Chain{2, 2, 1} + kSum + kSum;
constexpr Chain kGated = Chain{2, 2, 1} + kSum;
constexpr Chain kGatedBackward = kSum + kSum + kSum;

/// AdamW over lists of FP32 tensors (torch/optim/adamw.py, _multi_tensor_adamw): gradients clipped, weights
/// decayed, the first moment, the second in two steps, its root, bias and epsilon, the update; and the new
/// parameters narrowed.
constexpr Chain kUpdate = kWideUnary + kWideUnary + kWideSum + kWideUnary + kWideSum + kWideUnary +
                          kWideUnary + kWideUnary + Chain{12, 4, 1} + kNarrow;

Chain activation(const LayerShape& shape) {
    if (shape.ffn_inputs > 1) {
        return kGated;
    }
    return shape.model.activation == Activation::squared_relu ? kSquaredRelu : kPlainActivation;
}

Chain activation_backward(const LayerShape& shape) {
    if (shape.ffn_inputs > 1) {
        return kGatedBackward;
    }
    return shape.model.activation == Activation::squared_relu ? kSquaredReluBackward
                                                              : kPlainActivationBackward;
}

} // namespace

hw::Operator eager_norm(const LayerShape& shape, std::string name, std::int64_t elements,
                        bool with_residual) {
    const bool plain = shape.model.norm == NormKind::layernorm;
    const Chain chain = (plain ? kLayerNorm : kRmsNorm) + (with_residual ? kSum : Chain{});
    hw::Operator op = as_operator(std::move(name), plain ? KernelClass::norm_fwd : KernelClass::add, chain,
                                  static_cast<double>(elements));
    op.library = hw::KernelLibrary::pytorch;
    return op;
}

hw::Operator eager_norm_backward(const LayerShape& shape, std::string name, std::int64_t elements,
                                 bool with_residual) {
    const bool plain = shape.model.norm == NormKind::layernorm;
    const Chain chain = (plain ? kLayerNormBackward : kRmsNormBackward) + (with_residual ? kSum : Chain{});
    hw::Operator op = as_operator(std::move(name), plain ? KernelClass::norm_bwd : KernelClass::add, chain,
                                  static_cast<double>(elements));
    op.library = hw::KernelLibrary::pytorch;
    return op;
}

hw::Operator eager_rotation(std::string name, std::int64_t elements) {
    return as_operator(std::move(name), KernelClass::add, kRotation, static_cast<double>(elements));
}

hw::Operator eager_activation(const LayerShape& shape, std::string name, std::int64_t outputs) {
    return as_operator(std::move(name), KernelClass::add, activation(shape), static_cast<double>(outputs));
}

hw::Operator eager_activation_backward(const LayerShape& shape, std::string name, std::int64_t outputs,
                                       bool with_forward) {
    const Chain chain = activation_backward(shape) + (with_forward ? activation(shape) : Chain{});
    return as_operator(std::move(name), KernelClass::add, chain, static_cast<double>(outputs));
}

hw::Operator eager_bias_gradient(std::string name, std::int64_t elements) {
    return as_operator(std::move(name), KernelClass::add, {2, 0, 1}, static_cast<double>(elements));
}

hw::Operator eager_update(std::string name, double parameters) {
    return as_operator(std::move(name), KernelClass::optimizer, kUpdate, parameters);
}

} // namespace chokepoint::work
