// SPDX-License-Identifier: Apache-2.0
// Which curves each architecture has, in what order they are fitted, and what each takes from another.
#include "fit_curve.hpp"

#include <array>

namespace chokepoint::hw {
namespace {

constexpr std::array<std::string_view, 3> kArchitectures{"hopper", "ampere", "blackwell"};

const std::string kOwn; // a curve that nothing else explains needs no note
const std::vector<std::string> kAll;

CurvePlan tiled(KernelClass kernel, DType dtype, Scaling scaling, std::vector<std::string> free = kAll,
                std::string note = kOwn) {
    return {kernel, dtype, scaling, CurveForm::tiled, std::move(free), std::move(note)};
}

CurvePlan attention_plan(KernelClass kernel, std::vector<std::string> free = kAll, std::string note = kOwn) {
    return {kernel, DType::bf16, Scaling::none, CurveForm::attention, std::move(free), std::move(note)};
}

/// A curve of operator tables, which hold short and long launches.
CurvePlan from_tables(CurvePlan plan) {
    plan.sustained = true;
    return plan;
}

CurvePlan of_part(CurvePlan plan, std::string part, std::vector<std::string> serves = {}) {
    plan.part = std::move(part);
    plan.serves = std::move(serves);
    return plan;
}

/// Transformer Engine runs each expert's product with the dense library's kernels. In FP8 with one scale a
/// tensor and in NVFP4 nothing of it is published: such experts take the dense curve, and an inference
/// engine's CUTLASS kernels are a check alone.
CurvePlan of_parents_kernels(CurvePlan plan) {
    plan.parents_hull = true;
    return plan;
}

CurvePlan early(CurvePlan plan) {
    plan.vintage = kTrainingVintage;
    plan.parents_hull = true;
    return plan;
}

CurvePlan flash_attention_2(CurvePlan plan) {
    plan.vintage = kFlashAttention2;
    plan.other_library = true;
    return plan;
}

std::vector<PlannedCurve> hopper_curves() {
    using enum KernelClass;
    constexpr auto fp8 = DType::fp8;
    constexpr auto bf16 = DType::bf16;
    constexpr auto block = Scaling::block_128;
    constexpr auto tensor = Scaling::per_tensor;
    constexpr auto none = Scaling::none;
    // Its tiles ended at 128 columns, which costs most where tiles are short: a curve of its own, not a
    // factor.
    const std::string older = "main loop and tile overhead of its own, the rest as the newest";
    const std::string grows = "main loop and tile overhead of its own, the rest as the dense forward GEMM";
    const std::string slower = "main loop of its own, the rest as the dense forward GEMM";
    const std::vector<std::string> rate{"tensor"};
    const std::vector<std::string> loop{"tensor", "fill"};
    const std::vector<std::string> loop_and_store{"tensor", "fill", "store"};
    const std::vector<std::string> grouped{"tensor", "fill", "store", "wave"};
    return {
        {tiled(gemm, fp8, block), -1},
        {tiled(gemm_wgrad, fp8, block, loop_and_store, grows), 0},
        {tiled(grouped_gemm, fp8, block, grouped, grows), 0},
        {tiled(grouped_wgrad, fp8, block, loop, "as the dense one"), 1},
        {from_tables(tiled(gemm, bf16, none)), -1},
        {of_parents_kernels(tiled(grouped_gemm, bf16, none, rate, slower)), 4},
        {of_parents_kernels(tiled(grouped_wgrad, bf16, none, rate, slower)), 4},
        {attention_plan(attention_fwd), -1},
        {attention_plan(attention_bwd, {"tensor", "softmax", "ramp"},
                        "causal waste, waves and bandwidth as the forward kernel"),
         7},
        {flash_attention_2(attention_plan(attention_fwd)), -1},
        {flash_attention_2(attention_plan(attention_bwd, {"tensor", "softmax", "ramp"},
                                          "causal waste, waves and bandwidth as the forward kernel")),
         9},
        {early(tiled(gemm, fp8, block, loop_and_store, older)), 0},
        {early(tiled(grouped_gemm, fp8, block, loop_and_store, older)), 2},
        {tiled(gemm, fp8, tensor), -1, 4},
        {of_part(from_tables(tiled(gemm, bf16, none)), "h200-sxm"), -1},
        {of_part(tiled(gemm, fp8, tensor), "h200-sxm"), -1, 14},
    };
}

std::vector<PlannedCurve> ampere_curves() {
    // An inference library's kernel says how waves and memory bound attention, FlashAttention-2's figures the
    // rest.
    CurvePlan inference = attention_plan(KernelClass::attention_fwd);
    inference.vintage = "trtllm-1.0.0";
    return {
        {from_tables(tiled(KernelClass::gemm, DType::bf16, Scaling::none)), -1},
        {inference, -1},
        {attention_plan(KernelClass::attention_fwd, {"tensor", "softmax", "ramp", "diagonal"},
                        "waves and bandwidth as TensorRT-LLM's kernel"),
         1},
        {attention_plan(KernelClass::attention_bwd, {"tensor", "softmax"},
                        "as the forward kernel, but for its rate"),
         2},
    };
}

std::vector<PlannedCurve> blackwell_curves() {
    struct Format {
        DType dtype;
        Scaling scaling;
    };
    constexpr std::array formats{Format{DType::bf16, Scaling::none}, Format{DType::fp8, Scaling::per_tensor},
                                 Format{DType::fp8, Scaling::block_128}, Format{DType::fp4, Scaling::nv_16}};
    std::vector<PlannedCurve> curves;
    for (const auto& [dtype, scaling] : formats) {
        CurvePlan dense = tiled(KernelClass::gemm, dtype, scaling);
        dense.sustained = dtype == DType::bf16; // the first three curves lend it to the other formats
        const auto power = [&](int part) { return dense.sustained ? -1 : part; };
        const int parent = static_cast<int>(curves.size());
        curves.push_back({dense, -1, power(0)});
        curves.push_back({of_part(dense, "b300-sxm", {"gb300"}), -1, power(1)});
        curves.push_back({of_part(dense, "gb200"), -1, power(2)});
        if (scaling == Scaling::per_tensor || dtype == DType::fp4) {
            continue; // training runs these experts with the dense kernels
        }
        // Experts' weights stream as no dense layer's do, and there are rows enough to show it: the error
        // left out falls from 8.4 to 3.3% (1x128) and from 14.8 to 11.9% (BF16).
        const std::vector<std::string> loop{"tensor", "fill", "store", "operand", "wave", "bandwidth"};
        const std::string own = "blend and launch as the dense GEMM, the rest of its own";
        curves.push_back({tiled(KernelClass::grouped_gemm, dtype, scaling, loop, own), parent});
        if (dtype == DType::bf16) {
            curves.push_back({tiled(KernelClass::grouped_wgrad, dtype, scaling, loop, own), parent});
        }
    }
    // An inference library's kernel gives the shape of the curve, Transformer Engine's its height.
    CurvePlan inference = attention_plan(KernelClass::attention_fwd);
    inference.vintage = "trtllm-1.3.0rc20";
    const int shape = static_cast<int>(curves.size());
    curves.push_back({inference, -1});
    curves.push_back({attention_plan(KernelClass::attention_fwd, {"tensor", "softmax", "ramp"},
                                     "causal waste, waves and bandwidth as TensorRT-LLM's kernel"),
                      shape});
    curves.push_back({attention_plan(KernelClass::attention_bwd, {"tensor", "softmax", "ramp"},
                                     "as the forward kernel, but for its rate"),
                      shape + 1});
    // NVIDIA's own figures of its newest library are of GB200 and GB300 alone. GB300 computes exponentials at
    // twice the rate, so that no share of a peak carries from one part to the other.
    struct Own {
        std::string part;
        std::vector<std::string> serves;
    };
    for (const Own& own : {Own{"gb200", {}}, Own{"gb300", {"b300-sxm"}}}) {
        const int forward = static_cast<int>(curves.size());
        curves.push_back(
            {of_part(attention_plan(KernelClass::attention_fwd, {"tensor", "softmax", "ramp", "diagonal"},
                                    "waves and bandwidth as TensorRT-LLM's kernel"),
                     own.part, own.serves),
             shape});
        curves.push_back(
            {of_part(attention_plan(KernelClass::attention_bwd, {"tensor", "softmax", "ramp", "diagonal"},
                                    "waves and bandwidth as the forward kernel"),
                     own.part, own.serves),
             forward});
    }
    return curves;
}

} // namespace

std::span<const std::string_view> fitted_architectures() { return kArchitectures; }

std::vector<PlannedCurve> planned_curves(std::string_view architecture) {
    if (architecture == "ampere") {
        return ampere_curves();
    }
    return architecture == "blackwell" ? blackwell_curves() : hopper_curves();
}

} // namespace chokepoint::hw
