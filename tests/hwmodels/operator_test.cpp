// SPDX-License-Identifier: Apache-2.0
// Arithmetic and traffic of kernels, against counts worked out by hand.
#include <chokepoint/hwmodels/operator.hpp>

#include <gtest/gtest.h>

namespace chokepoint::hw {
namespace {

constexpr std::int64_t kTokens = 4096;

double gigaflops(const Operator& op) { return arithmetic(op).value() / 1e9; }

TEST(Operator, GemmCountsTwoFlopsForEachProduct) {
    const Operator down = gemm("o", KernelClass::gemm, DType::fp8, Scaling::block_128, kTokens, 7168, 16384);
    EXPECT_NEAR(gigaflops(down), 962.1, 0.1); // DeepSeek-V3's output projection
    const Operator experts =
        gemm("experts", KernelClass::grouped_gemm, DType::fp8, Scaling::block_128, 8192, 4096, 7168, 4);
    EXPECT_NEAR(gigaflops(experts), 1924.1, 0.1);
}

TEST(Operator, ForwardAndBothGradientsOfAGemmCountTheSame) {
    const std::int64_t n = 1536;
    const std::int64_t k = 7168;
    const auto forward = gemm("f", KernelClass::gemm, DType::bf16, Scaling::none, kTokens, n, k);
    const auto input_gradient = gemm("i", KernelClass::gemm, DType::bf16, Scaling::none, kTokens, k, n);
    const auto weight_gradient =
        gemm("w", KernelClass::gemm_wgrad, DType::bf16, Scaling::none, n, k, kTokens);
    EXPECT_EQ(arithmetic(forward), arithmetic(input_gradient));
    EXPECT_EQ(arithmetic(forward), arithmetic(weight_gradient));
}

TEST(Operator, GemmMovesEachTensorOnce) {
    const auto plain = gemm("p", KernelClass::gemm, DType::bf16, Scaling::none, 256, 384, 512);
    EXPECT_EQ(plain.read, Bytes((256 + 384) * 512 * 2));
    EXPECT_EQ(plain.written, Bytes(256 * 384 * 2));
    const auto scaled = gemm("s", KernelClass::gemm, DType::fp8, Scaling::block_128, 256, 384, 512);
    EXPECT_EQ(scaled.read, Bytes((256 + 384) * 512 + 4 * (256 * 4 + 3 * 4)));
    EXPECT_EQ(scaled.written, plain.written) << "FP8 inputs still write BF16";
    const auto ragged = gemm("r", KernelClass::gemm, DType::fp8, Scaling::block_128, 1, 1, 129);
    EXPECT_EQ(ragged.read, Bytes(2 * 129 + 4 * (2 + 2))) << "a started block has a scale";
}

TEST(Operator, WeightGradientReadsAndWritesItsFp32Accumulator) {
    const auto plain = gemm("p", KernelClass::gemm_wgrad, DType::bf16, Scaling::none, 256, 384, 512);
    EXPECT_EQ(plain.read, Bytes((256 + 384) * 512 * 2 + 256 * 384 * 4));
    EXPECT_EQ(plain.written, Bytes(256 * 384 * 4));
    const auto scaled = gemm("s", KernelClass::gemm_wgrad, DType::fp8, Scaling::block_128, 256, 384, 512);
    EXPECT_EQ(scaled.read, Bytes((256 + 384) * 512 + 4 * (256 + 384) * 4 + 256 * 384 * 4));
}

TEST(Operator, GroupsMultiplyEverything) {
    for (const auto& [one, many] : {std::pair{KernelClass::gemm, KernelClass::grouped_gemm},
                                    {KernelClass::gemm_wgrad, KernelClass::grouped_wgrad}}) {
        const auto single = gemm("1", one, DType::fp8, Scaling::block_128, 8192, 4096, 7168);
        const auto grouped = gemm("4", many, DType::fp8, Scaling::block_128, 8192, 4096, 7168, 4);
        EXPECT_EQ(grouped.read, single.read * 4.0);
        EXPECT_EQ(grouped.written, single.written * 4.0);
        EXPECT_EQ(arithmetic(grouped), arithmetic(single) * 4.0);
    }
}

TEST(Operator, CausalAttentionCountsAreTheKnownOnes) {
    // Forward and backward GFLOP of DeepSeek-V3, Mixtral and GPT-3 with TP8, each causal.
    const auto v3 = attention("v3", KernelClass::attention_fwd, 1, 4096, 128, 128, 192, 128);
    const auto v3_backward = attention("v3", KernelClass::attention_bwd, 1, 4096, 128, 128, 192, 128);
    EXPECT_NEAR(gigaflops(v3), 687.2, 0.1);
    EXPECT_NEAR(gigaflops(v3_backward), 1786.7, 0.1);
    EXPECT_NEAR(gigaflops(attention("mixtral", KernelClass::attention_fwd, 1, 4096, 32, 8, 128, 128)), 137.4,
                0.1);
    EXPECT_NEAR(gigaflops(attention("gpt3", KernelClass::attention_bwd, 1, 2048, 12, 12, 128, 128)), 32.2,
                0.1);
}

TEST(Operator, CausalAttentionIsHalfOfFull) {
    for (const KernelClass kernel : {KernelClass::attention_fwd, KernelClass::attention_bwd}) {
        const auto causal = attention("c", kernel, 2, 1000, 16, 2, 128, 128, true);
        const auto full = attention("f", kernel, 2, 1000, 16, 2, 128, 128, false);
        EXPECT_EQ(arithmetic(full), arithmetic(causal) * 2.0);
        EXPECT_EQ(full.read, causal.read) << "a mask moves no data";
    }
}

TEST(Operator, BackwardOfEqualHeadsIsFiveGemmsToTwo) {
    const auto forward = attention("f", KernelClass::attention_fwd, 1, 4096, 32, 8, 128, 128);
    const auto backward = attention("b", KernelClass::attention_bwd, 1, 4096, 32, 8, 128, 128);
    EXPECT_DOUBLE_EQ(arithmetic(backward) / arithmetic(forward), 2.5);
}

TEST(Operator, AttentionMovesSharedKeysOnce) {
    const auto op = attention("gqa", KernelClass::attention_fwd, 1, 100, 8, 2, 64, 32);
    EXPECT_EQ(op.read, Bytes(100 * (8 * 64 + 2 * (64 + 32)) * 2));
    EXPECT_EQ(op.written, Bytes(100 * 8 * 32 * 2 + 100 * 8 * 4));
    const auto backward = attention("gqa", KernelClass::attention_bwd, 1, 100, 8, 2, 64, 32);
    EXPECT_EQ(backward.written, op.read) << "a gradient for each of q, k and v";
    EXPECT_EQ(backward.read, op.read + op.written + Bytes(100 * 8 * 32 * 2))
        << "and the gradient of the output";
}

TEST(Operator, StreamingKernelsComputeNothing) {
    const auto op = streaming("norm", KernelClass::norm_fwd, 100_MB, 50_MB, 3);
    EXPECT_EQ(arithmetic(op), Flops(0.0));
    EXPECT_EQ(op.read, 100_MB);
    EXPECT_EQ(op.written, 50_MB);
    EXPECT_EQ(op.launches, 3);
}

TEST(KernelClass, NamesReadBack) {
    for (int i = 0; i <= static_cast<int>(KernelClass::optimizer); ++i) {
        const auto kernel = static_cast<KernelClass>(i);
        EXPECT_EQ(kernel_class_from(name(kernel)), kernel);
        EXPECT_EQ(is_memory_bound(kernel), i > static_cast<int>(KernelClass::attention_bwd)) << name(kernel);
    }
    EXPECT_EQ(kernel_class_from("gemmm"), std::nullopt);
}

TEST(Operator, MicroscalesCostAByteForTheirBlock) {
    const auto scales = [](Scaling scaling, DType dtype, KernelClass kernel) {
        const auto plain = gemm("p", kernel, dtype, Scaling::none, 256, 384, 512);
        return (gemm("s", kernel, dtype, scaling, 256, 384, 512).read - plain.read).value();
    };
    EXPECT_EQ(scales(Scaling::mx_32, DType::fp8, KernelClass::gemm), (256 + 384) * 512 / 32);
    EXPECT_EQ(scales(Scaling::nv_16, DType::fp4, KernelClass::gemm), (256 + 384) * 512 / 16 + 2 * 4);
    EXPECT_EQ(scales(Scaling::mx_32, DType::fp8, KernelClass::gemm_wgrad), (256 + 384) * 512 / 32);
    EXPECT_EQ(scales(Scaling::per_tensor, DType::fp8, KernelClass::gemm), 2 * 4);
}

TEST(Operator, QuantisingReadsBf16AndWritesTheFormatWithItsScales) {
    const auto traffic = [](DType to, Scaling scaling, bool transposed, bool current) {
        const Operator op = quantize("q", to, scaling, 256, 512, transposed, current);
        return std::pair{op.read.value(), op.written.value()};
    };
    const double elements = 256 * 512;
    EXPECT_EQ(traffic(DType::fp8, Scaling::block_128, false, false),
              std::pair(2 * elements, elements + 4 * elements / 128));
    EXPECT_EQ(traffic(DType::fp8, Scaling::mx_32, true, false),
              std::pair(2 * elements, 2 * (elements + elements / 32)));
    EXPECT_EQ(traffic(DType::fp4, Scaling::nv_16, false, false),
              std::pair(2 * elements, elements / 2 + elements / 16 + 4));
    EXPECT_EQ(traffic(DType::fp8, Scaling::per_tensor, false, true), std::pair(4 * elements, elements + 4))
        << "the largest value of the tensor is found first";
    EXPECT_EQ(quantize("q", DType::fp8, Scaling::mx_32, 256, 512, true).kernel,
              KernelClass::quantize_transpose);
}

TEST(Scaling, EveryNameIsReadBack) {
    for (const Scaling scaling :
         {Scaling::none, Scaling::per_tensor, Scaling::block_128, Scaling::mx_32, Scaling::nv_16}) {
        EXPECT_EQ(scaling_from(name(scaling)), scaling);
    }
    EXPECT_FALSE(scaling_from("block_129"));
}

} // namespace
} // namespace chokepoint::hw
