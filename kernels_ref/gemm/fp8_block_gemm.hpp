// SPDX-License-Identifier: Apache-2.0
// Our FP8 GEMM with 1x128 activation and 128x128 weight scales, sums promoted to FP32 every 128 of k: dense,
// and grouped with contiguous or masked rows.
#pragma once

#include "framework/number_formats.hpp"
#include "framework/workload.hpp"

namespace chokepoint::kref {

/// d[rows][n] = a[rows][k] b[group][n][k]^T, each product of blocks times its scales. k is a multiple of 16,
/// n of 8. Rows of a and d lie one after the other:
/// - dense: one group;
/// - contiguous: `group_of_tile[i]` is the group of rows 128 i to 128 i + 127; a group's rows are a multiple
/// of
///   `row_alignment`;
/// - masked: each group has `rows / groups` rows of which the first `group_rows[g]`, known to the device
/// alone, hold
///   data. Others of d are left alone.
struct Fp8BlockGemm {
    const E4m3Bits* a = nullptr;
    const E4m3Bits* b = nullptr;
    const float* a_scale = nullptr; ///< [k / 128][rows], rounded up
    const float* b_scale = nullptr; ///< [group][n / 128][b_scale_pitch], rounded up
    Bf16Bits* d = nullptr;
    std::int64_t rows = 0, n = 0, k = 0;
    std::int64_t b_scale_pitch = 0;
    int groups = 1;
    const std::int32_t* group_of_tile = nullptr; ///< device; contiguous layout
    const std::int32_t* group_rows = nullptr;    ///< device; masked layout
    /// Weight gradient: written to instead of d, FP32, added to what is there. Both operands are activations
    /// then: b_scale is [group][k / 128][n], and rows are the forward's n.
    float* gradient = nullptr;
    int row_alignment = 128; ///< 128 or 256; larger admits taller tiles
};

/// Rows of a tile: 256 halves the traffic of b, 128 fills the device better.
enum class TileRows { automatic, rows_128, rows_256 };

/// @throws Unsupported on shapes that break the contract.
void fp8_block_gemm(const Fp8BlockGemm&, const Launch&, TileRows = TileRows::automatic);
/// What `automatic` chooses: the height with the fewer waves, by rows of the longest SM.
int choose_tile_rows(std::int64_t rows, std::int64_t n, int sms, int row_alignment);

std::unique_ptr<Workload> make_fp8_block_dense(const Case&, Device&);
std::unique_ptr<Workload> make_fp8_block_contiguous(const Case&, Device&);
std::unique_ptr<Workload> make_fp8_block_masked(const Case&, Device&);

std::unique_ptr<Workload> make_fp8_block_wgrad(const Case&, Device&);
std::unique_ptr<Workload> make_fp8_block_grouped_wgrad(const Case&, Device&);

/// Forward and input gradient; weight gradients apart, since their scales are 1x128 on both sides.
std::vector<Case> fp8_block_dense_cases();
std::vector<Case> fp8_block_grouped_cases();
std::vector<Case> fp8_block_wgrad_cases();
std::vector<Case> fp8_block_grouped_wgrad_cases();

} // namespace chokepoint::kref
