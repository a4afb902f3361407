// SPDX-License-Identifier: Apache-2.0
// What starting kernels costs the host.
#include <chokepoint/hwmodels/host_launch.hpp>

#include <gtest/gtest.h>

namespace chokepoint::hw {
namespace {

Operator product(KernelClass kernel, DType dtype, Scaling scaling) {
    return gemm("product", kernel, dtype, scaling, 8192, 2048, 2048);
}

/// A linear layer of Transformer Engine, forward and backward; with a norm in front where `normed`.
double layer_calls(DType dtype, Scaling scaling, bool normed) {
    double calls = 2.0 * host_calls(product(KernelClass::gemm, dtype, scaling)) +
                   host_calls(product(KernelClass::gemm_wgrad, dtype, scaling));
    if (dtype != DType::bf16) {
        calls += 2.0 * host_calls(quantize("cast", dtype, scaling, 8192, 2048, true));
    }
    if (normed) {
        calls += host_calls(streaming("norm", KernelClass::norm_fwd, Bytes(1.0), Bytes(1.0))) +
                 host_calls(streaming("norm backward", KernelClass::norm_bwd, Bytes(1.0), Bytes(1.0)));
    }
    return calls;
}

TEST(HostCalls, ALoopOfSmallKernelsTakesACallEach) {
    const Operator one = streaming("one", KernelClass::add, Bytes(1.0), Bytes(1.0), 1);
    const Operator many = streaming("many", KernelClass::router, Bytes(1.0), Bytes(1.0), 37);
    EXPECT_DOUBLE_EQ(host_calls(one), 1.0);
    EXPECT_DOUBLE_EQ(host_calls(many), 37.0);
}

TEST(HostCalls, AKernelPerExpertIsOneCallOfALibrary) {
    Operator loop = product(KernelClass::grouped_wgrad, DType::bf16, Scaling::none);
    const double single = host_calls(loop);
    loop.groups = 8;
    EXPECT_GT(host_calls(loop), single);
    EXPECT_LT(host_calls(loop), 8.0 * single);
}

TEST(HostCalls, AreInProportionToTransformerEnginesPublishedTimes) {
    // NVIDIA/TransformerEngine, pull request 3523, forward and backward on a GB200's host, over the 37.08 us
    // of PyTorch's linear layer there (issue 2053).
    constexpr double kCall = 37.08;
    EXPECT_NEAR(layer_calls(DType::bf16, Scaling::none, false), 276.50 / kCall, 0.1);
    EXPECT_NEAR(layer_calls(DType::fp8, Scaling::mx_32, false), 416.92 / kCall, 0.3);
    EXPECT_NEAR(layer_calls(DType::bf16, Scaling::none, true), 349.00 / kCall, 0.1);
    EXPECT_NEAR(layer_calls(DType::fp8, Scaling::mx_32, true), 490.49 / kCall, 0.3);
}

} // namespace
} // namespace chokepoint::hw
