// SPDX-License-Identifier: Apache-2.0
// Calls of a framework behind an operator's kernels.
#include <chokepoint/hwmodels/host_launch.hpp>

#include <algorithm>

namespace chokepoint::hw {
namespace {

// Transformer Engine's modules on a GB200's host, forward and backward, take 277 us (Linear, BF16), 417 us
// (Linear, MXFP8), 349 and 490 us (LayerNormLinear; NVIDIA/TransformerEngine, pull request 3523, behind it),
// where PyTorch's own linear layer takes 37 us forward (issue 2053). A Linear is three products, and in MXFP8
// two casts; a LayerNormLinear is a norm and its backward more. In units of those 37 us these weights give
// 7.5, 11.5, 9.5 and 13.5, the figures 7.5, 11.3, 9.4 and 13.2.
constexpr double kProduct = 2.5;
constexpr double kCast = 2.0;

/// A further kernel of one such call, which a library launches: 10 us in Transformer Engine's loop over
/// experts on GH200 (GeodesicResearch/geodesic-megatron,
/// docs/investigations/120b-gbs64-host-overhead-investigation.md), where a call takes that host 120.
constexpr double kFurtherKernel = 10.0 / 120.0;

/// Transformer Engine multiplies and casts the rows of one expert after the other; DeepSeek's own kernels
/// take all at once.
double further_kernels(const Operator& op) {
    const int kernels = op.scaling == Scaling::block_128 ? op.launches : std::max(op.launches, op.groups);
    return (kernels - 1) * kFurtherKernel;
}

} // namespace

double host_calls(const Operator& op, const Operator* previous) {
    if (previous != nullptr && previous->name == op.name) {
        return kFurtherKernel;
    }
    switch (op.kernel) {
    case KernelClass::gemm:
    case KernelClass::gemm_wgrad:
    case KernelClass::grouped_gemm:
    case KernelClass::grouped_wgrad:
    case KernelClass::attention_fwd:
    case KernelClass::attention_bwd:
        return kProduct + further_kernels(op);
    case KernelClass::quantize:
    case KernelClass::quantize_transpose:
        return kCast + further_kernels(op);
    case KernelClass::norm_bwd:
        return 1.0 + further_kernels(op);
    default:
        return op.one_call ? 1.0 + (op.launches - 1) * kFurtherKernel : op.launches;
    }
}

} // namespace chokepoint::hw
