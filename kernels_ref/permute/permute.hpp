// SPDX-License-Identifier: Apache-2.0
// Tokens into expert order and back: gather rows before the experts, weighted sum of their results after.
#pragma once

#include "framework/number_formats.hpp"
#include "framework/workload.hpp"

namespace chokepoint::kref {

/// out[r] = in[source[r]]. With scales, [tokens][blocks] in and [blocks][rows] out, as the block-scaled GEMM
/// reads them.
struct Permute {
    const std::byte* in = nullptr;
    std::byte* out = nullptr;
    const float* in_scales = nullptr; ///< none: a plain gather
    float* out_scales = nullptr;
    const std::int32_t* source = nullptr; ///< [rows]
    std::int64_t rows = 0;
    std::int64_t row_bytes = 0; ///< a multiple of 16
    int blocks = 0;             ///< scales in a row, at most 128
};
void permute(const Permute&, const Launch&);

/// out[t] = sum over k of weights[t][k] in[position[t][k]], BF16 rows, FP32 sums, top 8.
struct Unpermute {
    const Bf16Bits* in = nullptr;
    Bf16Bits* out = nullptr;
    const std::int32_t* position = nullptr; ///< [tokens][8]
    const float* weights = nullptr;         ///< [tokens][8]
    std::int64_t tokens = 0, columns = 0;   ///< columns a multiple of 8
    static constexpr int kTopK = 8;
};
void unpermute(const Unpermute&, const Launch&);

/// Where every copy of every token goes when each token's experts are drawn at random: rows sorted by expert.
struct RandomRouting {
    std::vector<std::int32_t> source;   ///< [rows]: the token of a row
    std::vector<std::int32_t> position; ///< [tokens][top_k]: the row of a copy
};
RandomRouting random_routing(std::int64_t tokens, int top_k, int experts, std::mt19937_64&);

std::vector<double> unpermute_reference(const std::vector<std::vector<double>>& rows,
                                        const std::vector<double>& weights);

std::vector<Case> permute_cases();
Work permute_fp8_work(const Case&);
Work permute_bf16_work(const Case&);
Work unpermute_work(const Case&);
std::unique_ptr<Workload> make_permute_fp8(const Case&, Device&);
std::unique_ptr<Workload> make_permute_bf16(const Case&, Device&);
std::unique_ptr<Workload> make_unpermute(const Case&, Device&);

} // namespace chokepoint::kref
