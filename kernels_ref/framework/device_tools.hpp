// SPDX-License-Identifier: Apache-2.0
// Small kernels that checks and timers need: random inputs, poison, sampled reads, cache flush.
#pragma once

#include "framework/number_formats.hpp"
#include "framework/workload.hpp"

#include <cstdint>
#include <vector>

namespace chokepoint::kref {

/// Normal values of the given standard deviation.
void fill_normal(Bf16Bits* out, std::int64_t count, float deviation, std::uint64_t seed, cudaStream_t);
void fill_normal(float* out, std::int64_t count, float deviation, std::uint64_t seed, cudaStream_t);
/// What quantised activations look like: a block of 128 normal values scaled to reach 448.
void fill_quantised(E4m3Bits* out, std::int64_t count, std::uint64_t seed, cudaStream_t);
void fill_uniform(float* out, std::int64_t count, float low, float high, std::uint64_t seed, cudaStream_t);

/// All bits set: NaN in BF16, FP32 and E4M3, -1 as an integer.
template <class T> void poison(T* out, std::int64_t count, cudaStream_t stream) {
    require(cudaMemsetAsync(out, 0xff, static_cast<std::size_t>(count) * sizeof(T), stream),
            "poison the output");
}
/// Elements that are NaN (floats) or still -1 (integers). Synchronises.
std::int64_t count_poison(const Bf16Bits*, std::int64_t count, cudaStream_t);
std::int64_t count_poison(const float*, std::int64_t count, cudaStream_t);
std::int64_t count_poison(const E4m3Bits*, std::int64_t count, cudaStream_t);
std::int64_t count_poison(const std::int32_t*, std::int64_t count, cudaStream_t);

/// Reads element starts[i] + j * stride for j < length, for every i: rows or columns of a matrix.
/// Synchronises.
template <class T>
std::vector<std::vector<double>> read_lines(const T* matrix, const std::vector<std::int64_t>& starts,
                                            std::int64_t stride, std::int64_t length);

/// Indices below `extent` that a tile boundary or an edge would get wrong, and random ones; ascending, no
/// repeats.
std::vector<std::int64_t> sample(std::int64_t extent, int count, std::mt19937_64&);

/// Reads `bytes` so that L2 holds nothing else and nothing dirty.
void flush_l2(const std::byte* buffer, std::int64_t bytes, cudaStream_t);
/// Keeps the stream busy for about this long, so that what follows is queued before it starts.
void spin(std::int64_t clock_cycles, cudaStream_t);

} // namespace chokepoint::kref
