// SPDX-License-Identifier: Apache-2.0
// BF16 to E4M3 with one FP32 scale for 128 values, along a row or, transposed, along a column.
#pragma once

#include "framework/number_formats.hpp"
#include "framework/workload.hpp"

#include <span>

namespace chokepoint::kref {

inline constexpr int kQuantBlock = 128;          // DeepSeek-V3 report, 3.3.2
inline constexpr float kLeastMagnitude = 1e-10F; // keeps the scale of a block of zeros finite

/// codes[r][c] with scales[c / 128][r]: the scales of neighbouring rows lie together, as block-scaled GEMMs
/// read them. `columns` is a multiple of 128.
struct Quantize {
    const Bf16Bits* in = nullptr; ///< [rows][columns]
    E4m3Bits* codes = nullptr;
    float* scales = nullptr;
    std::int64_t rows = 0, columns = 0;
};
void quantize(const Quantize&, const Launch&);

/// codes[c][r] with scales[r / 128][c]: the weight gradient's operand. Rows a multiple of 128, columns of 64.
void quantize_transposed(const Quantize&, const Launch&);

/// Scale and codes of one block of values, in the device's own FP32 arithmetic: results must be equal bit by
/// bit.
struct QuantizedBlock {
    float scale = 0.0F;
    std::vector<E4m3Bits> codes;
};
QuantizedBlock quantize_reference(const std::vector<Bf16Bits>& block);

/// Takes in one block that a kernel computed and quantised: its scale must be the largest value's / 448, and
/// each code, here decoded, within half a step of its value over the scale, but for the kernel's FP32
/// arithmetic.
void compare_quantized(std::span<const double> values, std::span<const double> codes, double scale,
                       FrobeniusError&, WorstElement&);

std::vector<Case> quantize_cases();
Work quantize_work(const Case&);
std::unique_ptr<Workload> make_quantize(const Case&, Device&);
std::unique_ptr<Workload> make_quantize_transposed(const Case&, Device&);

} // namespace chokepoint::kref
