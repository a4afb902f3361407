// SPDX-License-Identifier: Apache-2.0
// Operands of one GEMM shape in the layout its role implies, and the sampled check that every implementation
// shares.
#pragma once

#include "framework/number_formats.hpp"
#include "framework/workload.hpp"

namespace chokepoint::kref {

/// How FP8 scales lie. Activations (1x128): one row of scales for 128 of k, neighbouring rows together.
/// Weights (128x128): a row of scales for 128 of n, blocks of k together, padded to a multiple of four as
/// cublasLt reads them.
enum class RowScales {
    across_groups, ///< [k / 128][rows of all groups]: our grouped kernel
    per_group,     ///< [group][k / 128][rows]: one cublasLt call per group
};

/// Element (row i, depth l) of an operand lies at i * row + l * depth.
struct Strides {
    std::int64_t row = 0, depth = 0;
};

struct GemmLayout {
    Strides a, b;
    bool k_major = false; ///< both operands have k innermost, as FP8 on Hopper requires
};
/// BF16 operands lie as the forward pass left them; FP8 operands have been transposed where needed.
GemmLayout gemm_layout(const Shape&, Role, Precision);

/// One buffer set; groups one after the other.
struct GemmOperands {
    Bf16Bits* a16 = nullptr; ///< BF16 operands, else null
    Bf16Bits* b16 = nullptr;
    E4m3Bits* a8 = nullptr; ///< FP8 operands, else null
    E4m3Bits* b8 = nullptr;
    float* a_scale = nullptr;
    float* b_scale = nullptr;
    Bf16Bits* d16 = nullptr; ///< forward and dgrad
    float* d32 = nullptr;    ///< wgrad, accumulated
};

class GemmData {
public:
    GemmData(const Case&, Precision, RowScales, Device&, bool wgrad_in_bf16 = false);

    [[nodiscard]] const GemmOperands& set(int i) const { return sets_.at(static_cast<std::size_t>(i)); }
    [[nodiscard]] int sets() const { return static_cast<int>(sets_.size()); }

    const Shape shape;
    const Role role;
    const Precision precision;
    const GemmLayout layout;
    const bool accumulates; ///< d is FP32 and added to
    /// Rows of each group (of a and d); their mean is shape.m, each a multiple of 256 where they differ.
    std::vector<std::int64_t> group_rows;
    std::int64_t total_rows = 0;

    [[nodiscard]] std::int64_t first_row(int group) const;
    /// Offsets of a group's operands, in elements.
    [[nodiscard]] std::int64_t a_offset(int group) const;
    [[nodiscard]] std::int64_t b_offset(int group) const { return group * shape.n * shape.k; }
    [[nodiscard]] std::int64_t d_offset(int group) const { return first_row(group) * shape.n; }
    [[nodiscard]] std::int64_t a_scale_offset(int group) const;
    [[nodiscard]] std::int64_t b_scale_offset(int group) const;
    /// Distance between scales of neighbouring blocks of k (activations) or of n (weights).
    [[nodiscard]] std::int64_t a_scale_pitch(int group) const;
    [[nodiscard]] std::int64_t b_scale_pitch() const;
    [[nodiscard]] std::int64_t k_blocks() const { return (shape.k + 127) / 128; }

    /// Poisons d of set 0 (wgrad: fills it with known values), calls `run`, compares samples of some groups.
    /// Rows at or beyond `written_rows` of a group, if given, must still be poison.
    Check check(const std::function<void()>& run, double bound, cudaStream_t,
                const std::vector<std::int64_t>* written_rows = nullptr);

private:
    void fill(GemmOperands&, Device&);
    void check_group(int group, const std::vector<std::vector<double>>& before,
                     const std::vector<std::int64_t>& rows, const std::vector<std::int64_t>& columns,
                     FrobeniusError&) const;
    [[nodiscard]] std::vector<std::vector<double>>
    operand_lines(bool of_a, int group, const std::vector<std::int64_t>& lines) const;
    [[nodiscard]] std::vector<std::vector<double>> read_d(int group,
                                                          const std::vector<std::int64_t>& rows) const;
    [[nodiscard]] std::int64_t unwritten(cudaStream_t, const std::vector<std::int64_t>* written_rows) const;

    RowScales row_scales_;
    std::mt19937_64* random_;
    std::vector<GemmOperands> sets_;
};

/// Relative Frobenius bounds: one rounding to BF16 is 1.7e-3; FP8 with fast accumulation keeps about 14 bits
/// of the running sum over the whole of k (DeepSeek-V3 report, 3.3.2).
inline constexpr double kGemmBound = 4e-3;
inline constexpr double kFastAccumulationBound = 2e-2;

/// sum over l of a[l] b[l].
double dot_reference(const std::vector<double>& a, const std::vector<double>& b);
/// `values` times one scale for each 128 of them.
void apply_scales(std::vector<double>& values, const std::vector<double>& scales);
/// Group sizes that differ as routing makes them, multiples of 256 with mean `mean`.
std::vector<std::int64_t> uneven_rows(std::int64_t mean, int groups, std::mt19937_64&);

} // namespace chokepoint::kref
