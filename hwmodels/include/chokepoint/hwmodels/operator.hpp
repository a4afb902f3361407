// SPDX-License-Identifier: Apache-2.0
// One GPU kernel's work, by shape: what it computes and moves, never how long it takes.
#pragma once

#include <chokepoint/hwmodels/gpu_spec.hpp>

#include <cstdint>
#include <string>

namespace chokepoint::hw {

/// Kernel classes that share an efficiency curve. The first group is arithmetic, the second streams memory.
enum class KernelClass {
    gemm,          ///< forward and input-gradient GEMM
    gemm_wgrad,    ///< weight gradient: accumulates into FP32
    grouped_gemm,  ///< one GEMM per local expert, contiguous rows
    grouped_wgrad, ///< weight gradient of the experts
    attention_fwd, ///< fused, causal or full
    attention_bwd,
    // Memory-bound from here on; the order is the one the documentation lists.
    norm_fwd,
    norm_bwd,
    rope,
    quantize,           ///< BF16 to FP8 with 1x128 scales
    quantize_transpose, ///< BF16 to FP8 with 128x1 scales, transposed for the weight gradient
    copy,               ///< plain copies, concatenations, transposes
    add,                ///< residual adds, scalings, casts
    swiglu_fwd,
    swiglu_bwd,
    router,        ///< scores and top-k: many tiny kernels
    expert_map,    ///< where each expert's rows go: a few thread blocks, far below any bandwidth
    permute,       ///< gather rows into expert order
    unpermute,     ///< weighted sum back to token order
    attention_aux, ///< backward's preprocess and dQ conversion
    embedding,
    cross_entropy,
    conv, ///< causal convolution over the sequence in front of a state-space scan
    scan, ///< a state-space layer's products and sums in chunks of the sequence (Mamba-2)
    optimizer,
};
std::string_view name(KernelClass);
std::optional<KernelClass> kernel_class_from(std::string_view);
constexpr bool is_memory_bound(KernelClass c) { return c >= KernelClass::norm_fwd; }
constexpr bool is_grouped(KernelClass c) {
    return c == KernelClass::grouped_gemm || c == KernelClass::grouped_wgrad;
}
/// The class of one group's product.
constexpr KernelClass ungrouped(KernelClass c) {
    return c == KernelClass::grouped_gemm    ? KernelClass::gemm
           : c == KernelClass::grouped_wgrad ? KernelClass::gemm_wgrad
                                             : c;
}
constexpr bool is_attention(KernelClass c) {
    return c == KernelClass::attention_fwd || c == KernelClass::attention_bwd;
}

/// How the scales of a narrow format are laid out. Plain BF16 work has none.
enum class Scaling {
    none,
    per_tensor, ///< one FP32 scale a tensor
    block_128,  ///< FP32, activations 1x128, weights 128x128 (DeepSeek-V3 report, 3.3.2)
    mx_32,      ///< one byte (E8M0) for 32 elements along k: OCP microscaling formats 1.0, 5.2
    nv_16,      ///< one byte (E4M3) for 16 elements along k, and one FP32 a tensor: NVFP4
};
std::string_view name(Scaling);
std::optional<Scaling> scaling_from(std::string_view);

/// Whose kernels run, of attention and norms. Of every other class one library is known.
enum class KernelLibrary {
    usual,             ///< what training software picks by itself on a part; NVIDIA's norms
    flash_attention_2, ///< tensor cores as Ampere has them: on Hopper about half of what its own reach
    flash_attention_1, ///< 2022 to mid-2023: one block of queries after another, about half of the second's
                       ///< rate
    flash_attention_triton, ///< the same in Triton as of then
    pytorch,                ///< PyTorch's own norms, without torch.compile
    deepseek,               ///< norms of DeepSeek-V3's published profile
};

/// GEMM shapes: out[m,n] += a[m,k] b[k,n], `groups` times with m rows each (m is per group).
/// Attention shapes: `batch` sequences of `seq` tokens, `heads` query heads, `kv_heads`, dims `dim_qk` and
/// `dim_v`. Memory-bound kernels use only `read`, `written` and `launches`.
struct Operator {
    std::string name; ///< "q_b", "router top-k": names the task in timelines and reports
    KernelClass kernel = KernelClass::gemm;
    DType dtype = DType::bf16;
    Scaling scaling = Scaling::none;

    std::int64_t m = 0, n = 0, k = 0;
    int groups = 1;

    std::int64_t batch = 0, seq_q = 0, seq_kv = 0;
    int heads = 0, kv_heads = 0, dim_qk = 0, dim_v = 0;
    bool causal = true;
    KernelLibrary library = KernelLibrary::usual;

    Bytes read; ///< minimum traffic, each tensor once
    Bytes written;
    /// Whether FP8 sums move to FP32 registers every few products, as Transformer Engine and torchao have it
    /// in the backward (use_split_accumulator, use_fast_accum = False). Costs time on Hopper alone, whose
    /// tensor cores add up in fewer bits.
    bool promoted = false;
    int launches = 1;      ///< kernels in this operator
    bool one_call = false; ///< of the framework, which starts all of a streaming operator's kernels
    int sms_held = 0;      ///< SMs that it leaves to a transfer of its own data

    friend bool operator==(const Operator&, const Operator&) = default;
};

/// Arithmetic of the operator. Causal attention counts the triangle only: the half that a causal kernel
/// computes. Backward attention counts five GEMMs to the forward's two (it recomputes the scores).
Flops arithmetic(const Operator&);

/// Builders that fill in `read` and `written` from the shapes, each tensor once. GEMMs write BF16; weight
/// gradients read and write FP32 accumulators, and their m, n, k are the forward's n, k and tokens.
Operator gemm(std::string name, KernelClass, DType, Scaling, std::int64_t m, std::int64_t n, std::int64_t k,
              int groups = 1);
Operator attention(std::string name, KernelClass, std::int64_t batch, std::int64_t seq, int heads,
                   int kv_heads, int dim_qk, int dim_v, bool causal = true);
Operator streaming(std::string name, KernelClass, Bytes read, Bytes written, int launches = 1);

/// Scales of a rows x columns activation in a scaling's layout.
Bytes activation_scales(Scaling, std::int64_t rows, std::int64_t columns);

/// BF16 to a narrow format, scales included: `transposed` writes the copy that weight gradients read as well,
/// as one kernel does. Per-tensor scales of the same tensor need its largest value first: `current` reads it
/// once more (delayed scaling does not).
Operator quantize(std::string name, DType to, Scaling, std::int64_t rows, std::int64_t columns,
                  bool transposed = false, bool current = false);

} // namespace chokepoint::hw
