// SPDX-License-Identifier: Apache-2.0
// Rotary embedding of the last 64 values of every head, pairs (2i, 2i+1), as MLA applies it to queries and
// keys.
#pragma once

#include "framework/number_formats.hpp"
#include "framework/workload.hpp"

namespace chokepoint::kref {

inline constexpr int kRopeDim = 64; // DeepSeek-V3 config.json, qk_rope_head_dim

/// Row t holds `heads` heads of `head_dim` values; the last kRopeDim of each are rotated by position t.
struct Rope {
    const Bf16Bits* in = nullptr;
    Bf16Bits* out = nullptr;            ///< same layout; other values are left alone
    const float* cosine_sine = nullptr; ///< [tokens][kRopeDim / 2][2]
    std::int64_t tokens = 0;
    int heads = 0, head_dim = 0;
};
void rope(const Rope&, const Launch&);

/// Cosine and sine of every position and pair, base 10,000: RoFormer, arXiv:2104.09864.
std::vector<float> rope_table(std::int64_t tokens);
/// One head's kRopeDim values.
std::vector<double> rope_reference(const std::vector<double>& in, const float* cosine_sine);

std::vector<Case> rope_cases();
Work rope_work(const Case&);
std::unique_ptr<Workload> make_rope(const Case&, Device&);

} // namespace chokepoint::kref
