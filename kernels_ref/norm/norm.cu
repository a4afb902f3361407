// SPDX-License-Identifier: Apache-2.0
// RMSNorm: a row stays in registers between its sum and its scaling, so that memory sees it once.
#include "framework/vector_io.cuh"
#include "norm/norm.hpp"

namespace chokepoint::kref {
namespace {

constexpr int kThreads = 256;
constexpr int kForwardBlocksPerSm = 6;
constexpr int kBackwardBlocksPerSm = 2; // few, since each leaves a partial weight gradient

/// Which row and which of its vectors a thread handles: kLanes threads share a row, kVectors vectors each.
template <int kLanes> struct Place {
    static constexpr int kRowsPerBlock = kThreads / kLanes;
    int lane = threadIdx.x % kLanes;
    std::int64_t first_row = blockIdx.x * static_cast<std::int64_t>(kRowsPerBlock) + threadIdx.x / kLanes;
    std::int64_t row_step = static_cast<std::int64_t>(gridDim.x) * kRowsPerBlock;
};

template <int kLanes, int kVectors> __global__ void __launch_bounds__(kThreads) forward(NormForward p) {
    __shared__ float scratch[kThreads / kWarp];
    const Place<kLanes> place;
    const int vectors = static_cast<int>(p.columns / kPerVector);
    for (std::int64_t row = place.first_row; row < p.rows; row += place.row_step) {
        const Bf16Bits* x = p.x + row * p.columns;
        uint4 held[kVectors];
        float squares = 0.0f;
#pragma unroll
        for (int v = 0; v < kVectors; ++v) {
            const int at = place.lane + v * kLanes;
            held[v] = at < vectors ? load_vector(x + at * kPerVector) : uint4{};
        }
#pragma unroll
        for (int v = 0; v < kVectors; ++v) {
            float f[kPerVector];
            unpack(held[v], f);
#pragma unroll
            for (float value : f) {
                squares += value * value;
            }
        }
        const float mean = threads_sum<kLanes>(squares, scratch) / static_cast<float>(p.columns);
        const float inverse = rsqrtf(mean + kNormEpsilon);
#pragma unroll
        for (int v = 0; v < kVectors; ++v) {
            const int at = place.lane + v * kLanes;
            if (at < vectors) {
                float f[kPerVector];
                float w[kPerVector];
                unpack(held[v], f);
                unpack(load_vector(p.weight + at * kPerVector), w);
#pragma unroll
                for (int i = 0; i < kPerVector; ++i) {
                    f[i] *= inverse * w[i];
                }
                store_vector(p.y + row * p.columns + at * kPerVector, pack(f));
            }
        }
        if (place.lane == 0) {
            p.inverse_rms[row] = inverse;
        }
    }
}

template <int kLanes, int kVectors> __global__ void __launch_bounds__(kThreads) backward(NormBackward p) {
    __shared__ float scratch[kThreads / kWarp];
    const Place<kLanes> place;
    const int vectors = static_cast<int>(p.columns / kPerVector);
    float dweight[kVectors][kPerVector] = {};
    for (std::int64_t row = place.first_row; row < p.rows; row += place.row_step) {
        const std::int64_t offset = row * p.columns;
        uint4 held_x[kVectors];
        uint4 held_dy[kVectors];
#pragma unroll
        for (int v = 0; v < kVectors; ++v) {
            const int at = place.lane + v * kLanes;
            held_x[v] = at < vectors ? load_vector(p.x + offset + at * kPerVector) : uint4{};
            held_dy[v] = at < vectors ? load_vector(p.dy + offset + at * kPerVector) : uint4{};
        }
        const float inverse = __ldg(p.inverse_rms + row);
        float projection = 0.0f;
#pragma unroll
        for (int v = 0; v < kVectors; ++v) {
            const int at = place.lane + v * kLanes;
            if (at < vectors) {
                float x[kPerVector];
                float dy[kPerVector];
                float w[kPerVector];
                unpack(held_x[v], x);
                unpack(held_dy[v], dy);
                unpack(load_vector(p.weight + at * kPerVector), w);
#pragma unroll
                for (int i = 0; i < kPerVector; ++i) {
                    projection += dy[i] * w[i] * x[i];
                    dweight[v][i] += dy[i] * x[i] * inverse;
                }
            }
        }
        const float mean = threads_sum<kLanes>(projection, scratch) / static_cast<float>(p.columns);
        const float pull = inverse * inverse * mean;
#pragma unroll
        for (int v = 0; v < kVectors; ++v) {
            const int at = place.lane + v * kLanes;
            if (at < vectors) {
                float x[kPerVector];
                float dy[kPerVector];
                float w[kPerVector];
                unpack(held_x[v], x);
                unpack(held_dy[v], dy);
                unpack(load_vector(p.weight + at * kPerVector), w);
#pragma unroll
                for (int i = 0; i < kPerVector; ++i) {
                    x[i] = inverse * (dy[i] * w[i] - x[i] * pull);
                }
                store_vector(p.dx + offset + at * kPerVector, pack(x));
            }
        }
    }

    // The block's rows add up in shared memory, one group of kLanes threads after the other.
    extern __shared__ float block_sum[];
    for (int group = 0; group < kThreads / kLanes; ++group) {
        if (static_cast<int>(threadIdx.x) / kLanes == group) {
#pragma unroll
            for (int v = 0; v < kVectors; ++v) {
                const int at = place.lane + v * kLanes;
                if (at < vectors) {
#pragma unroll
                    for (int i = 0; i < kPerVector; ++i) {
                        float& sum = block_sum[at * kPerVector + i];
                        sum = group == 0 ? dweight[v][i] : sum + dweight[v][i];
                    }
                }
            }
        }
        __syncthreads();
    }
    for (int c = threadIdx.x; c < p.columns; c += kThreads) {
        p.partial[blockIdx.x * p.columns + c] = block_sum[c];
    }
}

constexpr int kReduceColumns = 32;
constexpr int kReduceRows = kThreads / kReduceColumns;

__global__ void __launch_bounds__(kThreads) reduce_partial(const float* __restrict__ partial, int rows,
                                                           std::int64_t columns, float* __restrict__ out) {
    __shared__ float sums[kReduceRows][kReduceColumns + 1];
    const int lane = threadIdx.x % kReduceColumns;
    const int group = threadIdx.x / kReduceColumns;
    const std::int64_t column = blockIdx.x * static_cast<std::int64_t>(kReduceColumns) + lane;
    float sum = 0.0f;
    if (column < columns) {
        for (int row = group; row < rows; row += kReduceRows) {
            sum += partial[row * columns + column];
        }
    }
    sums[group][lane] = sum;
    __syncthreads();
    if (group == 0 && column < columns) {
        float total = 0.0f;
#pragma unroll
        for (int i = 0; i < kReduceRows; ++i) {
            total += sums[i][lane];
        }
        out[column] = total;
    }
}

template <int kLanes> int grid(std::int64_t rows, int blocks_per_sm, int sms) {
    constexpr int kRowsPerBlock = Place<kLanes>::kRowsPerBlock;
    const std::int64_t enough = (rows + kRowsPerBlock - 1) / kRowsPerBlock;
    return static_cast<int>(std::min<std::int64_t>(enough, static_cast<std::int64_t>(blocks_per_sm) * sms));
}

template <int kLanes, int kVectors> void launch_forward(const NormForward& p, const Launch& launch) {
    const int blocks = grid<kLanes>(p.rows, kForwardBlocksPerSm, launch.sms);
    forward<kLanes, kVectors><<<blocks, kThreads, 0, launch.stream>>>(p);
    require_launched("norm forward");
}

template <int kLanes, int kVectors> void launch_backward(const NormBackward& p, const Launch& launch) {
    const int blocks = grid<kLanes>(p.rows, kBackwardBlocksPerSm, launch.sms);
    const int shared = static_cast<int>(p.columns * static_cast<std::int64_t>(sizeof(float)));
    require(
        cudaFuncSetAttribute(backward<kLanes, kVectors>, cudaFuncAttributeMaxDynamicSharedMemorySize, shared),
        "raise shared memory of norm backward");
    backward<kLanes, kVectors><<<blocks, kThreads, shared, launch.stream>>>(p);
    require_launched("norm backward");
    const auto columns = static_cast<unsigned>((p.columns + kReduceColumns - 1) / kReduceColumns);
    reduce_partial<<<columns, kThreads, 0, launch.stream>>>(p.partial, blocks, p.columns, p.dweight);
    require_launched("norm weight gradient");
}

/// Calls `apply` with the fewest registers that hold a row.
template <class Apply> void with_layout(std::int64_t columns, Apply apply) {
    if (columns > kNormMostColumns || columns % kPerVector != 0) {
        throw Unsupported("RMSNorm over " + std::to_string(columns) +
                          " columns; expected a multiple of 8 up to " + std::to_string(kNormMostColumns));
    }
    if (columns <= 32 * 8 * 2) {
        apply.template operator()<kWarp, 2>();
    } else if (columns <= 32 * 8 * 6) {
        apply.template operator()<kWarp, 6>();
    } else if (columns <= 256 * 8 * 4) {
        apply.template operator()<kThreads, 4>();
    } else {
        apply.template operator()<kThreads, 8>();
    }
}

} // namespace

void norm_forward(const NormForward& p, const Launch& launch) {
    with_layout(p.columns, [&]<int kLanes, int kVectors>() { launch_forward<kLanes, kVectors>(p, launch); });
}

void norm_backward(const NormBackward& p, const Launch& launch) {
    with_layout(p.columns, [&]<int kLanes, int kVectors>() { launch_backward<kLanes, kVectors>(p, launch); });
}

std::int64_t norm_partial_rows(int sms) { return static_cast<std::int64_t>(kBackwardBlocksPerSm) * sms; }

} // namespace chokepoint::kref
