// SPDX-License-Identifier: Apache-2.0
// What kernels compute and move, by shape.
#include <chokepoint/hwmodels/operator.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace chokepoint::hw {
namespace {

struct ClassName {
    KernelClass kernel;
    std::string_view name;
};

constexpr std::array kClasses{
    ClassName{KernelClass::gemm, "gemm"},
    ClassName{KernelClass::gemm_wgrad, "gemm_wgrad"},
    ClassName{KernelClass::grouped_gemm, "grouped_gemm"},
    ClassName{KernelClass::grouped_wgrad, "grouped_wgrad"},
    ClassName{KernelClass::attention_fwd, "attention_fwd"},
    ClassName{KernelClass::attention_bwd, "attention_bwd"},
    ClassName{KernelClass::norm_fwd, "norm_fwd"},
    ClassName{KernelClass::norm_bwd, "norm_bwd"},
    ClassName{KernelClass::rope, "rope"},
    ClassName{KernelClass::quantize, "quantize"},
    ClassName{KernelClass::quantize_transpose, "quantize_transpose"},
    ClassName{KernelClass::copy, "copy"},
    ClassName{KernelClass::add, "add"},
    ClassName{KernelClass::swiglu_fwd, "swiglu_fwd"},
    ClassName{KernelClass::swiglu_bwd, "swiglu_bwd"},
    ClassName{KernelClass::router, "router"},
    ClassName{KernelClass::expert_map, "expert_map"},
    ClassName{KernelClass::permute, "permute"},
    ClassName{KernelClass::unpermute, "unpermute"},
    ClassName{KernelClass::attention_aux, "attention_aux"},
    ClassName{KernelClass::embedding, "embedding"},
    ClassName{KernelClass::cross_entropy, "cross_entropy"},
    ClassName{KernelClass::conv, "conv"},
    ClassName{KernelClass::scan, "scan"},
    ClassName{KernelClass::optimizer, "optimizer"},
};

struct ScalingName {
    Scaling scaling;
    std::string_view name;
};

constexpr std::array kScalings{
    ScalingName{Scaling::none, "none"},           ScalingName{Scaling::per_tensor, "per_tensor"},
    ScalingName{Scaling::block_128, "block_128"}, ScalingName{Scaling::mx_32, "mx_32"},
    ScalingName{Scaling::nv_16, "nv_16"},
};

constexpr double kBf16 = 2.0;
constexpr double kFp32 = 4.0;
constexpr std::int64_t kScaleBlock = 128; // DeepSeek-V3 report, 3.3.2: 1x128 activations, 128x128 weights
constexpr std::int64_t kMxBlock = 32;
constexpr std::int64_t kNvBlock = 16;

bool is_weight_gradient(KernelClass kernel) {
    return kernel == KernelClass::gemm_wgrad || kernel == KernelClass::grouped_wgrad;
}

/// Blocks that an extent starts.
double blocks(std::int64_t extent, std::int64_t block = kScaleBlock) {
    const std::int64_t started = (extent + block - 1) / block;
    return static_cast<double>(started);
}

/// Scales that one group of a GEMM reads.
double scale_bytes(KernelClass kernel, Scaling scaling, std::int64_t m, std::int64_t n, std::int64_t k) {
    const double a = activation_scales(scaling, m, k).value();
    // Both operands of a weight gradient are activations, scaled in strips along the tokens. Only the 128x128
    // blocks of weights differ from activations' strips.
    const bool squares = scaling == Scaling::block_128 && !is_weight_gradient(kernel);
    return a + (squares ? kFp32 * blocks(n) * blocks(k) : activation_scales(scaling, n, k).value());
}

double gemm_flops(const Operator& op) {
    return 2.0 * static_cast<double>(op.m) * static_cast<double>(op.n) * static_cast<double>(op.k) *
           op.groups;
}

double attention_flops(const Operator& op) {
    // Forward: scores (dim_qk) and output (dim_v). Backward: the scores again, dQ and dK (dim_qk); dP and dV
    // (dim_v).
    const double dims =
        op.kernel == KernelClass::attention_fwd ? op.dim_qk + op.dim_v : 3 * op.dim_qk + 2 * op.dim_v;
    const double pairs = static_cast<double>(op.batch) * op.heads * static_cast<double>(op.seq_q) *
                         static_cast<double>(op.seq_kv);
    return 2.0 * dims * pairs * (op.causal ? 0.5 : 1.0);
}

} // namespace

std::string_view name(KernelClass kernel) {
    return std::ranges::find(kClasses, kernel, &ClassName::kernel)->name;
}

std::string_view name(Scaling scaling) {
    return std::ranges::find(kScalings, scaling, &ScalingName::scaling)->name;
}

std::optional<Scaling> scaling_from(std::string_view text) {
    const auto found = std::ranges::find(kScalings, text, &ScalingName::name);
    return found == kScalings.end() ? std::nullopt : std::optional(found->scaling);
}

std::optional<KernelClass> kernel_class_from(std::string_view text) {
    const auto found = std::ranges::find(kClasses, text, &ClassName::name);
    return found == kClasses.end() ? std::nullopt : std::optional(found->kernel);
}

Flops arithmetic(const Operator& op) {
    switch (op.kernel) {
    case KernelClass::gemm:
    case KernelClass::gemm_wgrad:
    case KernelClass::grouped_gemm:
    case KernelClass::grouped_wgrad:
        return Flops(gemm_flops(op));
    case KernelClass::attention_fwd:
    case KernelClass::attention_bwd:
        return Flops(attention_flops(op));
    default:
        return Flops(0.0);
    }
}

Operator gemm(std::string name, KernelClass kernel, DType dtype, Scaling scaling, std::int64_t m,
              std::int64_t n, std::int64_t k, int groups) {
    Operator op;
    op.name = std::move(name);
    op.kernel = kernel;
    op.dtype = dtype;
    op.scaling = scaling;
    op.m = m;
    op.n = n;
    op.k = k;
    op.groups = groups;

    const double element = element_bytes(dtype).value();
    const double inputs =
        (static_cast<double>(m) + static_cast<double>(n)) * static_cast<double>(k) * element;
    const double outputs = static_cast<double>(m) * static_cast<double>(n);
    const double read = inputs + scale_bytes(kernel, scaling, m, n, k);
    if (is_weight_gradient(kernel)) {
        op.read = Bytes(groups * (read + outputs * kFp32));
        op.written = Bytes(groups * outputs * kFp32);
    } else {
        op.read = Bytes(groups * read);
        op.written = Bytes(groups * outputs * kBf16);
    }
    return op;
}

Operator attention(std::string name, KernelClass kernel, std::int64_t batch, std::int64_t seq, int heads,
                   int kv_heads, int dim_qk, int dim_v, bool causal) {
    Operator op;
    op.name = std::move(name);
    op.kernel = kernel;
    op.batch = batch;
    op.seq_q = seq;
    op.seq_kv = seq;
    op.heads = heads;
    op.kv_heads = kv_heads;
    op.dim_qk = dim_qk;
    op.dim_v = dim_v;
    op.causal = causal;

    const double tokens = static_cast<double>(batch) * static_cast<double>(seq);
    const double qkv = tokens * (heads * dim_qk + kv_heads * (dim_qk + dim_v)) * kBf16;
    const double output = tokens * heads * dim_v * kBf16;
    const double log_sums = tokens * heads * kFp32; // the softmax statistics that backward needs
    if (kernel == KernelClass::attention_bwd) {
        op.read = Bytes(qkv + 2 * output + log_sums); // q, k, v, o and the gradient of o
        op.written = Bytes(qkv);                      // gradients of q, k and v
    } else {
        op.read = Bytes(qkv);
        op.written = Bytes(output + log_sums);
    }
    return op;
}

Operator streaming(std::string name, KernelClass kernel, Bytes read, Bytes written, int launches) {
    Operator op;
    op.name = std::move(name);
    op.kernel = kernel;
    op.read = read;
    op.written = written;
    op.launches = launches;
    return op;
}

Bytes activation_scales(Scaling scaling, std::int64_t rows, std::int64_t columns) {
    const auto strips = static_cast<double>(rows);
    switch (scaling) {
    case Scaling::none:
        return Bytes(0.0);
    case Scaling::per_tensor:
        return Bytes(kFp32);
    case Scaling::block_128:
        return Bytes(kFp32 * strips * blocks(columns));
    case Scaling::mx_32:
        return Bytes(strips * blocks(columns, kMxBlock));
    case Scaling::nv_16:
        break;
    }
    return Bytes(kFp32 + strips * blocks(columns, kNvBlock));
}

Operator quantize(std::string name, DType to, Scaling scaling, std::int64_t rows, std::int64_t columns,
                  bool transposed, bool current) {
    const Bytes wide(static_cast<double>(rows) * static_cast<double>(columns) * kBf16);
    const Bytes narrow = wide / kBf16 * element_bytes(to).value();
    const Bytes along = narrow + activation_scales(scaling, rows, columns);
    const Bytes across = narrow + activation_scales(scaling, columns, rows);
    const KernelClass kernel = transposed ? KernelClass::quantize_transpose : KernelClass::quantize;
    return streaming(std::move(name), kernel, (current ? 2.0 : 1.0) * wide,
                     along + (transposed ? across : Bytes(0.0)), current ? 2 : 1);
}

} // namespace chokepoint::hw
