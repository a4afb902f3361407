// SPDX-License-Identifier: Apache-2.0
// Conversions of BF16 and E4M3 by their bit layouts.
#include "framework/number_formats.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace chokepoint::kref {
namespace {

/// Half the distance of neighbours of `mantissa_bits` around a value; below `least_exponent` it stays the
/// same.
double half_step(double value, int mantissa_bits, int least_exponent) {
    const int exponent = value == 0.0 ? least_exponent : std::max(std::ilogb(value), least_exponent);
    return std::ldexp(0.5, exponent - mantissa_bits);
}

} // namespace

double from_bf16(Bf16Bits bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

Bf16Bits to_bf16(float value) {
    if (std::isnan(value)) {
        return 0x7fff;
    }
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t to_even = 0x7fffU + ((bits >> 16) & 1U);
    return static_cast<Bf16Bits>((bits + to_even) >> 16);
}

double bf16_half_step(double value) { return half_step(value, 7, -126); }

double from_e4m3(E4m3Bits bits) {
    const int exponent = (bits >> 3) & 15;
    const int mantissa = bits & 7;
    if (exponent == 15 && mantissa == 7) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa / 8.0, -6) : std::ldexp(1.0 + mantissa / 8.0, exponent - 7);
    return (bits & 0x80) != 0 ? -magnitude : magnitude;
}

E4m3Bits to_e4m3(float value) {
    if (std::isnan(value)) {
        return 0x7f;
    }
    const E4m3Bits sign = std::signbit(value) ? 0x80 : 0x00;
    const double magnitude = std::abs(static_cast<double>(value));
    if (magnitude >= kE4m3Max) {
        return sign | 0x7e;
    }
    // Steps of 2^-9 below 2^-6, of 2^(e-3) in [2^e, 2^(e+1)) above.
    const int exponent = magnitude < 0x1p-6 ? -6 : std::ilogb(magnitude);
    const double steps = std::nearbyint(std::ldexp(magnitude, 3 - exponent)); // ties to even
    const double rounded = std::ldexp(steps, exponent - 3);
    if (rounded < 0x1p-6) {
        return static_cast<E4m3Bits>(sign | static_cast<int>(steps));
    }
    const int final_exponent = std::ilogb(rounded);
    const int mantissa = static_cast<int>(std::ldexp(rounded, 3 - final_exponent)) - 8;
    return static_cast<E4m3Bits>(sign | ((final_exponent + 7) << 3) | mantissa);
}

double e4m3_half_step(double value) { return half_step(value, 3, -6); }

} // namespace chokepoint::kref
