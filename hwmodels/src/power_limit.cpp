// SPDX-License-Identifier: Apache-2.0
// Power at full clock from what GEMM loops lose on parts that were measured; the clock that a limit leaves.
#include <chokepoint/hwmodels/power_limit.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace chokepoint::hw {
namespace {

/// A part whose BF16 GEMMs were timed in bursts and in long loops of random data.
struct Loop {
    std::string_view architecture;
    double loss; ///< time of a launch in a loop over that in a burst, less one
    double watts;
    int sms;
    double tflops; ///< BF16: with the SMs, the boost clock
};

// The median of what is known of an architecture's nodes, each time of a launch over the burst curve's.
// "Tables": launches above 40 ms in the operator tables, normal data.
// A100: 257 TFLOPS of random data at 8192 cubed (thonking.ai, "Strangely, Matrix Multiplications"; the tables
// the same) against 280 in bursts. H100: 6%, 730 TFLOPS at 8192 cubed over a minute of uniform random data
// (huggingface/gpu-fryer@2b6fb06, README.md) where the tables have 777; 6%, 794 for the best shape of a
// search with 150 launches each (stas00/ml-engineering@b9e2972, Maximum Achievable Matmul FLOPS) where theirs
// is 842; tables 13%, H200's 17%. B200: tables 24%, GB200's 26%, B300's 17%; 45%, 75 timed launches after 25,
// each above 3 ms (measurements/published/gemm_loops.json).
constexpr std::array kLoops{
    Loop{"ampere", 0.09, 400.0, 108, 312.0},
    Loop{"hopper", 0.095, 700.0, 132, 989.0},
    Loop{"blackwell", 0.25, 1000.0, 148, 2250.0},
};

/// Power that does not go with the clock: a waiting GPU draws a fifth of its limit (catalog/power).
constexpr double kStatic = 0.2;
constexpr double kMostStatic = 0.6; // lower limits than that leaves are not sold

/// The rest goes with the clock and with the square of a voltage that follows it in part. A100's GEMMs at 300
/// and 400 W differ as if the exponent were 3 (SimuMax's PCIe card against the operator tables), GB300's at
/// 500 and 1,400 W, near the lowest voltage, as if it were 1.5 (facebookexperimental/triton, pull request
/// 2023).
constexpr double kExponent = 2.0;

/// Of the limit, attention draws nine tenths, and what streams memory half, as a transfer does
/// (catalog/power): judgements.
constexpr double kAttentionPower = 0.9;
constexpr double kStreamingPower = 0.5;

/// Share of the tensor peak that the large GEMMs of measurements/published/gemm_loops.json reach in a burst.
constexpr double kLargeShare = 0.71;

/// Shares of the part's limit.
struct Demand {
    double fixed = 0.0;
    double gemm = 0.0; ///< what GEMMs at full clock add to it
};

Demand demand_of(const GpuSpec& part) {
    const auto loop = std::ranges::find(kLoops, part.architecture, &Loop::architecture);
    if (loop == kLoops.end() || part.tdp.value() <= 0.0 || !part.dense_peak.contains(DType::bf16)) {
        return {};
    }
    const double clock = (part.peak(DType::bf16).value() / part.sm_count) / (loop->tflops * 1e12 / loop->sms);
    const double chip = static_cast<double>(part.sm_count) / loop->sms * std::pow(clock, kExponent);
    const double limit = part.tdp.value() / loop->watts;
    return {std::min(kStatic / limit, kMostStatic),
            (1.0 - kStatic) * std::pow(1.0 + loop->loss, kExponent) * chip / limit};
}

/// Time over that at full clock, where work at full clock would draw `dynamic` beyond the fixed share.
double slowdown(double fixed, double dynamic) {
    return std::max(1.0, std::pow(dynamic / (1.0 - fixed), 1.0 / kExponent));
}

} // namespace

double gemm_loop_slowdown(const GpuSpec& part) {
    const Demand demand = demand_of(part);
    return slowdown(demand.fixed, demand.gemm);
}

double loop_slowdown(double of_large, double tensor_share, double memory_share) {
    const double large = (1.0 - kStatic) * std::pow(of_large, kExponent);
    const double dynamic = large * tensor_share / kLargeShare + (kStreamingPower - kStatic) * memory_share;
    return std::min(of_large, slowdown(kStatic, dynamic));
}

double training_clock_slowdown(const GpuSpec& part, const KernelMix& mix) {
    const Demand demand = demand_of(part);
    const auto beyond_fixed = [&](double power) { return std::max(0.0, power - demand.fixed); };
    const double mean = mix.gemm * demand.gemm + mix.attention * beyond_fixed(kAttentionPower) +
                        (1.0 - mix.gemm - mix.attention) * beyond_fixed(kStreamingPower);
    return slowdown(demand.fixed, mean);
}

} // namespace chokepoint::hw
