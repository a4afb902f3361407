// SPDX-License-Identifier: Apache-2.0
// The arithmetic of GEMM checks, and group sizes; needs no device.
#include "gemm/gemm_data.hpp"

#include <algorithm>
#include <numeric>

namespace chokepoint::kref {

GemmLayout gemm_layout(const Shape& s, Role role, Precision precision) {
    if (precision != Precision::bf16) {
        return {{s.k, 1}, {s.k, 1}, true};
    }
    switch (role) {
    case Role::dgrad:
        return {{s.k, 1}, {1, s.n}, false}; // dy [m][k] times w [k][n]
    case Role::wgrad:
        return {{1, s.m}, {1, s.n}, false}; // dy [k][m] and x [k][n], tokens outermost
    default:
        return {{s.k, 1}, {s.k, 1}, true}; // x [m][k] and w [n][k]
    }
}

double dot_reference(const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void apply_scales(std::vector<double>& values, const std::vector<double>& scales) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] *= scales[i / 128];
    }
}

std::vector<std::int64_t> uneven_rows(std::int64_t mean, int groups, std::mt19937_64& random) {
    constexpr std::int64_t kStep = 256; // the tallest tile of our kernel
    std::vector<std::int64_t> rows(static_cast<std::size_t>(groups), mean / kStep * kStep);
    // Rows move from one group to the next; the published spread of routed rows is about 8%, single experts
    // more.
    const std::int64_t most = std::max<std::int64_t>(mean / kStep / 4, 1);
    std::uniform_int_distribution<std::int64_t> share(1, most);
    for (std::size_t g = 0; g + 1 < rows.size(); g += 2) {
        const std::int64_t moved = std::min(share(random) * kStep, rows[g + 1]);
        rows[g] += moved;
        rows[g + 1] -= moved;
    }
    return rows;
}

} // namespace chokepoint::kref
