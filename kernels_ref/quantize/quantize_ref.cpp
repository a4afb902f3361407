// SPDX-License-Identifier: Apache-2.0
// Block quantisation on the CPU, rounding as the device does.
#include "quantize/quantize.hpp"

#include <algorithm>
#include <cmath>

namespace chokepoint::kref {

QuantizedBlock quantize_reference(const std::vector<Bf16Bits>& block) {
    float largest = kLeastMagnitude;
    for (const Bf16Bits value : block) {
        largest = std::max(largest, std::abs(static_cast<float>(from_bf16(value))));
    }
    constexpr auto kMax = static_cast<float>(kE4m3Max);
    QuantizedBlock result;
    result.scale = largest / kMax;
    const float inverse = kMax / largest;
    for (const Bf16Bits value : block) {
        const float scaled = static_cast<float>(from_bf16(value)) * inverse;
        result.codes.push_back(to_e4m3(scaled));
    }
    return result;
}

void compare_quantized(std::span<const double> values, std::span<const double> codes, double scale,
                       FrobeniusError& norm, WorstElement& worst) {
    // SwiGLU's fast exponential is good to 1e-6. Where a gradient's terms cancel, that is a share of the
    // terms, which the block's largest value bounds well enough.
    constexpr double kScaleSlack = 1e-5;
    constexpr double kCodeSlack = 4e-6 * kE4m3Max;
    double largest = kLeastMagnitude;
    for (const double value : values) {
        largest = std::max(largest, std::abs(value));
    }
    worst.add(scale, largest / kE4m3Max, kScaleSlack * largest / kE4m3Max);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double exact = values[i] / scale;
        worst.add(codes[i], exact, e4m3_half_step(exact) + kCodeSlack);
        norm.add(codes[i] * scale, values[i]);
    }
}

} // namespace chokepoint::kref
