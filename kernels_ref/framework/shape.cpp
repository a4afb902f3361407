// SPDX-License-Identifier: Apache-2.0
// Arithmetic, traffic and names of shapes.
#include "framework/shape.hpp"

#include <array>
#include <utility>

namespace chokepoint::kref {
namespace {

constexpr int kScaleBlock = 128; // 1x128 activations, 128x128 weights: DeepSeek-V3 report, 3.3.2
constexpr int kFp32Bytes = 4;
constexpr int kBf16Bytes = 2;

std::int64_t blocks(std::int64_t extent) { return (extent + kScaleBlock - 1) / kScaleBlock; }

std::int64_t scale_bytes(const Shape& s, Role role, Precision precision) {
    if (precision != Precision::fp8_block) {
        return 0;
    }
    const std::int64_t of_a = s.m * blocks(s.k);
    const std::int64_t of_b = role == Role::wgrad ? s.n * blocks(s.k) : blocks(s.n) * blocks(s.k);
    return (of_a + of_b) * kFp32Bytes;
}

} // namespace

std::string_view dtype_name(Precision p) { return p == Precision::bf16 ? "bf16" : "fp8"; }

std::string_view scaling_name(Precision p) {
    constexpr std::array<std::string_view, 3> kNames{"none", "per_tensor", "block_128"};
    return kNames.at(static_cast<std::size_t>(p));
}

int element_bytes(Precision p) { return p == Precision::bf16 ? 2 : 1; }

std::string_view name(Role role) {
    constexpr std::array<std::string_view, 4> kNames{"fwd", "dgrad", "wgrad", ""};
    return kNames.at(static_cast<std::size_t>(role));
}

Work gemm_work(const Shape& s, Role role, Precision precision, bool accumulates) {
    Work work;
    const double multiplies = static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
    work.flops = 2.0 * multiplies * s.groups;
    const std::int64_t inputs =
        (s.m + s.n) * s.k * element_bytes(precision) + scale_bytes(s, role, precision);
    const std::int64_t outputs = s.m * s.n;
    if (role == Role::wgrad && accumulates) {
        work.read_bytes = s.groups * (inputs + outputs * kFp32Bytes);
        work.written_bytes = s.groups * outputs * kFp32Bytes;
    } else {
        work.read_bytes = s.groups * inputs;
        work.written_bytes = s.groups * outputs * kBf16Bytes;
    }
    return work;
}

Work attention_work(const Shape& s, bool backward) {
    const auto tokens = static_cast<double>(s.batch * s.seq);
    const double share = s.causal ? 0.5 : 1.0;
    const double scores = tokens * static_cast<double>(s.seq) * s.heads * share;
    // Forward: q k^T over dim_qk, p v over dim_v. Backward: scores again, dq and dk over dim_qk; dp and dv
    // over dim_v.
    const double multiplies =
        backward ? scores * (3.0 * s.dim_qk + 2.0 * s.dim_v) : scores * (s.dim_qk + s.dim_v);
    const std::int64_t count = s.batch * s.seq;
    const std::int64_t qkv = count * (s.heads * s.dim_qk + s.kv_heads * (s.dim_qk + s.dim_v)) * kBf16Bytes;
    const std::int64_t output = count * s.heads * s.dim_v * kBf16Bytes;
    const std::int64_t statistics = count * s.heads * kFp32Bytes;
    Work work;
    work.flops = 2.0 * multiplies;
    work.read_bytes = backward ? qkv + 2 * output + statistics : qkv;
    work.written_bytes = backward ? qkv : output + statistics;
    return work;
}

bool held_out(std::string_view family) {
    // FNV-1a; one family in four.
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : family) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
    return !family.empty() && ((hash >> 32) & 3U) == 0;
}

Case streaming_case(std::string model, std::string op, std::int64_t rows, std::int64_t columns,
                    bool contended) {
    Case c;
    c.model = std::move(model);
    c.op = std::move(op);
    c.shape.rows = rows;
    c.shape.columns = columns;
    c.contended = contended;
    return c;
}

std::string describe(const Shape& s) {
    const auto field = [](const char* key, std::int64_t value) {
        return std::string(" ") + key + "=" + std::to_string(value);
    };
    std::string text;
    if (s.m > 0) {
        text = field("m", s.m) + field("n", s.n) + field("k", s.k);
        if (s.groups > 1) {
            text += field("groups", s.groups) + (s.uneven ? " uneven" : "");
        }
    } else if (s.seq > 0) {
        text = field("batch", s.batch) + field("seq", s.seq) + field("heads", s.heads) +
               field("kv_heads", s.kv_heads) + field("dim_qk", s.dim_qk) + field("dim_v", s.dim_v) +
               (s.causal ? " causal" : "");
    } else {
        text = field("rows", s.rows) + field("columns", s.columns) +
               (s.top_k > 0 ? field("top_k", s.top_k) : "");
    }
    return text.substr(1);
}

} // namespace chokepoint::kref
