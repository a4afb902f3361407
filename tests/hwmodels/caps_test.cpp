// SPDX-License-Identifier: Apache-2.0
// What a cap does to a part: export-restricted parts are capped parts, nothing else.
#include "shipped.hpp"

#include <gtest/gtest.h>

namespace chokepoint::hw {
namespace {

using test::catalog;
using test::part;

/// What the silicon does, without what names, cites or prices it.
GpuSpec anonymous(GpuSpec gpu) {
    gpu.id.clear();
    gpu.name.clear();
    gpu.prices.clear();
    gpu.citations.clear();
    return gpu;
}

TEST(Caps, H800IsAnH100WithItsPublishedCaps) {
    Caps published;
    published.nvlink = 400_GBps; // arXiv 2505.09343: 900 to 400 GB/s
    published.fp64 = 1_TFLOPS;
    EXPECT_EQ(anonymous(apply(published, part("h100-sxm"))), anonymous(part("h800-sxm")));
    EXPECT_NE(anonymous(part("h100-sxm")), anonymous(part("h800-sxm")));
}

TEST(Caps, A800IsAnA100WithItsPublishedCap) {
    Caps published;
    published.nvlink = 400_GBps; // below the 600 GB/s of 87 FR 62186
    EXPECT_EQ(anonymous(apply(published, part("a100-sxm"))), anonymous(part("a800-sxm")));
    EXPECT_NE(anonymous(part("a100-sxm")), anonymous(part("a800-sxm")));
}

TEST(Caps, NothingChangesBelowACap) {
    Caps loose;
    loose.nvlink = BytesPerSecond(1e15);
    loose.nic = BytesPerSecond(1e15);
    loose.memory_bandwidth = BytesPerSecond(1e15);
    loose.fp64 = FlopsPerSecond(1e18);
    loose.tpp = 1e6;
    for (const GpuSpec& gpu : catalog().gpus()) {
        EXPECT_EQ(apply(Caps{}, gpu), gpu) << gpu.id;
        EXPECT_EQ(apply(loose, gpu), gpu) << gpu.id;
    }
}

TEST(Caps, ApplyingTwiceIsApplyingOnce) {
    Caps caps;
    caps.nvlink = 300_GBps;
    caps.memory_bandwidth = BytesPerSecond(1.5e12);
    caps.fp64 = 1_TFLOPS;
    for (const GpuSpec& gpu : catalog().gpus()) {
        const GpuSpec once = apply(caps, gpu);
        EXPECT_EQ(apply(caps, once), once) << gpu.id;
        EXPECT_LE(once.nvlink, *caps.nvlink) << gpu.id;
        EXPECT_LE(once.memory_bandwidth, *caps.memory_bandwidth) << gpu.id;
        if (gpu.dense_peak.contains(DType::fp64)) {
            EXPECT_LE(once.peak(DType::fp64), *caps.fp64) << gpu.id;
        }
    }
}

TEST(Caps, AchievableNvlinkKeepsItsShareOfTheLink) {
    Caps caps;
    caps.nvlink = 123_GBps;
    for (const GpuSpec& gpu : catalog().gpus()) {
        if (gpu.nvlink == BytesPerSecond()) {
            EXPECT_EQ(apply(caps, gpu), gpu) << gpu.id << ": nothing to cap";
            continue;
        }
        const GpuSpec capped = apply(caps, gpu);
        EXPECT_NEAR(capped.nvlink_achievable / capped.nvlink, gpu.nvlink_achievable / gpu.nvlink, 1e-12)
            << gpu.id;
    }
}

TEST(Caps, ATppCapScalesTensorRatesAlikeAndHoldsOverall) {
    for (const double tpp : {4800.0, 2400.0, 1600.0, 100.0}) {
        Caps caps;
        caps.tpp = tpp;
        for (const GpuSpec& gpu : catalog().gpus()) {
            const double own = total_processing_performance(gpu);
            const GpuSpec capped = apply(caps, gpu);
            EXPECT_NEAR(total_processing_performance(capped), std::min(tpp, own), 1e-9 * own) << gpu.id;
            const double scale = capped.peak(DType::bf16) / gpu.peak(DType::bf16);
            EXPECT_NEAR(scale, std::min(1.0, tpp / own), 1e-12) << gpu.id;
            EXPECT_NEAR(capped.peak(DType::int8) / gpu.peak(DType::int8), scale, 1e-12) << gpu.id;
        }
    }
}

TEST(Caps, TppIsThePublishedOne) {
    // 16 bits x 989.5 and 8 bits x 1,979 both give 15,832; Ampere's is 16 x 312; the H20 stays below 2,400.
    EXPECT_DOUBLE_EQ(total_processing_performance(part("h100-sxm")), 15832.0);
    EXPECT_DOUBLE_EQ(total_processing_performance(part("h800-sxm")), 15832.0);
    EXPECT_DOUBLE_EQ(total_processing_performance(part("a100-sxm")), 4992.0);
    EXPECT_DOUBLE_EQ(total_processing_performance(part("h20-sxm")), 2368.0);
}

TEST(Caps, ANodeTakesTheNicCapAndPassesTheRestToItsParts) {
    Node node = *catalog().usual_node(part("h100-sxm"));
    Caps caps;
    caps.nic = 200_Gbps;
    caps.nvlink = 400_GBps;
    const Node capped = apply(caps, node);
    EXPECT_EQ(capped.nic, 25_GBps);
    EXPECT_EQ(capped.gpu, apply(caps, node.gpu));
    EXPECT_EQ(nic_per_gpu(capped), 25_GBps);
    node.nics = 4;
    EXPECT_EQ(nic_per_gpu(node), 25_GBps) << "four NICs of 50 GB/s for eight GPUs";
}

TEST(GpuSpec, AMissingRateIsNamed) {
    try {
        (void)part("a100-sxm").peak(DType::fp8);
        FAIL() << "an A100 has no FP8";
    } catch (const std::invalid_argument& error) {
        EXPECT_STREQ(error.what(), "a100-sxm has no fp8 rate");
    }
}

TEST(DType, NamesReadBack) {
    for (const DType dtype : {DType::fp64, DType::fp32, DType::tf32, DType::bf16, DType::fp16, DType::fp8,
                              DType::fp4, DType::int8}) {
        EXPECT_EQ(dtype_from(name(dtype)), dtype);
        EXPECT_GT(element_bytes(dtype).value(), 0.0);
    }
    EXPECT_EQ(dtype_from("bfloat"), std::nullopt);
    EXPECT_EQ(element_bytes(DType::fp4), Bytes(0.5));
}

} // namespace
} // namespace chokepoint::hw
