// SPDX-License-Identifier: Apache-2.0
// Gather and weighted scatter-sum of rows: a warp copies a row, a block eight neighbouring ones, so that the
// transposed scales leave in whole 32-byte sectors.
#include "framework/vector_io.cuh"
#include "permute/permute.hpp"

namespace chokepoint::kref {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarp;
constexpr int kUnroll = 4;
constexpr int kMostBlocks = 128;
constexpr int kBlocksPerSm = 8;

template <bool kScales> __global__ void __launch_bounds__(kThreads) gather_rows(Permute p) {
    __shared__ float scales[kMostBlocks][kWarps + 1];
    const int lane = threadIdx.x % kWarp;
    const int warp = threadIdx.x / kWarp;
    const int vectors = static_cast<int>(p.row_bytes / 16);
    const std::int64_t tiles = (p.rows + kWarps - 1) / kWarps;
    for (std::int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        const std::int64_t row = tile * kWarps + warp;
        if (row < p.rows) {
            const std::int64_t source = __ldg(p.source + row);
            const auto* from = reinterpret_cast<const uint4*>(p.in + source * p.row_bytes);
            auto* to = reinterpret_cast<uint4*>(p.out + row * p.row_bytes);
            for (int first = lane; first < vectors; first += kWarp * kUnroll) {
                uint4 held[kUnroll];
#pragma unroll
                for (int u = 0; u < kUnroll; ++u) {
                    if (first + u * kWarp < vectors) {
                        held[u] = __ldg(from + first + u * kWarp);
                    }
                }
#pragma unroll
                for (int u = 0; u < kUnroll; ++u) {
                    if (first + u * kWarp < vectors) {
                        __stcs(to + first + u * kWarp, held[u]);
                    }
                }
            }
            if constexpr (kScales) {
                for (int b = lane; b < p.blocks; b += kWarp) {
                    scales[b][warp] = __ldg(p.in_scales + source * p.blocks + b);
                }
            }
        }
        if constexpr (kScales) {
            __syncthreads();
            for (int i = threadIdx.x; i < p.blocks * kWarps; i += kThreads) {
                const std::int64_t out_row = tile * kWarps + i % kWarps;
                if (out_row < p.rows) {
                    p.out_scales[i / kWarps * p.rows + out_row] = scales[i / kWarps][i % kWarps];
                }
            }
            __syncthreads();
        }
    }
}

__global__ void __launch_bounds__(kThreads) sum_rows(Unpermute p) {
    const int vectors = static_cast<int>(p.columns / kPerVector);
    for (std::int64_t token = blockIdx.x; token < p.tokens; token += gridDim.x) {
        std::int64_t row[Unpermute::kTopK];
        float weight[Unpermute::kTopK];
#pragma unroll
        for (int k = 0; k < Unpermute::kTopK; ++k) {
            row[k] = __ldg(p.position + token * Unpermute::kTopK + k);
            weight[k] = __ldg(p.weights + token * Unpermute::kTopK + k);
        }
        for (int v = threadIdx.x; v < vectors; v += kThreads) {
            uint4 held[Unpermute::kTopK];
#pragma unroll
            for (int k = 0; k < Unpermute::kTopK; ++k) {
                held[k] = load_vector(p.in + row[k] * p.columns + v * kPerVector);
            }
            float sum[kPerVector] = {};
#pragma unroll
            for (int k = 0; k < Unpermute::kTopK; ++k) {
                float f[kPerVector];
                unpack(held[k], f);
#pragma unroll
                for (int i = 0; i < kPerVector; ++i) {
                    sum[i] += weight[k] * f[i];
                }
            }
            store_vector(p.out + token * p.columns + v * kPerVector, pack(sum));
        }
    }
}

int grid(std::int64_t tiles, const Launch& launch) {
    return static_cast<int>(
        std::min<std::int64_t>(tiles, static_cast<std::int64_t>(launch.sms) * kBlocksPerSm));
}

} // namespace

void permute(const Permute& p, const Launch& launch) {
    if (p.blocks > kMostBlocks) {
        throw Unsupported("permute with " + std::to_string(p.blocks) + " scales a row; expected at most 128");
    }
    const int blocks = grid((p.rows + kWarps - 1) / kWarps, launch);
    if (p.in_scales != nullptr) {
        gather_rows<true><<<blocks, kThreads, 0, launch.stream>>>(p);
    } else {
        gather_rows<false><<<blocks, kThreads, 0, launch.stream>>>(p);
    }
    require_launched("permute");
}

void unpermute(const Unpermute& p, const Launch& launch) {
    sum_rows<<<grid(p.tokens, launch), kThreads, 0, launch.stream>>>(p);
    require_launched("unpermute");
}

} // namespace chokepoint::kref
