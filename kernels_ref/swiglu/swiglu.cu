// SPDX-License-Identifier: Apache-2.0
// SwiGLU and quantisation in one pass: 16 threads hold a block of 128 results.
#include "framework/vector_io.cuh"
#include "quantize/quantize.hpp"
#include "swiglu/swiglu.hpp"

namespace chokepoint::kref {
namespace {

constexpr int kThreads = 256;
constexpr int kLanes = kQuantBlock / kPerVector;
constexpr int kGroups = kThreads / kLanes;
constexpr int kTileRows = 8; // eight neighbouring scales fill a 32-byte sector
constexpr int kBlocksPerSm = 8;
constexpr float kMax = 448.0f;

__device__ float sigmoid(float x) { return 1.0f / (1.0f + __expf(-x)); }

/// Calls body(row, column) for the vectors of this thread; every thread of a warp makes the same calls, some
/// outside.
template <int kUnroll, class Body>
__device__ void for_each_block(std::int64_t rows, std::int64_t columns, Body body) {
    constexpr int kTileBlocks = kGroups / kTileRows * kUnroll;
    const int group = threadIdx.x / kLanes;
    const int blocks = static_cast<int>(columns / kQuantBlock);
    const int tiles_across = (blocks + kTileBlocks - 1) / kTileBlocks;
    const std::int64_t tiles = (rows + kTileRows - 1) / kTileRows * tiles_across;
    for (std::int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        const std::int64_t row = tile / tiles_across * kTileRows + group % kTileRows;
        const int first = static_cast<int>(tile % tiles_across) * kTileBlocks + group / kTileRows * kUnroll;
        body(row, first, blocks);
    }
}

__device__ void store_quantized(const float (&f)[kPerVector], bool inside, int lane, E4m3Bits* codes,
                                float* scale) {
    const float largest = fmaxf(lanes_max<kLanes>(largest_magnitude(f)), kLeastMagnitude);
    if (inside) {
        *reinterpret_cast<uint2*>(codes) = pack_e4m3(f, kMax / largest);
        if (lane == 0) {
            *scale = largest / kMax;
        }
    }
}

constexpr int kForwardUnroll = 2;

__global__ void __launch_bounds__(kThreads) forward(SwigluForward p) {
    const int lane = threadIdx.x % kLanes;
    for_each_block<kForwardUnroll>(p.rows, p.columns, [&](std::int64_t row, int first, int blocks) {
        uint4 gate[kForwardUnroll];
        uint4 up[kForwardUnroll];
#pragma unroll
        for (int u = 0; u < kForwardUnroll; ++u) {
            const bool inside = row < p.rows && first + u < blocks;
            const Bf16Bits* at =
                p.gate_up + row * 2 * p.columns + (first + u) * kQuantBlock + lane * kPerVector;
            gate[u] = inside ? load_vector(at) : uint4{};
            up[u] = inside ? load_vector(at + p.columns) : uint4{};
        }
#pragma unroll
        for (int u = 0; u < kForwardUnroll; ++u) {
            const bool inside = row < p.rows && first + u < blocks;
            float g[kPerVector];
            float h[kPerVector];
            unpack(gate[u], g);
            unpack(up[u], h);
#pragma unroll
            for (int i = 0; i < kPerVector; ++i) {
                h[i] *= g[i] * sigmoid(g[i]);
            }
            const std::int64_t at = row * p.columns + (first + u) * kQuantBlock + lane * kPerVector;
            store_quantized(h, inside, lane, p.codes + at, p.scales + (first + u) * p.rows + row);
        }
    });
}

template <bool kQuantized> __global__ void __launch_bounds__(kThreads) backward(SwigluBackward p) {
    const int lane = threadIdx.x % kLanes;
    for_each_block<1>(p.rows, p.columns, [&](std::int64_t row, int block, int blocks) {
        const bool inside = row < p.rows && block < blocks;
        const std::int64_t in_row = block * kQuantBlock + lane * kPerVector;
        const std::int64_t at = row * 2 * p.columns + in_row;
        const uint4 held_gate = inside ? load_vector(p.gate_up + at) : uint4{};
        const uint4 held_up = inside ? load_vector(p.gate_up + at + p.columns) : uint4{};
        const uint4 held_dh = inside ? load_vector(p.dh + row * p.columns + in_row) : uint4{};
        float gate[kPerVector];
        float up[kPerVector];
        float dh[kPerVector];
        unpack(held_gate, gate);
        unpack(held_up, up);
        unpack(held_dh, dh);
#pragma unroll
        for (int i = 0; i < kPerVector; ++i) {
            const float s = sigmoid(gate[i]);
            const float activated = gate[i] * s;
            gate[i] = dh[i] * up[i] * (s + activated * (1.0f - s));
            up[i] = dh[i] * activated;
        }
        if constexpr (kQuantized) {
            float* scale = p.scales + block * p.rows + row;
            store_quantized(gate, inside, lane, p.codes + at, scale);
            store_quantized(up, inside, lane, p.codes + at + p.columns, scale + blocks * p.rows);
        } else if (inside) {
            store_vector(p.gradient + at, pack(gate));
            store_vector(p.gradient + at + p.columns, pack(up));
        }
    });
}

int grid(std::int64_t rows, std::int64_t columns, int unroll, const Launch& launch) {
    const std::int64_t blocks_across = kGroups / kTileRows * static_cast<std::int64_t>(unroll);
    const std::int64_t tiles =
        (rows + kTileRows - 1) / kTileRows * ((columns / kQuantBlock + blocks_across - 1) / blocks_across);
    return static_cast<int>(
        std::min<std::int64_t>(tiles, static_cast<std::int64_t>(launch.sms) * kBlocksPerSm));
}

} // namespace

void swiglu_forward(const SwigluForward& p, const Launch& launch) {
    forward<<<grid(p.rows, p.columns, kForwardUnroll, launch), kThreads, 0, launch.stream>>>(p);
    require_launched("swiglu forward");
}

void swiglu_backward(const SwigluBackward& p, const Launch& launch) {
    const int blocks = grid(p.rows, p.columns, 1, launch);
    if (p.gradient != nullptr) {
        backward<false><<<blocks, kThreads, 0, launch.stream>>>(p);
    } else {
        backward<true><<<blocks, kThreads, 0, launch.stream>>>(p);
    }
    require_launched("swiglu backward");
}

} // namespace chokepoint::kref
