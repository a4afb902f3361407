// SPDX-License-Identifier: Apache-2.0
// Streaming copies: each thread keeps four 16-byte loads in flight.
#include "copy/copy.hpp"
#include "framework/vector_io.cuh"

namespace chokepoint::kref {
namespace {

constexpr int kThreads = 256;
constexpr int kUnroll = 4;
constexpr int kBlocksPerSm = 8; // fills the 2,048 threads of an SM

template <class Body> __device__ void for_each_tile(std::int64_t count, Body body) {
    constexpr std::int64_t kTile = kThreads * kUnroll;
    for (std::int64_t tile = blockIdx.x * kTile; tile < count; tile += gridDim.x * kTile) {
        body(tile + threadIdx.x);
    }
}

__global__ void __launch_bounds__(kThreads)
    copy_vectors(const uint4* __restrict__ from, uint4* __restrict__ to, std::int64_t count) {
    for_each_tile(count, [&](std::int64_t first) {
        uint4 held[kUnroll];
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            if (first + u * kThreads < count) {
                held[u] = __ldcs(from + first + u * kThreads);
            }
        }
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            if (first + u * kThreads < count) {
                __stcs(to + first + u * kThreads, held[u]);
            }
        }
    });
}

__global__ void __launch_bounds__(kThreads)
    add_vectors(const uint4* __restrict__ a, const uint4* __restrict__ b, uint4* __restrict__ out,
                std::int64_t count) {
    for_each_tile(count, [&](std::int64_t first) {
        uint4 left[kUnroll];
        uint4 right[kUnroll];
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            if (first + u * kThreads < count) {
                left[u] = __ldcs(a + first + u * kThreads);
                right[u] = __ldcs(b + first + u * kThreads);
            }
        }
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            if (first + u * kThreads < count) {
                float x[kPerVector];
                float y[kPerVector];
                unpack(left[u], x);
                unpack(right[u], y);
#pragma unroll
                for (int i = 0; i < kPerVector; ++i) {
                    x[i] += y[i];
                }
                __stcs(out + first + u * kThreads, pack(x));
            }
        }
    });
}

constexpr int kNopeVectors = ConcatShape::kNope / kPerVector;
constexpr int kKeyVectors = ConcatShape::kKey / kPerVector;
constexpr int kRopeVectors = ConcatShape::kRope / kPerVector;

const __device__ uint4* concat_source(const uint4* nope, const uint4* rope, std::int64_t out, int heads) {
    const std::int64_t head = out / kKeyVectors;
    const int at = static_cast<int>(out % kKeyVectors);
    return at < kNopeVectors ? nope + head * kNopeVectors + at
                             : rope + head / heads * kRopeVectors + (at - kNopeVectors);
}

__global__ void __launch_bounds__(kThreads)
    concat_vectors(const uint4* __restrict__ nope, const uint4* __restrict__ rope, uint4* __restrict__ keys,
                   int heads, std::int64_t count) {
    for_each_tile(count, [&](std::int64_t first) {
        uint4 held[kUnroll];
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            if (first + u * kThreads < count) {
                held[u] = __ldg(concat_source(nope, rope, first + u * kThreads, heads));
            }
        }
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            if (first + u * kThreads < count) {
                __stcs(keys + first + u * kThreads, held[u]);
            }
        }
    });
}

int grid(const Launch& launch, std::int64_t vectors) {
    const std::int64_t tiles = (vectors + kThreads * kUnroll - 1) / (kThreads * kUnroll);
    return static_cast<int>(
        std::min<std::int64_t>(tiles, static_cast<std::int64_t>(launch.sms) * kBlocksPerSm));
}

const uint4* vectors(const Bf16Bits* p) { return reinterpret_cast<const uint4*>(p); }
uint4* vectors(Bf16Bits* p) { return reinterpret_cast<uint4*>(p); }

} // namespace

void copy_bytes(const std::byte* from, std::byte* to, std::int64_t bytes, const Launch& launch) {
    const std::int64_t count = bytes / 16;
    copy_vectors<<<grid(launch, count), kThreads, 0, launch.stream>>>(reinterpret_cast<const uint4*>(from),
                                                                      reinterpret_cast<uint4*>(to), count);
    require_launched("copy_vectors");
}

void add_bf16(const Bf16Bits* a, const Bf16Bits* b, Bf16Bits* out, std::int64_t count, const Launch& launch) {
    const std::int64_t words = count / kPerVector;
    add_vectors<<<grid(launch, words), kThreads, 0, launch.stream>>>(vectors(a), vectors(b), vectors(out),
                                                                     words);
    require_launched("add_vectors");
}

void concat_keys(const Bf16Bits* nope, const Bf16Bits* rope, Bf16Bits* keys, const ConcatShape& shape,
                 const Launch& launch) {
    const std::int64_t words = shape.tokens * shape.heads * kKeyVectors;
    concat_vectors<<<grid(launch, words), kThreads, 0, launch.stream>>>(vectors(nope), vectors(rope),
                                                                        vectors(keys), shape.heads, words);
    require_launched("concat_vectors");
}

} // namespace chokepoint::kref
