// SPDX-License-Identifier: Apache-2.0
// Block quantisation on the CPU, rounding as the device does.
#include "quantize/quantize.hpp"

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

} // namespace chokepoint::kref
