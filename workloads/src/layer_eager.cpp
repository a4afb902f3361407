// SPDX-License-Identifier: Apache-2.0
// The chains are those of ATen and its derivatives (pytorch/pytorch, tools/autograd/derivatives.yaml) under
// the modules of Llama and GPT as torchtitan and llm-foundry write them.
#include "layer_eager.hpp"

#include <utility>

namespace chokepoint::work {

using hw::KernelClass;

namespace {

/// Bytes that a chain of kernels reads and writes for each element, and how many kernels it is.
struct Chain {
    double read = 0.0;
    double written = 0.0;
    int kernels = 0;
};

constexpr Chain operator+(Chain a, Chain b) {
    return {a.read + b.read, a.written + b.written, a.kernels + b.kernels};
}

constexpr Chain kWiden{2, 4, 1};  ///< BF16 to FP32
constexpr Chain kNarrow{4, 2, 1}; ///< and back
constexpr Chain kSum{4, 2, 1};    ///< or product, of two BF16 tensors
constexpr Chain kWideUnary{4, 4, 1};
constexpr Chain kWideSum{8, 4, 1}; ///< or product, of two FP32 tensors

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

/// Logits in FP32, log-softmax, the target's; its kernel reads the row and writes it.
constexpr Chain kLoss = kWiden + kWideUnary + Chain{0, 0, 1};
/// A cleared tensor with the targets' gradients, through the log-softmax, narrowed.
constexpr Chain kLossBackward = Chain{0, 4, 2} + kWideSum + kNarrow;

/// AdamW over lists of FP32 tensors (torch/optim/adamw.py, _multi_tensor_adamw): gradients clipped, weights
/// decayed, the first moment, the second in two steps, its root, bias and epsilon, the update; and the new
/// parameters narrowed.
constexpr Chain kUpdate = kWideUnary + kWideUnary + kWideSum + kWideUnary + kWideSum + kWideUnary +
                          kWideUnary + kWideUnary + Chain{12, 4, 1} + kNarrow;

hw::Operator as_operator(std::string name, KernelClass kernel, Chain chain, double elements) {
    hw::Operator op = hw::streaming(std::move(name), kernel, hw::Bytes(chain.read * elements),
                                    hw::Bytes(chain.written * elements), chain.kernels);
    op.one_call = true;
    return op;
}

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
    return as_operator(std::move(name), plain ? KernelClass::norm_fwd : KernelClass::add, chain,
                       static_cast<double>(elements));
}

hw::Operator eager_norm_backward(const LayerShape& shape, std::string name, std::int64_t elements,
                                 bool with_residual) {
    const bool plain = shape.model.norm == NormKind::layernorm;
    const Chain chain = (plain ? kLayerNormBackward : kRmsNormBackward) + (with_residual ? kSum : Chain{});
    return as_operator(std::move(name), plain ? KernelClass::norm_bwd : KernelClass::add, chain,
                       static_cast<double>(elements));
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

hw::Operator eager_loss(std::string name, std::int64_t logits) {
    return as_operator(std::move(name), KernelClass::cross_entropy, kLoss, static_cast<double>(logits));
}

hw::Operator eager_loss_backward(std::string name, std::int64_t logits) {
    return as_operator(std::move(name), KernelClass::cross_entropy, kLossBackward,
                       static_cast<double>(logits));
}

hw::Operator eager_bias_gradient(std::string name, std::int64_t elements) {
    return as_operator(std::move(name), KernelClass::add, {2, 0, 1}, static_cast<double>(elements));
}

hw::Operator eager_update(std::string name, double parameters) {
    return as_operator(std::move(name), KernelClass::optimizer, kUpdate, parameters);
}

} // namespace chokepoint::work
