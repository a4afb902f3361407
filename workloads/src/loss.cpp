// SPDX-License-Identifier: Apache-2.0
// What each implementation of the loss reads and writes of a logit, in 16 bits as the head made it. Kernels
// on rows of tokens are counted too, though they move next to nothing.
#include "loss.hpp"

#include "kernel_chain.hpp"

#include <stdexcept>

namespace chokepoint::work {

using hw::KernelClass;

namespace {

struct Loss {
    Chain forward, backward;
};

/// One pass finds maximum and sum, one puts the gradient in the logits' place, and the backward scales it
/// (Transformer Engine 2.3, transformer_engine/pytorch/triton/cross_entropy.py).
constexpr Loss kFused{.forward = {4, 2, 4}, .backward = {2, 2, 3}};

/// In FP32: widened, the maximum, less that, exponential, sum, quotient; scaled, and narrowed by autograd
/// (Megatron-LM, core/tensor_parallel/cross_entropy.py). Twelve kernels find the targets' logits and the
/// loss.
constexpr Loss kInPlace{.forward = kWiden + Chain{4, 0, 1} + kWideUnary + kWideUnary + Chain{4, 0, 1} +
                                   kWideUnary + Chain{0, 0, 12},
                        .backward = kWideUnary + kNarrow + Chain{0, 0, 6}};

/// The same in compiled pieces (core/fusions/fused_cross_entropy.py): widened with the maximum; exponential
/// with the sum; quotient. Where a piece reduces or scatters what it overwrites, the compiler writes a new
/// tensor and copies that back.
constexpr Loss kCompiled{.forward = kWiden + kWideUnary + kWideUnary + kWideUnary + Chain{0, 0, 4},
                         .backward = kWideUnary + Chain{4, 4 + 2, 1} + Chain{0, 0, 3}};

/// PyTorch's: widened, log-softmax, the target's; a cleared tensor with the targets' gradients, through the
/// log-softmax, narrowed.
constexpr Loss kEager{.forward = kWiden + kWideUnary + Chain{0, 0, 1},
                      .backward = Chain{0, 4, 2} + kWideSum + kNarrow};

const Loss& loss_of(CrossEntropy kernel) {
    switch (kernel) {
    case CrossEntropy::fused:
        return kFused;
    case CrossEntropy::in_place:
        return kInPlace;
    case CrossEntropy::compiled:
        return kCompiled;
    case CrossEntropy::eager:
        return kEager;
    }
    throw std::logic_error("a loss without kernels");
}

} // namespace

hw::Operator loss(const LayerShape& shape, std::int64_t logits) {
    return as_operator("cross-entropy", KernelClass::cross_entropy, loss_of(shape.plan.cross_entropy).forward,
                       static_cast<double>(logits));
}

hw::Operator loss_backward(const LayerShape& shape, std::int64_t logits) {
    return as_operator("cross-entropy backward", KernelClass::cross_entropy,
                       loss_of(shape.plan.cross_entropy).backward, static_cast<double>(logits));
}

} // namespace chokepoint::work
