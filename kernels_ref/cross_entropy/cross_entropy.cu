// SPDX-License-Identifier: Apache-2.0
// Sharded cross-entropy: one pass with a running maximum, then one that writes the gradient.
#include "cross_entropy/cross_entropy.hpp"
#include "framework/vector_io.cuh"

namespace chokepoint::kref {
namespace {

constexpr int kThreads = 512;
constexpr int kWarps = kThreads / kWarp;
constexpr int kUnroll = 4;
constexpr int kBlocksPerSm = 4;

struct Running {
    float largest, sum;
};

__device__ Running merge(const Running& a, const Running& b) {
    const float largest = fmaxf(a.largest, b.largest);
    if (largest == -INFINITY) {
        return {largest, 0.0f};
    }
    return {largest, a.sum * __expf(a.largest - largest) + b.sum * __expf(b.largest - largest)};
}

__device__ Running block_merge(Running mine, Running* scratch) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
        mine = merge(mine, {__shfl_xor_sync(kAllLanes, mine.largest, offset),
                            __shfl_xor_sync(kAllLanes, mine.sum, offset)});
    }
    __syncthreads();
    if (threadIdx.x % kWarp == 0) {
        scratch[threadIdx.x / kWarp] = mine;
    }
    __syncthreads();
    Running all = scratch[0];
#pragma unroll
    for (int i = 1; i < kWarps; ++i) {
        all = merge(all, scratch[i]);
    }
    return all;
}

__global__ void __launch_bounds__(kThreads) row_statistics(CrossEntropy p) {
    __shared__ Running scratch[kWarps];
    const std::int64_t vectors = p.columns / kPerVector;
    for (std::int64_t row = blockIdx.x; row < p.rows; row += gridDim.x) {
        const Bf16Bits* logits = p.logits + row * p.columns;
        Running mine{-INFINITY, 0.0f};
        for (std::int64_t first = threadIdx.x; first < vectors; first += kThreads * kUnroll) {
            uint4 held[kUnroll];
#pragma unroll
            for (int u = 0; u < kUnroll; ++u) {
                if (first + u * kThreads < vectors) {
                    held[u] = load_vector(logits + (first + u * kThreads) * kPerVector);
                }
            }
#pragma unroll
            for (int u = 0; u < kUnroll; ++u) {
                if (first + u * kThreads < vectors) {
                    float f[kPerVector];
                    unpack(held[u], f);
                    float largest = mine.largest;
#pragma unroll
                    for (const float value : f) {
                        largest = fmaxf(largest, value);
                    }
                    float sum = mine.sum * __expf(mine.largest - largest);
#pragma unroll
                    for (const float value : f) {
                        sum += __expf(value - largest);
                    }
                    mine = {largest, sum};
                }
            }
        }
        const Running all = block_merge(mine, scratch);
        if (threadIdx.x == 0) {
            const std::int64_t column = p.target[row] - p.first_column;
            const bool owned = column >= 0 && column < p.columns;
            const float target = owned ? __uint_as_float(static_cast<unsigned>(logits[column]) << 16) : 0.0f;
            p.statistics[p.shard * p.rows + row] = {all.largest, all.sum, target, 0.0f};
        }
    }
}

__global__ void __launch_bounds__(kThreads) loss_and_gradient(CrossEntropy p) {
    const std::int64_t vectors = p.columns / kPerVector;
    for (std::int64_t row = blockIdx.x; row < p.rows; row += gridDim.x) {
        Running all{-INFINITY, 0.0f};
        float target_logit = 0.0f;
        for (int shard = 0; shard < p.shards; ++shard) {
            const float4 s = __ldg(reinterpret_cast<const float4*>(p.statistics + shard * p.rows + row));
            all = merge(all, {s.x, s.y});
            target_logit += s.z;
        }
        const float log_sum = logf(all.sum) + all.largest;
        if (threadIdx.x == 0) {
            p.loss[row] = log_sum - target_logit;
        }
        const std::int64_t target = p.target[row] - p.first_column;
        for (std::int64_t first = threadIdx.x; first < vectors; first += kThreads * kUnroll) {
            uint4 held[kUnroll];
#pragma unroll
            for (int u = 0; u < kUnroll; ++u) {
                if (first + u * kThreads < vectors) {
                    held[u] = load_vector(p.logits + row * p.columns + (first + u * kThreads) * kPerVector);
                }
            }
#pragma unroll
            for (int u = 0; u < kUnroll; ++u) {
                const std::int64_t at = (first + u * kThreads) * kPerVector;
                if (first + u * kThreads < vectors) {
                    float f[kPerVector];
                    unpack(held[u], f);
#pragma unroll
                    for (int i = 0; i < kPerVector; ++i) {
                        const float share = __expf(f[i] - log_sum);
                        f[i] = (at + i == target ? share - 1.0f : share) * p.scale;
                    }
                    store_vector(p.gradient + row * p.columns + at, pack(f));
                }
            }
        }
    }
}

} // namespace

void cross_entropy(const CrossEntropy& p, const Launch& launch) {
    if (p.columns % kPerVector != 0) {
        throw Unsupported("cross-entropy over " + std::to_string(p.columns) +
                          " columns; expected a multiple of 8");
    }
    const auto blocks = static_cast<unsigned>(
        std::min<std::int64_t>(p.rows, static_cast<std::int64_t>(launch.sms) * kBlocksPerSm));
    row_statistics<<<blocks, kThreads, 0, launch.stream>>>(p);
    require_launched("cross-entropy statistics");
    loss_and_gradient<<<blocks, kThreads, 0, launch.stream>>>(p);
    require_launched("cross-entropy gradient");
}

} // namespace chokepoint::kref
