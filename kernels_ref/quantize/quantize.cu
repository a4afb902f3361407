// SPDX-License-Identifier: Apache-2.0
// Block quantisation: 16 threads hold a block of 128 values and agree on its scale by shuffles.
#include "framework/vector_io.cuh"
#include "quantize/quantize.hpp"

namespace chokepoint::kref {
namespace {

constexpr int kThreads = 256;
constexpr int kLanes = kQuantBlock / kPerVector; // threads of one block of values
constexpr int kGroups = kThreads / kLanes;
constexpr int kUnroll = 4;   // blocks in flight for each group
constexpr int kTileRows = 8; // eight neighbouring scales fill a 32-byte sector
constexpr int kTileBlocks = kGroups / kTileRows * kUnroll;
constexpr int kBlocksPerSm = 8;
constexpr float kMax = 448.0f;

__global__ void __launch_bounds__(kThreads) quantize_rows(Quantize p) {
    const int lane = threadIdx.x % kLanes;
    const int group = threadIdx.x / kLanes;
    const int blocks = static_cast<int>(p.columns / kQuantBlock);
    const int tiles_across = (blocks + kTileBlocks - 1) / kTileBlocks;
    const std::int64_t tiles = (p.rows + kTileRows - 1) / kTileRows * tiles_across;
    for (std::int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        const std::int64_t row = tile / tiles_across * kTileRows + group % kTileRows;
        const int first = static_cast<int>(tile % tiles_across) * kTileBlocks + group / kTileRows * kUnroll;
        uint4 held[kUnroll];
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            const bool inside = row < p.rows && first + u < blocks;
            held[u] =
                inside ? load_vector(p.in + row * p.columns + (first + u) * kQuantBlock + lane * kPerVector)
                       : uint4{};
        }
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            float f[kPerVector];
            unpack(held[u], f);
            const float largest = fmaxf(lanes_max<kLanes>(largest_magnitude(f)), kLeastMagnitude);
            if (row < p.rows && first + u < blocks) {
                const uint2 codes = pack_e4m3(f, kMax / largest);
                const std::int64_t at = row * p.columns + (first + u) * kQuantBlock + lane * kPerVector;
                *reinterpret_cast<uint2*>(p.codes + at) = codes;
                if (lane == 0) {
                    p.scales[(first + u) * p.rows + row] = largest / kMax;
                }
            }
        }
    }
}

constexpr int kTileColumns = 64;
constexpr int kPitch = kTileColumns + 2; // in BF16: rows start one bank apart
constexpr int kChunk = 32;               // rows that one thread transposes: a 32-byte sector of codes
constexpr int kChunks = kQuantBlock / kChunk;

__device__ void load_tile(const Quantize& p, std::int64_t row0, std::int64_t column0, Bf16Bits* tile) {
    constexpr int kVectorsAcross = kTileColumns / kPerVector;
    constexpr int kPerThread = kQuantBlock * kVectorsAcross / kThreads;
    uint4 held[kPerThread];
#pragma unroll
    for (int i = 0; i < kPerThread; ++i) {
        const int at = static_cast<int>(threadIdx.x) + i * kThreads;
        held[i] = load_vector(p.in + (row0 + at / kVectorsAcross) * p.columns + column0 +
                              at % kVectorsAcross * kPerVector);
    }
#pragma unroll
    for (int i = 0; i < kPerThread; ++i) {
        const int at = static_cast<int>(threadIdx.x) + i * kThreads;
        auto* words = reinterpret_cast<unsigned*>(tile + at / kVectorsAcross * kPitch +
                                                  at % kVectorsAcross * kPerVector);
        words[0] = held[i].x;
        words[1] = held[i].y;
        words[2] = held[i].z;
        words[3] = held[i].w;
    }
}

__device__ float tile_value(const Bf16Bits* tile, int row, int column) {
    return __uint_as_float(static_cast<unsigned>(tile[row * kPitch + column]) << 16);
}

__global__ void __launch_bounds__(kThreads) quantize_columns(Quantize p) {
    __shared__ __align__(16) Bf16Bits tile[kQuantBlock * kPitch];
    __shared__ float largest_of[kChunks][kTileColumns];
    const int column = threadIdx.x % kTileColumns;
    const int chunk = threadIdx.x / kTileColumns;
    const std::int64_t across = p.columns / kTileColumns;
    const std::int64_t tiles = p.rows / kQuantBlock * across;
    for (std::int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
        const std::int64_t row0 = t / across * kQuantBlock;
        const std::int64_t column0 = t % across * kTileColumns;
        __syncthreads(); // the previous tile has been read
        load_tile(p, row0, column0, tile);
        __syncthreads();
        float largest = kLeastMagnitude;
#pragma unroll
        for (int i = 0; i < kChunk; ++i) {
            largest = fmaxf(largest, fabsf(tile_value(tile, chunk * kChunk + i, column)));
        }
        largest_of[chunk][column] = largest;
        __syncthreads();
#pragma unroll
        for (int i = 0; i < kChunks; ++i) {
            largest = fmaxf(largest, largest_of[i][column]);
        }
        const float inverse = kMax / largest;
        auto* out = reinterpret_cast<uint2*>(p.codes + (column0 + column) * p.rows + row0 + chunk * kChunk);
#pragma unroll
        for (int piece = 0; piece < kChunk / 16; ++piece) {
            uint2 codes[2];
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                float f[kPerVector];
#pragma unroll
                for (int i = 0; i < kPerVector; ++i) {
                    f[i] = tile_value(tile, chunk * kChunk + piece * 16 + half * kPerVector + i, column);
                }
                codes[half] = pack_e4m3(f, inverse);
            }
            *reinterpret_cast<uint4*>(out + 2 * piece) = {codes[0].x, codes[0].y, codes[1].x, codes[1].y};
        }
        if (chunk == 0) {
            p.scales[row0 / kQuantBlock * p.columns + column0 + column] = largest / kMax;
        }
    }
}

int grid(std::int64_t tiles, const Launch& launch) {
    return static_cast<int>(
        std::min<std::int64_t>(tiles, static_cast<std::int64_t>(launch.sms) * kBlocksPerSm));
}

} // namespace

void quantize(const Quantize& p, const Launch& launch) {
    const std::int64_t across = (p.columns / kQuantBlock + kTileBlocks - 1) / kTileBlocks;
    const std::int64_t tiles = (p.rows + kTileRows - 1) / kTileRows * across;
    quantize_rows<<<grid(tiles, launch), kThreads, 0, launch.stream>>>(p);
    require_launched("quantize");
}

void quantize_transposed(const Quantize& p, const Launch& launch) {
    const std::int64_t tiles = p.rows / kQuantBlock * (p.columns / kTileColumns);
    quantize_columns<<<grid(tiles, launch), kThreads, 0, launch.stream>>>(p);
    require_launched("quantize_transposed");
}

} // namespace chokepoint::kref
