// SPDX-License-Identifier: Apache-2.0
// One producer warp fills a ring of shared-memory stages through the copy engine; two consumer warpgroups
// multiply. While one promotes its sums to FP32, the other keeps the matrix unit busy.
#include "framework/cuda_error.hpp"
#include "gemm/fp8_block_gemm.hpp"
#include "gemm/hopper.cuh"
#include "gemm/tile_walk.hpp"
#include "gemm/wgmma_e4m3.cuh"

#include <cuda_bf16.h>

#include <algorithm>

namespace chokepoint::kref {
namespace {

constexpr int kBlockK = 128; // bytes and values: a swizzled row, and the reach of one scale
constexpr int kWarpgroup = 128;
constexpr int kConsumers = 2;
constexpr int kThreads = (1 + kConsumers) * kWarpgroup;
constexpr int kWaveRows = 64; // rows of one wgmma
constexpr int kProducerRegisters = 24;
constexpr int kConsumerRegisters = 240; // 128 * 24 + 256 * 240 = 384 * 168, what the launch takes
constexpr int kColumnStepK = 32;        // k of one wgmma

/// Stages as deep as 227 KiB of shared memory allow.
template <int kRows> struct Ring {
    static constexpr int kABytes = kRows * kBlockK;
    static constexpr int kBBytes = kTileColumns * kBlockK;
    static constexpr int kStageBytes = kABytes + kBBytes;
    static constexpr int kStages = kRows == 128 ? 6 : 4;
    static constexpr int kSharedBytes = kStages * kStageBytes + 1024; // room to align
    static constexpr int kWaves = kRows / (kConsumers * kWaveRows);   // of each consumer
};

/// Position in the ring: which stage, and which of its phases.
template <int kStages> struct Cursor {
    int stage = 0;
    std::uint32_t parity = 0;
    __device__ void advance() {
        if (++stage == kStages) {
            stage = 0;
            parity ^= 1;
        }
    }
};

struct Problem {
    TileSpace space;
    const float* a_scale;
    const float* b_scale;
    Bf16Bits* d;
    float* gradient;
    int k;
    int b_scale_pitch;
};

struct Scales {
    float upper, lower; ///< of this thread's two rows
};

__device__ Scales load_scales(const Problem& p, int row, int k_block) {
    const float* at = p.a_scale + static_cast<std::int64_t>(k_block) * p.space.rows;
    return {row < p.space.rows ? __ldg(at + row) : 0.0f, row + 8 < p.space.rows ? __ldg(at + row + 8) : 0.0f};
}

__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    return *reinterpret_cast<const unsigned*>(&pair);
}

/// Four lanes hold pairs 0..3 of four neighbouring blocks of eight columns; afterwards lane i holds block i
/// whole.
__device__ __forceinline__ uint4 transpose_quad(unsigned (&mine)[4]) {
    const int lane = threadIdx.x % 4;
    unsigned result[4];
#pragma unroll
    for (int step = 0; step < 4; ++step) {
        // In each step lane i trades with lane i ^ step: it sends that lane's block and receives its own.
        const int peer = lane ^ step;
        unsigned out = mine[0];
        out = peer == 1 ? mine[1] : out;
        out = peer == 2 ? mine[2] : out;
        out = peer == 3 ? mine[3] : out;
        const unsigned in = __shfl_xor_sync(0xffffffffU, out, step);
        result[0] = peer == 0 ? in : result[0];
        result[1] = peer == 1 ? in : result[1];
        result[2] = peer == 2 ? in : result[2];
        result[3] = peer == 3 ? in : result[3];
    }
    return {result[0], result[1], result[2], result[3]};
}

/// Writes 64 rows of a tile: 16 bytes a lane, 64 neighbouring bytes a row.
__device__ __forceinline__ void store_wave(const float (&sum)[64], const Problem& p, const Tile& tile,
                                           int row) {
    const int lane = threadIdx.x % 4;
#pragma unroll
    for (int four = 0; four < 4; ++four) {
        const int column = tile.column + four * 32 + lane * 8;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            unsigned pairs[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const int at = 4 * (four * 4 + i) + 2 * half;
                pairs[i] = pack_bf16(sum[at], sum[at + 1]);
            }
            const uint4 block = transpose_quad(pairs);
            const int out_row = row + 8 * half;
            if (out_row < tile.end_row && column < p.space.n) {
                *reinterpret_cast<uint4*>(p.d + static_cast<std::int64_t>(out_row) * p.space.n + column) =
                    block;
            }
        }
    }
}

/// Scales of this thread's 32 columns, and the addition of its sums to FP32 memory: what weight gradients
/// differ in.
struct ColumnScales {
    const float* at; ///< of the thread's first column in the first block of k
    int columns;     ///< of them exist
    int pitch;

    __device__ ColumnScales(const Problem& p, const Tile& tile, int k_blocks)
        : at(p.b_scale + static_cast<std::int64_t>(tile.group) * k_blocks * p.space.n + tile.column +
             threadIdx.x % 4 * 2),
          columns(p.space.n - tile.column),
          pitch(p.space.n) {}
    __device__ float2 load(int k_block, int eight) const {
        return eight * 8 < columns ? __ldg(reinterpret_cast<const float2*>(
                                         at + static_cast<std::int64_t>(k_block) * pitch + eight * 8))
                                   : float2{};
    }
};

__device__ __forceinline__ void add_wave(const float (&sum)[64], const Problem& p, const Tile& tile,
                                         int row) {
#pragma unroll
    for (int eight = 0; eight < 16; ++eight) {
        const int column = tile.column + eight * 8 + static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int out_row = row + 8 * half;
            if (out_row < tile.end_row && column < p.space.n) {
                auto* at = reinterpret_cast<float2*>(p.gradient +
                                                     static_cast<std::int64_t>(out_row) * p.space.n + column);
                float2 value = *at;
                value.x += sum[4 * eight + 2 * half];
                value.y += sum[4 * eight + 2 * half + 1];
                *at = value;
            }
        }
    }
}

template <int kRows>
__device__ void produce(const Problem& p, const CUtensorMap* a, const CUtensorMap* b, std::byte* stages,
                        std::uint64_t* full, std::uint64_t* empty) {
    using R = Ring<kRows>;
    const int k_blocks = (p.k + kBlockK - 1) / kBlockK;
    Cursor<R::kStages> cursor;
    TileWalk<kRows> walk(p.space, static_cast<int>(blockIdx.x), static_cast<int>(gridDim.x));
    Tile tile;
    while (walk.next(tile)) {
#pragma unroll 1
        for (int k = 0; k < k_blocks; ++k) {
            barrier_wait(empty + cursor.stage, cursor.parity ^ 1); // passes at once in the first round
            std::byte* stage = stages + cursor.stage * R::kStageBytes;
            std::uint64_t* ready = full + cursor.stage;
            barrier_expect(ready, R::kStageBytes);
            copy_box(stage, a, k * kBlockK, tile.row, ready);
            copy_box(stage + R::kABytes, b, k * kBlockK, tile.group * p.space.n + tile.column, ready);
            cursor.advance();
        }
    }
}

template <int kRows, bool kGradient>
__device__ void consume(const Problem& p, const std::byte* stages, std::uint64_t* full,
                        std::uint64_t* empty) {
    using R = Ring<kRows>;
    const int k_blocks = (p.k + kBlockK - 1) / kBlockK;
    const int n_blocks = (p.space.n + kTileColumns - 1) / kTileColumns;
    const int consumer = static_cast<int>(threadIdx.x) / kWarpgroup - 1;
    const int thread = threadIdx.x % kWarpgroup;
    const int row_in_wave = thread / 32 * 16 + thread % 32 / 4;
    const int first_row = consumer * R::kWaves * kWaveRows; // of this consumer in a tile
    Cursor<R::kStages> cursor;
    TileWalk<kRows> walk(p.space, static_cast<int>(blockIdx.x), static_cast<int>(gridDim.x));
    Tile tile;
    while (walk.next(tile)) {
        float sum[R::kWaves][64] = {};
        const int row = tile.row + first_row + row_in_wave;
        const float* b_scale = kGradient ? nullptr
                                         : p.b_scale + (static_cast<std::int64_t>(tile.group) * n_blocks +
                                                        tile.column / kTileColumns) *
                                                           p.b_scale_pitch;
        const ColumnScales column_scales(p, tile, k_blocks);
#pragma unroll 1
        for (int k = 0; k < k_blocks; ++k) {
            Scales a_scale[R::kWaves];
#pragma unroll
            for (int w = 0; w < R::kWaves; ++w) {
                a_scale[w] = load_scales(p, row + w * kWaveRows, k);
            }
            const float weight_scale = kGradient ? 1.0f : __ldg(b_scale + k);
            barrier_wait(full + cursor.stage, cursor.parity);
            const std::byte* a = stages + cursor.stage * R::kStageBytes + first_row * kBlockK;
            const std::byte* b = stages + cursor.stage * R::kStageBytes + R::kABytes;
#pragma unroll
            for (int w = 0; w < R::kWaves; ++w) {
                float product[64];
                pin(product);
                matrix_fence();
#pragma unroll
                for (int step = 0; step < kBlockK / kColumnStepK; ++step) {
                    multiply_e4m3_64x128x32(
                        product, matrix_descriptor(a + w * kWaveRows * kBlockK + step * kColumnStepK),
                        matrix_descriptor(b + step * kColumnStepK), step != 0);
                }
                matrix_commit();
                matrix_wait();
                pin(product);
                if (w == R::kWaves - 1 && threadIdx.x % 32 == 0) {
                    barrier_arrive(empty + cursor.stage); // all reads of this stage by this warp are done
                }
                const float upper = a_scale[w].upper * weight_scale;
                const float lower = a_scale[w].lower * weight_scale;
#pragma unroll
                for (int i = 0; i < 64; i += 4) {
                    const float2 of_column = kGradient ? column_scales.load(k, i / 4) : float2{1.0f, 1.0f};
                    sum[w][i] = fmaf(upper * of_column.x, product[i], sum[w][i]);
                    sum[w][i + 1] = fmaf(upper * of_column.y, product[i + 1], sum[w][i + 1]);
                    sum[w][i + 2] = fmaf(lower * of_column.x, product[i + 2], sum[w][i + 2]);
                    sum[w][i + 3] = fmaf(lower * of_column.y, product[i + 3], sum[w][i + 3]);
                }
            }
            cursor.advance();
        }
        if constexpr (kGradient) {
            static_assert(R::kWaves == 1);
            add_wave(sum[0], p, tile, row);
            continue;
        }
        // Spelt out: the compiler leaves this as a loop, and an array indexed by a loop lives in local
        // memory.
        store_wave(sum[0], p, tile, row);
        if constexpr (R::kWaves == 2) {
            store_wave(sum[1], p, tile, row + kWaveRows);
        }
    }
}

template <int kRows, bool kGradient>
__global__ void __launch_bounds__(kThreads, 1)
    multiply(const __grid_constant__ CUtensorMap a, const __grid_constant__ CUtensorMap b, const Problem p) {
    using R = Ring<kRows>;
    extern __shared__ std::byte raw[];
    __shared__ __align__(8) std::uint64_t full[R::kStages];
    __shared__ __align__(8) std::uint64_t empty[R::kStages];
    // The swizzle pattern is anchored at multiples of 1024 bytes of shared memory.
    std::byte* stages = raw + (1024 - shared_address(raw) % 1024) % 1024;
    if (threadIdx.x == 0) {
        for (int i = 0; i < R::kStages; ++i) {
            barrier_init(full + i, 1);
            barrier_init(empty + i, kConsumers * kWarpgroup / 32); // one lane of every consumer warp
        }
        barrier_init_fence();
        prefetch_map(&a);
        prefetch_map(&b);
    }
    __syncthreads();
    if (threadIdx.x < kWarpgroup) {
        shrink_registers<kProducerRegisters>();
        if (threadIdx.x == 0) {
            produce<kRows>(p, &a, &b, stages, full, empty);
        }
    } else {
        grow_registers<kConsumerRegisters>();
        consume<kRows, kGradient>(p, stages, full, empty);
    }
}

using EncodeTiled = CUresult (*)(CUtensorMap*, CUtensorMapDataType, cuuint32_t, void*, const cuuint64_t*,
                                 const cuuint64_t*, const cuuint32_t*, const cuuint32_t*,
                                 CUtensorMapInterleave, CUtensorMapSwizzle, CUtensorMapL2promotion,
                                 CUtensorMapFloatOOBfill);

EncodeTiled encode_tiled() {
    // Through the runtime, so that the program starts without a driver.
    void* found = nullptr;
    cudaDriverEntryPointQueryResult status = cudaDriverEntryPointSymbolNotFound;
    require(
        cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault, &status),
        "find cuTensorMapEncodeTiled");
    if (status != cudaDriverEntryPointSuccess || found == nullptr) {
        throw GpuError("the driver has no cuTensorMapEncodeTiled; expected CUDA 12.0 or newer");
    }
    return reinterpret_cast<EncodeTiled>(found);
}

/// Boxes of `box_rows` rows of 128 bytes; what lies outside of the matrix reads as zero.
CUtensorMap tensor_map(const E4m3Bits* matrix, std::int64_t rows, std::int64_t k, int box_rows) {
    static const EncodeTiled encode = encode_tiled();
    CUtensorMap map;
    const cuuint64_t extent[2] = {static_cast<cuuint64_t>(k), static_cast<cuuint64_t>(rows)};
    const cuuint64_t pitch[1] = {static_cast<cuuint64_t>(k)};
    const cuuint32_t box[2] = {kBlockK, static_cast<cuuint32_t>(box_rows)};
    const cuuint32_t step[2] = {1, 1};
    const CUresult status =
        encode(&map, CU_TENSOR_MAP_DATA_TYPE_UINT8, 2, const_cast<E4m3Bits*>(matrix), extent, pitch, box,
               step, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
               CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    if (status != CUDA_SUCCESS) {
        throw GpuError("cuTensorMapEncodeTiled for " + std::to_string(rows) + " x " + std::to_string(k) +
                       " returned " + std::to_string(static_cast<int>(status)));
    }
    return map;
}

template <int kRows, bool kGradient = false> void launch_tiles(const Fp8BlockGemm& g, const Launch& launch) {
    constexpr int kShared = Ring<kRows>::kSharedBytes;
    require(cudaFuncSetAttribute(multiply<kRows, kGradient>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 kShared),
            "raise shared memory of the FP8 GEMM");
    const CUtensorMap a = tensor_map(g.a, g.rows, g.k, kRows);
    const CUtensorMap b = tensor_map(g.b, g.groups * g.n, g.k, kTileColumns);
    const TileSpace space{static_cast<int>(g.rows), static_cast<int>(g.n), g.groups, g.group_of_tile,
                          g.group_rows};
    const Problem p{space,
                    g.a_scale,
                    g.b_scale,
                    g.d,
                    g.gradient,
                    static_cast<int>(g.k),
                    static_cast<int>(g.b_scale_pitch)};
    multiply<kRows, kGradient><<<launch.sms, kThreads, kShared, launch.stream>>>(a, b, p);
    require_launched("FP8 block GEMM");
}

} // namespace

int choose_tile_rows(std::int64_t rows, std::int64_t n, int sms, int row_alignment) {
    const auto busiest = [&](std::int64_t tile_rows) {
        const std::int64_t tiles =
            (rows + tile_rows - 1) / tile_rows * ((n + kTileColumns - 1) / kTileColumns);
        return (tiles + sms - 1) / sms * tile_rows;
    };
    // At equal waves the taller tile wins: per row it reads half as much of b.
    return row_alignment % 256 == 0 && busiest(256) <= busiest(128) ? 256 : 128;
}

void fp8_block_gemm(const Fp8BlockGemm& g, const Launch& launch, TileRows tile_rows) {
    if (g.k % 16 != 0 || g.n % 8 != 0 || g.rows >= (std::int64_t{1} << 31) || g.groups < 1) {
        throw Unsupported("FP8 block GEMM of n = " + std::to_string(g.n) + ", k = " + std::to_string(g.k) +
                          "; expected multiples of 8 and 16");
    }
    const int height = tile_rows == TileRows::automatic
                           ? choose_tile_rows(g.rows, g.n, launch.sms, g.row_alignment)
                       : tile_rows == TileRows::rows_256 ? 256
                                                         : 128;
    if (g.gradient != nullptr) { // the scales of its columns leave no registers for taller tiles
        launch_tiles<128, true>(g, launch);
        return;
    }
    height == 256 ? launch_tiles<256>(g, launch) : launch_tiles<128>(g, launch);
}

} // namespace chokepoint::kref
