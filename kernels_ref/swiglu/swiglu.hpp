// SPDX-License-Identifier: Apache-2.0
// SwiGLU, h = silu(gate) up, fused with the quantisation of its result, forward and backward.
#pragma once

#include "framework/number_formats.hpp"
#include "framework/workload.hpp"

namespace chokepoint::kref {

/// `gate_up` holds each row's `columns` gate values and then its `columns` up values; columns a multiple of
/// 128.
struct SwigluForward {
    const Bf16Bits* gate_up = nullptr; ///< [rows][2 columns]
    E4m3Bits* codes = nullptr;         ///< [rows][columns]
    float* scales = nullptr;           ///< [columns / 128][rows]
    std::int64_t rows = 0, columns = 0;
};
void swiglu_forward(const SwigluForward&, const Launch&);

/// Gradients of gate and up, laid out as gate_up: in BF16 if `gradient` is set, else quantised with scales
/// [2 columns / 128][rows].
struct SwigluBackward {
    const Bf16Bits* gate_up = nullptr;
    const Bf16Bits* dh = nullptr; ///< [rows][columns]
    Bf16Bits* gradient = nullptr;
    E4m3Bits* codes = nullptr;
    float* scales = nullptr;
    std::int64_t rows = 0, columns = 0;
};
void swiglu_backward(const SwigluBackward&, const Launch&);

double swiglu_reference(double gate, double up);
struct SwigluGradient {
    double gate = 0.0, up = 0.0;
};
SwigluGradient swiglu_gradient_reference(double gate, double up, double dh);

std::vector<Case> swiglu_cases();
Work swiglu_forward_work(const Case&);
Work swiglu_backward_work(const Case&);
Work swiglu_backward_quantized_work(const Case&);
std::unique_ptr<Workload> make_swiglu_forward(const Case&, Device&);
std::unique_ptr<Workload> make_swiglu_backward(const Case&, Device&);
std::unique_ptr<Workload> make_swiglu_backward_quantized(const Case&, Device&);

} // namespace chokepoint::kref
