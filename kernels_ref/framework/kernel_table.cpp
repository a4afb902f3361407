// SPDX-License-Identifier: Apache-2.0
// The table of kernels.
#include "framework/kernel_table.hpp"

#include "attention/attention.hpp"
#include "copy/copy.hpp"
#include "cross_entropy/cross_entropy.hpp"
#include "gemm/fp8_block_gemm.hpp"
#include "gemm/grouped_cublas.hpp"
#include "gemm/lt_gemm.hpp"
#include "norm/norm.hpp"
#include "optimizer/adam.hpp"
#include "permute/permute.hpp"
#include "quantize/quantize.hpp"
#include "rope/rope.hpp"
#include "router/router.hpp"
#include "swiglu/swiglu.hpp"

#include <algorithm>
#include <array>

namespace chokepoint::kref {
namespace {

template <Precision kPrecision> Work gemm_work_of(const Case& c) {
    return gemm_work(c.shape, c.role, kPrecision);
}
template <Precision kPrecision> std::vector<Case> dense_cases() { return dense_gemm_cases(kPrecision); }
template <Precision kPrecision> std::vector<Case> grouped_cases() { return grouped_gemm_cases(kPrecision); }

std::vector<Case> even_forward_cases() {
    std::vector<Case> cases = grouped_gemm_cases(Precision::fp8_block, Role::forward);
    std::erase_if(cases, [](const Case& c) { return c.shape.uneven; });
    return cases;
}

constexpr auto kBf16 = Precision::bf16;
constexpr auto kTensor = Precision::fp8_tensor;
constexpr auto kBlock = Precision::fp8_block;
constexpr std::string_view kOurGemm = "fp8_block_gemm.cu"; // its barriers are what a deadlock would come from

constexpr std::array kKernels{
    // What the part can do at best.
    Kernel{"ceiling-memcpy", "copy", kBf16, "CUDA runtime", "device-to-device copy of 2 GiB",
           &copy_ceiling_cases, &copy_work, &make_memcpy},
    Kernel{"ceiling-gemm-bf16", "gemm", kBf16, "cuBLASLt", "BF16 GEMM of 8192 cubed", &gemm_ceiling_cases,
           &gemm_work_of<kBf16>, &make_lt_bf16},
    Kernel{"ceiling-gemm-fp8", "gemm", kTensor, "cuBLASLt", "FP8 GEMM of 8192 cubed", &gemm_ceiling_cases,
           &gemm_work_of<kTensor>, &make_lt_fp8_tensor},
    // What streams memory.
    Kernel{"copy", "copy", kBf16, "kref", "copy in 16-byte accesses", &copy_cases, &copy_work, &make_copy},
    Kernel{"add", "add", kBf16, "kref", "residual add", &add_cases, &add_work, &make_add},
    Kernel{"concat-keys", "copy", kBf16, "kref", "MLA keys from their two parts", &concat_cases, &concat_work,
           &make_concat},
    Kernel{"norm-fwd", "norm_fwd", kBf16, "kref", "RMSNorm", &norm_cases, &norm_forward_work,
           &make_norm_forward},
    Kernel{"norm-bwd", "norm_bwd", kBf16, "kref", "RMSNorm, gradients of input and weight", &norm_cases,
           &norm_backward_work, &make_norm_backward},
    Kernel{"rope", "rope", kBf16, "kref", "rotary embedding of 64 values a head", &rope_cases, &rope_work,
           &make_rope},
    Kernel{"quantize", "quantize", kBlock, "kref", "BF16 to E4M3, a scale for 1x128", &quantize_cases,
           &quantize_work, &make_quantize},
    Kernel{"quantize-transpose", "quantize_transpose", kBlock, "kref",
           "BF16 to transposed E4M3, a scale for 128x1", &quantize_cases, &quantize_work,
           &make_quantize_transposed},
    Kernel{"swiglu-fwd", "swiglu_fwd", kBlock, "kref", "SwiGLU with quantised result", &swiglu_cases,
           &swiglu_forward_work, &make_swiglu_forward},
    Kernel{"swiglu-bwd", "swiglu_bwd", kBf16, "kref", "SwiGLU gradient in BF16", &swiglu_cases,
           &swiglu_backward_work, &make_swiglu_backward},
    Kernel{"swiglu-bwd-quantize", "swiglu_bwd", kBlock, "kref", "SwiGLU gradient, quantised", &swiglu_cases,
           &swiglu_backward_quantized_work, &make_swiglu_backward_quantized},
    Kernel{"router", "router", kBf16, "kref", "top-k of the experts with group limit", &router_cases,
           &router_work, &make_router},
    Kernel{"permute-fp8", "permute", kBlock, "kref", "gather of FP8 rows and scales into expert order",
           &permute_cases, &permute_fp8_work, &make_permute_fp8},
    Kernel{"permute-bf16", "permute", kBf16, "kref", "gather of BF16 rows into expert order", &permute_cases,
           &permute_bf16_work, &make_permute_bf16},
    Kernel{"unpermute", "unpermute", kBf16, "kref", "weighted sum of each token's 8 rows", &permute_cases,
           &unpermute_work, &make_unpermute},
    Kernel{"cross-entropy", "cross_entropy", kBf16, "kref", "loss and gradient on a sharded vocabulary",
           &cross_entropy_cases, &cross_entropy_work, &make_cross_entropy},
    Kernel{"adam", "optimizer", kBf16, "kref", "AdamW with BF16 moments", &adam_cases, &adam_work,
           &make_adam},
    // Attention.
    Kernel{"attention-fwd", "attention_fwd", kBf16, "cuDNN", "causal attention", &attention_cases,
           &attention_forward_work, &make_attention_forward},
    Kernel{"attention-bwd", "attention_bwd", kBf16, "cuDNN", "causal attention, all gradients",
           &attention_cases, &attention_backward_work, &make_attention_backward},
    // Linear layers.
    Kernel{"gemm-fp8-block-lt", "gemm", kBlock, "cuBLASLt", "FP8 1x128 by 128x128, all three products",
           &dense_cases<kBlock>, &gemm_work_of<kBlock>, &make_lt_fp8_block},
    Kernel{"gemm-bf16-lt", "gemm", kBf16, "cuBLASLt", "BF16, all three products", &dense_cases<kBf16>,
           &gemm_work_of<kBf16>, &make_lt_bf16},
    Kernel{"gemm-fp8-block", "gemm", kBlock, "kref", "FP8 1x128 by 128x128, forward and dgrad",
           &fp8_block_dense_cases, &gemm_work_of<kBlock>, &make_fp8_block_dense, true, kOurGemm},
    Kernel{"grouped-fp8-block", "grouped_gemm", kBlock, "kref", "experts, contiguous rows",
           &fp8_block_grouped_cases, &gemm_work_of<kBlock>, &make_fp8_block_contiguous, true, kOurGemm},
    Kernel{"gemm-fp8-block-wgrad", "gemm", kBlock, "kref", "FP8 1x128 by 1x128 added to FP32",
           &fp8_block_wgrad_cases, &gemm_work_of<kBlock>, &make_fp8_block_wgrad, true, kOurGemm},
    Kernel{"grouped-fp8-block-wgrad", "grouped_gemm", kBlock, "kref",
           "experts' weight gradients added to FP32", &fp8_block_grouped_wgrad_cases, &gemm_work_of<kBlock>,
           &make_fp8_block_grouped_wgrad, true, kOurGemm},
    Kernel{"grouped-fp8-block-lt", "grouped_gemm", kBlock, "cuBLASLt", "experts, one call each",
           &grouped_cases<kBlock>, &gemm_work_of<kBlock>, &make_lt_fp8_block},
    Kernel{"grouped-bf16-lt", "grouped_gemm", kBf16, "cuBLASLt", "experts, one call each",
           &grouped_cases<kBf16>, &gemm_work_of<kBf16>, &make_lt_bf16},
    Kernel{"grouped-bf16", "grouped_gemm", kBf16, "cuBLAS", "experts, one grouped call",
           &grouped_cases<kBf16>, &grouped_cublas_work, &make_grouped_cublas, false},
    Kernel{"grouped-fp8-block-masked", "grouped_gemm", kBlock, "kref", "experts, masked rows",
           &even_forward_cases, &gemm_work_of<kBlock>, &make_fp8_block_masked, true, kOurGemm},
    Kernel{"gemm-fp8-tensor-lt", "gemm", kTensor, "cuBLASLt", "FP8 with one scale, all three products",
           &dense_cases<kTensor>, &gemm_work_of<kTensor>, &make_lt_fp8_tensor},
};

bool matches_one(std::string_view name, std::string_view pattern) {
    const std::size_t star = pattern.find('*');
    if (star == std::string_view::npos) {
        return name == pattern;
    }
    if (!name.starts_with(pattern.substr(0, star))) {
        return false;
    }
    const std::string_view rest = pattern.substr(star + 1);
    for (std::size_t at = star; at <= name.size(); ++at) {
        if (matches_one(name.substr(at), rest)) {
            return true;
        }
    }
    return false;
}

} // namespace

std::span<const Kernel> kernels() { return kKernels; }

std::string_view kernel_class(const Kernel& kernel, const Case& c) {
    if (c.role != Role::wgrad) {
        return kernel.kernel_class;
    }
    return kernel.kernel_class == "grouped_gemm" ? "grouped_wgrad" : "gemm_wgrad";
}

bool fits(const Kernel& kernel, const Case& c) {
    return !kernel.name.starts_with("ceiling") && (kernel.accumulates || c.role != Role::wgrad);
}

int family_of(int kernel) {
    const std::string_view family = kKernels.at(static_cast<std::size_t>(kernel)).family;
    if (family.empty()) {
        return kernel;
    }
    const auto* first = std::ranges::find(kKernels, family, &Kernel::family);
    return static_cast<int>(first - kKernels.begin());
}

bool matches(std::string_view name, std::string_view filter) {
    if (filter.empty()) {
        return true;
    }
    while (true) {
        const std::size_t comma = filter.find(',');
        if (matches_one(name, filter.substr(0, comma))) {
            return true;
        }
        if (comma == std::string_view::npos) {
            return false;
        }
        filter.remove_prefix(comma + 1);
    }
}

} // namespace chokepoint::kref
