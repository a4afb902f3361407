// SPDX-License-Identifier: Apache-2.0
// Kernels of a framework that follow each other over one tensor, counted together.
#pragma once

#include <chokepoint/hwmodels/operator.hpp>

#include <string>
#include <utility>

namespace chokepoint::work {

/// Bytes that a chain of kernels reads and writes for each element, and how many kernels it is.
struct Chain {
    double read = 0.0;
    double written = 0.0;
    int kernels = 0;
};

constexpr Chain operator+(Chain a, Chain b) {
    return {a.read + b.read, a.written + b.written, a.kernels + b.kernels};
}

inline constexpr Chain kWiden{2, 4, 1};  ///< BF16 to FP32
inline constexpr Chain kNarrow{4, 2, 1}; ///< and back
inline constexpr Chain kSum{4, 2, 1};    ///< or product, of two BF16 tensors
inline constexpr Chain kWideUnary{4, 4, 1};
inline constexpr Chain kWideSum{8, 4, 1}; ///< or product, of two FP32 tensors

inline hw::Operator as_operator(std::string name, hw::KernelClass kernel, Chain chain, double elements) {
    hw::Operator op = hw::streaming(std::move(name), kernel, hw::Bytes(chain.read * elements),
                                    hw::Bytes(chain.written * elements), chain.kernels);
    op.one_call = true;
    return op;
}

} // namespace chokepoint::work
