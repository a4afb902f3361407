// SPDX-License-Identifier: Apache-2.0
// Rotary embedding in double precision, and its table.
#include "rope/rope.hpp"

#include <cmath>

namespace chokepoint::kref {

std::vector<float> rope_table(std::int64_t tokens) {
    constexpr double kBase = 10000.0;
    std::vector<float> table;
    table.reserve(static_cast<std::size_t>(tokens * kRopeDim));
    for (std::int64_t t = 0; t < tokens; ++t) {
        for (int pair = 0; pair < kRopeDim / 2; ++pair) {
            const double angle = static_cast<double>(t) * std::pow(kBase, -2.0 * pair / kRopeDim);
            table.push_back(static_cast<float>(std::cos(angle)));
            table.push_back(static_cast<float>(std::sin(angle)));
        }
    }
    return table;
}

std::vector<double> rope_reference(const std::vector<double>& in, const float* cosine_sine) {
    std::vector<double> out(in.size());
    for (std::size_t pair = 0; pair < in.size() / 2; ++pair) {
        const double cosine = cosine_sine[2 * pair];
        const double sine = cosine_sine[2 * pair + 1];
        out[2 * pair] = in[2 * pair] * cosine - in[2 * pair + 1] * sine;
        out[2 * pair + 1] = in[2 * pair] * sine + in[2 * pair + 1] * cosine;
    }
    return out;
}

} // namespace chokepoint::kref
