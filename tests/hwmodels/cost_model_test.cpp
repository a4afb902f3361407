// SPDX-License-Identifier: Apache-2.0
// Laws of both cost models: what more work, less hardware or faster hardware must do to a kernel's time.
#include "shipped.hpp"

#include <chokepoint/hwmodels/cost_model.hpp>
#include <chokepoint/hwmodels/fit.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace chokepoint::hw {
namespace {

using namespace literals;

const std::filesystem::path kFits = std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "hwmodels/fits";

GpuSpec h800() {
    GpuSpec part;
    part.id = "h800-sxm";
    part.architecture = "hopper";
    part.sm_count = 132;
    part.dense_peak = {{DType::bf16, 989_TFLOPS}, {DType::fp8, 1979_TFLOPS}, {DType::fp32, 67_TFLOPS}};
    part.memory_bandwidth = 3350_GBps;
    return part;
}

CalibrationOptions shipped() {
    CalibrationOptions options;
    options.fits = kFits;
    return options;
}

std::unique_ptr<CostModel> calibrated(const GpuSpec& part = h800(), CalibrationOptions options = shipped()) {
    return make_calibrated_model(part, options);
}

/// One of everything, at DeepSeek-V3's sizes and some others.
std::vector<Operator> operators() {
    const auto block = Scaling::block_128;
    std::vector<Operator> list{
        gemm("o", KernelClass::gemm, DType::fp8, block, 4096, 7168, 16384),
        gemm("kv_b", KernelClass::gemm, DType::fp8, block, 4096, 32768, 512),
        gemm("small", KernelClass::gemm, DType::fp8, block, 64, 128, 256),
        gemm("o wgrad", KernelClass::gemm_wgrad, DType::fp8, block, 7168, 16384, 4096),
        gemm("expert up", KernelClass::grouped_gemm, DType::fp8, block, 8192, 4096, 7168, 4),
        gemm("expert up wgrad", KernelClass::grouped_wgrad, DType::fp8, block, 4096, 7168, 8192, 4),
        gemm("head", KernelClass::gemm, DType::bf16, Scaling::none, 4096, 129280, 7168),
        gemm("head wgrad", KernelClass::gemm_wgrad, DType::bf16, Scaling::none, 129280, 7168, 4096),
        attention("attention", KernelClass::attention_fwd, 1, 4096, 128, 128, 192, 128),
        attention("attention", KernelClass::attention_bwd, 1, 4096, 128, 128, 192, 128),
        attention("full", KernelClass::attention_fwd, 2, 2048, 32, 8, 128, 128, false),
    };
    for (int i = static_cast<int>(KernelClass::norm_fwd); i <= static_cast<int>(KernelClass::optimizer);
         ++i) {
        const auto kernel = static_cast<KernelClass>(i);
        list.push_back(streaming(std::string(name(kernel)), kernel, 60_MB, 30_MB, 2));
    }
    return list;
}

GpuSpec times_two(GpuSpec part) {
    for (auto& [dtype, peak] : part.dense_peak) {
        peak *= 2.0;
    }
    part.memory_bandwidth *= 2.0;
    return part;
}

TEST(RooflineModel, IsTheLargerOfArithmeticAndTraffic) {
    const auto model = make_roofline_model(h800());
    const Operator large = gemm("", KernelClass::gemm, DType::bf16, Scaling::none, 8192, 8192, 8192);
    EXPECT_DOUBLE_EQ(model->estimate(large, {}).time.value(), 2.0 * std::pow(8192.0, 3) / 989e12);
    const Operator copy = streaming("", KernelClass::copy, 67_MB, 67_MB, 40);
    EXPECT_DOUBLE_EQ(model->estimate(copy, {}).time.value(), 134e6 / 3350e9);
}

TEST(RooflineModel, HeldSmsLowerTheArithmeticPeakOnly) {
    const auto model = make_roofline_model(h800());
    const Operator large = gemm("", KernelClass::gemm, DType::bf16, Scaling::none, 8192, 8192, 8192);
    EXPECT_DOUBLE_EQ(model->estimate(large, {66, false}).time / model->estimate(large, {}).time, 2.0);
    const Operator copy = streaming("", KernelClass::copy, 67_MB, 67_MB);
    EXPECT_EQ(model->estimate(copy, {66, true}).time, model->estimate(copy, {}).time);
}

TEST(CalibratedModel, NeverBeatsTheRoofline) {
    const auto roofline = make_roofline_model(h800());
    for (const bool in_training : {true, false}) {
        for (const bool newest : {true, false}) {
            CalibrationOptions options = shipped();
            options.in_training = in_training;
            options.newest_software = newest;
            const auto model = calibrated(h800(), options);
            for (const Operator& op : operators()) {
                for (const Occupancy occupancy : {Occupancy{}, Occupancy{20, true}}) {
                    EXPECT_GT(model->estimate(op, occupancy).time, roofline->estimate(op, occupancy).time)
                        << op.name << " holding " << occupancy.sms_held;
                }
            }
        }
    }
}

TEST(CalibratedModel, DoublingEveryRateHalvesTheTime) {
    CalibrationOptions no_launch = shipped();
    no_launch.kernel_launch = 0_s;
    const auto model = calibrated(h800(), no_launch);
    const auto twice = calibrated(times_two(h800()), no_launch);
    for (const Operator& op : operators()) {
        for (const Occupancy occupancy : {Occupancy{}, Occupancy{20, true}}) {
            EXPECT_DOUBLE_EQ(twice->estimate(op, occupancy).time.value(),
                             0.5 * model->estimate(op, occupancy).time.value())
                << op.name;
        }
    }
}

TEST(CalibratedModel, TwiceTheRowsTakeLonger) {
    const auto model = calibrated();
    for (const auto& [kernel, groups] :
         {std::pair{KernelClass::gemm, 1}, std::pair{KernelClass::grouped_gemm, 4}}) {
        for (const auto& [n, k] : {std::pair{7168, 16384}, std::pair{32768, 512}, std::pair{576, 7168}}) {
            Seconds before;
            for (int m = 256; m <= 65536; m *= 2) {
                const Operator op = gemm("", kernel, DType::fp8, Scaling::block_128, m, n, k, groups);
                const Seconds time = model->estimate(op, {}).time;
                EXPECT_GE(time, before) << name(kernel) << " " << m << "x" << n << "x" << k;
                before = time;
            }
        }
    }
}

/// Residuals of single measurements may ripple; the curve itself may not.
TEST(Curve, NeverFallsWithRows) {
    FitSet fits = read_fits(kFits / "hopper.json");
    for (Fit& fit : fits.fits) {
        if (fit.form != CurveForm::tiled) {
            continue;
        }
        fit.corrected = false;
        Seconds before;
        for (int m = 32; m <= 20000; m += 61) {
            const Operator op = gemm("", fit.kernel, fit.dtype, fit.scaling, m, 4096, 2048, 4);
            const Seconds time = curve_time(fit, fits.stream, h800(), op, 20, 0.0);
            ASSERT_GE(time, before) << name(fit.kernel) << " at " << m << " rows";
            before = time;
        }
    }
}

TEST(CalibratedModel, HeldSmsSlowArithmeticByTheirShare) {
    const auto model = calibrated();
    const Operator large = gemm("", KernelClass::gemm, DType::fp8, Scaling::block_128, 32768, 24576, 7168);
    const double gemm_ratio = model->estimate(large, {20, false}).time / model->estimate(large, {}).time;
    EXPECT_NEAR(gemm_ratio, 132.0 / 112.0, 0.02); // the last wave of tiles is not a whole one
    const Operator scores = attention("", KernelClass::attention_fwd, 1, 4096, 128, 128, 192, 128);
    EXPECT_NEAR(model->estimate(scores, {20, false}).time / model->estimate(scores, {}).time, 132.0 / 112.0,
                0.02);
    const Operator copy = streaming("", KernelClass::copy, 67_MB, 67_MB);
    EXPECT_EQ(model->estimate(copy, {20, false}).time, model->estimate(copy, {}).time);
}

TEST(CalibratedModel, ATransferBesideSlowsStreamingMoreThanArithmetic) {
    const auto model = calibrated();
    const auto slowdown = [&](const Operator& op) {
        return model->estimate(op, {0, true}).time / model->estimate(op, {0, false}).time;
    };
    const double streaming_slowdown = slowdown(streaming("", KernelClass::copy, 600_MB, 600_MB));
    const double gemm_slowdown =
        slowdown(gemm("", KernelClass::gemm, DType::fp8, Scaling::block_128, 8192, 7168, 16384));
    EXPECT_GT(gemm_slowdown, 1.0);
    EXPECT_GT(streaming_slowdown, gemm_slowdown);
    EXPECT_LT(streaming_slowdown, 1.23); // the whole of it only if transfers streamed all the time
}

TEST(CalibratedModel, LaunchesAreTheFloorOfTinyKernels) {
    const auto model = calibrated();
    const Seconds one = model->estimate(streaming("", KernelClass::add, 0_B, 0_B, 1), {}).time;
    const Seconds many = model->estimate(streaming("", KernelClass::add, 0_B, 0_B, 37), {}).time;
    EXPECT_GT(one, 1_us);
    EXPECT_LT(one, 10_us);
    EXPECT_DOUBLE_EQ(many / one, 37.0);
}

TEST(CalibratedModel, AGivenLaunchTimeReplacesTheFittedOne) {
    CalibrationOptions options = shipped();
    options.kernel_launch = 100_us;
    const auto slow = calibrated(h800(), options);
    options.kernel_launch = 0_us;
    const auto none = calibrated(h800(), options);
    for (const Operator& op : operators()) {
        const Seconds difference = slow->estimate(op, {}).time - none->estimate(op, {}).time;
        EXPECT_NEAR(difference / 100_us, op.launches, 1e-9 * op.launches) << op.name;
    }
}

TEST(CalibratedModel, TheSustainedClockScalesArithmeticOnly) {
    CalibrationOptions options = shipped();
    options.kernel_launch = 0_us;
    const auto full = calibrated(h800(), options);
    options.sustained_clock = 0.8;
    const auto slow = calibrated(h800(), options);
    const Operator scores = attention("", KernelClass::attention_fwd, 1, 4096, 128, 128, 192, 128);
    EXPECT_NEAR(slow->estimate(scores, {}).time / full->estimate(scores, {}).time, 1.0 / 0.8, 1e-3);
    const Operator copy = streaming("", KernelClass::copy, 67_MB, 67_MB);
    EXPECT_EQ(slow->estimate(copy, {}).time, full->estimate(copy, {}).time);
}

TEST(CalibratedModel, EqualFiguresGiveEqualTimes) {
    GpuSpec h100 = h800();
    h100.id = "h100-sxm";
    h100.nvlink = 900_GBps;
    for (const Operator& op : operators()) {
        EXPECT_EQ(calibrated(h100)->estimate(op, {20, true}).time,
                  calibrated()->estimate(op, {20, true}).time);
    }
}

TEST(CalibratedModel, NewerKernelsAndBenchmarksAreFasterThanTheTrainingRun) {
    const Operator wgrad =
        gemm("", KernelClass::gemm_wgrad, DType::fp8, Scaling::block_128, 7168, 16384, 4096);
    const Operator expert =
        gemm("", KernelClass::grouped_gemm, DType::fp8, Scaling::block_128, 8192, 7168, 2048, 4);
    for (const Operator& op : {wgrad, expert}) {
        const auto time = [&](bool in_training, bool newest) {
            CalibrationOptions options = shipped();
            options.in_training = in_training;
            options.newest_software = newest;
            return calibrated(h800(), options)->estimate(op, {}).time;
        };
        EXPECT_GT(time(true, false), time(false, false));
        EXPECT_GT(time(false, false), time(false, true));
        EXPECT_GT(time(true, true), time(false, true));
        EXPECT_GT(time(true, false), time(true, true));
    }
}

// arXiv 2407.08608 has both on H100: 602 and 333 TFLOPS forward with a mask at 8 k tokens, 559 and 318
// backward without one. What training software runs on Ampere by itself is FlashAttention-2.
TEST(CalibratedModel, FlashAttention2IsSlowerOnHopperAndAmperesOwn) {
    const auto ratio = [](const GpuSpec& part, KernelClass kernel, bool causal) {
        CalibrationOptions options = shipped();
        options.in_training = false;
        options.newest_software = true;
        Operator op = attention("", kernel, 2, 8192, 16, 16, 128, 128, causal);
        const auto model = calibrated(part, options);
        const Seconds usual = model->estimate(op, {}).time;
        op.library = KernelLibrary::flash_attention_2;
        return model->estimate(op, {}).time / usual;
    };
    EXPECT_NEAR(ratio(h800(), KernelClass::attention_fwd, true), 602.0 / 333.0, 0.2);
    EXPECT_NEAR(ratio(h800(), KernelClass::attention_bwd, false), 559.0 / 318.0, 0.2);
    GpuSpec ampere = h800();
    ampere.id = "a100-sxm";
    ampere.architecture = "ampere";
    EXPECT_EQ(ratio(ampere, KernelClass::attention_fwd, true), 1.0);
    EXPECT_EQ(ratio(ampere, KernelClass::attention_bwd, true), 1.0);
}

// arXiv 2307.08691, figure 4, A100, forward and backward with a mask at 4 k tokens, head dimension 128: 173
// TFLOPS for the second release, 76 for the first, 74 for Triton's kernel; at 16 k tokens 189. One ratio
// stands for all shapes of the older ones, and head dimension 64 lowers it.
TEST(CalibratedModel, FlashAttentionsFirstReleaseAndTritonsTakeAboutTwiceAsLong) {
    CalibrationOptions options = shipped();
    options.in_training = false;
    const GpuSpec a100 = test::part("a100-sxm");
    const auto tflops = [&](const GpuSpec& part, KernelLibrary library, std::int64_t tokens) {
        const auto model = calibrated(part, options);
        Seconds time;
        Flops work;
        for (const KernelClass kernel : {KernelClass::attention_fwd, KernelClass::attention_bwd}) {
            Operator op = attention("", kernel, 16384 / tokens, tokens, 16, 16, 128, 128, true);
            op.library = library;
            time += model->estimate(op, {}).time;
            work += arithmetic(op);
        }
        return (work / time).value() / 1e12;
    };
    EXPECT_NEAR(tflops(a100, KernelLibrary::usual, 4096), 173.0, 0.06 * 173.0);
    EXPECT_NEAR(tflops(a100, KernelLibrary::usual, 16384), 189.0, 0.06 * 189.0);
    EXPECT_NEAR(tflops(a100, KernelLibrary::flash_attention_1, 4096), 76.0, 0.25 * 76.0);
    EXPECT_NEAR(tflops(a100, KernelLibrary::flash_attention_triton, 4096), 74.0, 0.25 * 74.0);
    for (const GpuSpec& part : {a100, h800()}) {
        const double second = tflops(part, KernelLibrary::flash_attention_2, 4096);
        EXPECT_NEAR(second / tflops(part, KernelLibrary::flash_attention_1, 4096), 1.93, 0.05);
        EXPECT_NEAR(second / tflops(part, KernelLibrary::flash_attention_triton, 4096), 2.03, 0.05);
    }
}

TEST(CalibratedModel, SaysWhatItExtrapolates) {
    const auto model = calibrated();
    const auto gemm_of = [](std::int64_t m, DType dtype, Scaling scaling) {
        return gemm("", KernelClass::gemm, dtype, scaling, m, 7168, 2048);
    };
    const Estimate inside = model->estimate(gemm_of(4096, DType::fp8, Scaling::block_128), {});
    const Estimate outside = model->estimate(gemm_of(1 << 20, DType::fp8, Scaling::block_128), {});
    const Estimate borrowed = model->estimate(gemm_of(4096, DType::fp8, Scaling::mx_32), {});
    EXPECT_FALSE(inside.extrapolated);
    EXPECT_TRUE(outside.extrapolated);
    EXPECT_TRUE(borrowed.extrapolated);
    EXPECT_GT(borrowed.relative_sigma, inside.relative_sigma);
    EXPECT_GT(inside.relative_sigma, 0.01);
    EXPECT_LT(inside.relative_sigma, 0.20);
}

TEST(CalibratedModel, APartWithoutFitsInheritsThemLessCertainly) {
    GpuSpec other = h800();
    other.id = "r200";
    other.architecture = "rubin";
    const Operator op = gemm("", KernelClass::gemm, DType::fp8, Scaling::block_128, 4096, 7168, 2048);
    const Estimate own = calibrated()->estimate(op, {});
    const Estimate inherited = calibrated(other)->estimate(op, {});
    EXPECT_EQ(inherited.time, own.time);
    EXPECT_TRUE(inherited.extrapolated);
    EXPECT_GT(inherited.relative_sigma, own.relative_sigma + 0.1);
}

TEST(CalibratedModel, ItsOwnTableIsPreferredToItsArchitectures) {
    GpuSpec h200 = h800();
    h200.id = "h200-sxm";
    h200.memory_bandwidth = 4800_GBps;
    GpuSpec nameless = h200;
    nameless.id = "somebody-else";
    const Operator op = gemm("", KernelClass::gemm, DType::bf16, Scaling::none, 4096, 7168, 7168);
    const Estimate own = calibrated(h200)->estimate(op, {});
    const Estimate moved = calibrated(nameless)->estimate(op, {});
    EXPECT_FALSE(own.extrapolated);
    EXPECT_TRUE(moved.extrapolated);
    EXPECT_NE(own.time, moved.time);
    EXPECT_GT(moved.relative_sigma, own.relative_sigma);
}

TEST(CalibratedModel, TrainingRunsAtLessThanTheBurstClock) {
    const Operator op = gemm("", KernelClass::gemm, DType::bf16, Scaling::none, 4096, 7168, 7168);
    CalibrationOptions benchmark = shipped();
    benchmark.in_training = false;
    GpuSpec limited = h800();
    limited.tdp = Watts(500.0);
    EXPECT_GT(calibrated(limited)->estimate(op, {}).time,
              1.01 * calibrated(limited, benchmark)->estimate(op, {}).time);
}

TEST(CalibratedModel, ALongLaunchLosesNoLessInTrainingThanInABenchmark) {
    const Operator op = gemm("", KernelClass::gemm, DType::bf16, Scaling::none, 16384, 65536, 8192);
    CalibrationOptions benchmark = shipped();
    benchmark.in_training = false;
    GpuSpec part = h800();
    part.tdp = Watts(700.0);
    EXPECT_GE(calibrated(part)->estimate(op, {}).time, calibrated(part, benchmark)->estimate(op, {}).time);
}

TEST(CalibratedModel, EveryClassSaysWhatItRestsOn) {
    CalibrationOptions options = shipped();
    const auto kind = [&](const GpuSpec& part, KernelClass kernel, DType dtype, Scaling scaling) {
        for (const CurveBasis& basis : calibration_basis(part, options)) {
            if (basis.kernel == kernel && basis.dtype == dtype && basis.scaling == scaling) {
                return std::string(name(basis.kind)) + " " + basis.measured_on;
            }
        }
        return std::string("none");
    };
    EXPECT_EQ(kind(h800(), KernelClass::gemm, DType::bf16, Scaling::none), "published h100-sxm");
    EXPECT_EQ(kind(h800(), KernelClass::gemm_wgrad, DType::bf16, Scaling::none), "borrowed h100-sxm");
    EXPECT_EQ(kind(h800(), KernelClass::gemm, DType::fp4, Scaling::nv_16), "none");
    GpuSpec half = h800();
    half.id = "h400";
    half.sm_count = 66;
    EXPECT_EQ(kind(half, KernelClass::gemm, DType::bf16, Scaling::none), "inherited h100-sxm");
    GpuSpec next = h800();
    next.architecture = "rubin";
    EXPECT_EQ(kind(next, KernelClass::norm_fwd, DType::bf16, Scaling::none), "inherited h200-sxm");
    EXPECT_EQ(kind(next, KernelClass::rope, DType::bf16, Scaling::none), "inherited h800-sxm");
}

// Published: 4,096 x 16,384 in BF16 on H200 takes 70 us in NVIDIA's library and 112 in PyTorch, its gradient
// 118 and 261; DeepSeek's norms reach half of the bandwidth.
TEST(CalibratedModel, NormsAreThoseOfTheLibrary) {
    const GpuSpec h200 = test::part("h200-sxm");
    const auto micros = [](const GpuSpec& gpu, KernelClass kernel, double read, double written, int launches,
                           KernelLibrary library) {
        CalibrationOptions options = shipped();
        options.kernel_launch = Seconds(2e-6);
        Operator op = streaming("norm", kernel, Bytes(read), Bytes(written), launches);
        op.library = library;
        return make_calibrated_model(gpu, options)->estimate(op, {}).time.value() * 1e6;
    };
    using enum KernelLibrary;
    constexpr double kTensor = 4096.0 * 16384.0 * 2.0;
    EXPECT_NEAR(micros(h200, KernelClass::norm_fwd, kTensor, kTensor, 1, usual), 70.0, 7.0);
    EXPECT_NEAR(micros(h200, KernelClass::norm_fwd, kTensor, kTensor, 1, pytorch), 112.0, 25.0);
    EXPECT_NEAR(micros(h200, KernelClass::norm_bwd, 2.0 * kTensor, kTensor, 2, usual), 118.0, 12.0);
    EXPECT_NEAR(micros(h200, KernelClass::norm_bwd, 4.0 * kTensor, kTensor, 3, pytorch), 261.0, 26.0);
    EXPECT_NEAR(micros(h200, KernelClass::norm_fwd, kTensor, kTensor, 1, deepseek), 2.0 * kTensor / 2.4e6,
                4.0);
    for (const std::string_view id : {"a100-sxm", "h800-sxm", "gb200"}) { // Ampere takes Hopper's shares
        const double ours = micros(test::part(id), KernelClass::norm_fwd, kTensor, kTensor, 1, usual);
        EXPECT_LT(ours, 0.85 * micros(test::part(id), KernelClass::norm_fwd, kTensor, kTensor, 1, pytorch))
            << id;
    }
}

/// BF16 on Hopper has a curve of grouped products, FP8 with one scale a tensor has the dense one for them.
TEST(CalibratedModel, AGroupedProductOfOneGroupIsAPlainOne) {
    const auto model = calibrated();
    for (const auto dtype : {DType::bf16, DType::fp8}) {
        const Scaling scaling = dtype == DType::fp8 ? Scaling::per_tensor : Scaling::none;
        for (const auto kernel : {KernelClass::grouped_gemm, KernelClass::grouped_wgrad}) {
            const Operator grouped = gemm("expert", kernel, dtype, scaling, 8192, 16384, 6144);
            const Operator plain = gemm("ffn", ungrouped(kernel), dtype, scaling, 8192, 16384, 6144);
            EXPECT_EQ(model->estimate(grouped, {}).time, model->estimate(plain, {}).time) << name(kernel);
        }
    }
}

TEST(CalibratedModel, GroupsWithoutACurveOfTheirOwnRunOneByOne) {
    CalibrationOptions options = shipped();
    options.kernel_launch = Seconds(0.0);
    options.in_training = false;
    const auto time = [&](std::string_view part, KernelClass kernel, DType dtype, Scaling scaling,
                          std::int64_t rows, int groups) {
        const Operator op = gemm("expert", kernel, dtype, scaling, rows, 4096, 7168, groups);
        return calibrated(test::part(part), options)->estimate(op, {}).time.value();
    };
    using enum KernelClass;
    for (const std::int64_t rows : {200, 1000, 5000}) {
        const double one = time("h100-sxm", gemm, DType::fp8, Scaling::per_tensor, rows, 1);
        EXPECT_NEAR(time("h100-sxm", grouped_gemm, DType::fp8, Scaling::per_tensor, rows, 8), 8.0 * one,
                    1e-9 * one)
            << rows;
    }
}

TEST(CalibratedModel, NamesThePartThatLacksTheFormat) {
    GpuSpec part = h800();
    part.dense_peak.erase(DType::fp8);
    const Operator op = gemm("q_a", KernelClass::gemm, DType::fp8, Scaling::block_128, 4096, 1536, 7168);
    for (const auto& model : {calibrated(part), make_roofline_model(part)}) {
        EXPECT_THAT([&] { return model->estimate(op, {}); },
                    testing::ThrowsMessage<std::invalid_argument>(
                        testing::AllOf(testing::HasSubstr("h800-sxm"), testing::HasSubstr("fp8"))));
    }
}

TEST(CalibratedModel, RefusesToHoldEverySm) {
    const Operator op = streaming("norm", KernelClass::norm_fwd, 1_MB, 1_MB);
    EXPECT_THAT([&] { return calibrated()->estimate(op, {132, true}); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("132 SMs held of 132")));
}

TEST(CalibratedModel, NamesTheFitFilesItMisses) {
    CalibrationOptions options;
    options.fits = std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "hwmodels/include";
    EXPECT_THAT([&] { return make_calibrated_model(h800(), options); },
                testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("hopper.json")));
}

/// Sums in full cost a seventh on H100 (pytorch/ao, issue 2377: 1.1 to 1.2), less on H20, whose tensor cores
/// are slower beside the same vector units, and nothing where tensor cores add up in full.
TEST(CalibratedModel, PromotedSumsCostHopperTime) {
    Operator op = gemm("dgrad", KernelClass::gemm, DType::fp8, Scaling::per_tensor, 8192, 8192, 8192);
    const auto cost = [&](const GpuSpec& part) {
        const auto model = calibrated(part);
        op.promoted = false;
        const Seconds fast = model->estimate(op, {}).time;
        op.promoted = true;
        return model->estimate(op, {}).time / fast;
    };
    EXPECT_GT(cost(h800()), 1.1);
    EXPECT_LT(cost(h800()), 1.2);
    GpuSpec h20 = h800();
    h20.dense_peak = {{DType::bf16, 148_TFLOPS}, {DType::fp8, 296_TFLOPS}, {DType::fp32, 44_TFLOPS}};
    EXPECT_LT(cost(h20), 1.05);
    GpuSpec b200 = h800();
    b200.architecture = "blackwell";
    EXPECT_DOUBLE_EQ(cost(b200), 1.0);
}

} // namespace
} // namespace chokepoint::hw
