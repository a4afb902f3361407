// SPDX-License-Identifier: Apache-2.0
// The 16-bit and 8-bit formats as a CPU sees them, so that references need neither a GPU nor its headers.
#pragma once

#include <cstdint>

namespace chokepoint::kref {

using Bf16Bits = std::uint16_t;
using E4m3Bits = std::uint8_t;

inline constexpr double kE4m3Max =
    448.0; // S.1111.110; FP8 formats for deep learning, arXiv:2209.05433, table 1

double from_bf16(Bf16Bits);
/// Nearest, ties to even; NaN stays NaN.
Bf16Bits to_bf16(float);
/// What rounding to BF16 changes at most of a value.
double bf16_half_step(double value);

double from_e4m3(E4m3Bits);
/// Nearest, ties to even, saturating at 448; NaN becomes 0x7f.
E4m3Bits to_e4m3(float);
/// What rounding to E4M3 changes at most of a value of up to 448.
double e4m3_half_step(double value);

} // namespace chokepoint::kref
