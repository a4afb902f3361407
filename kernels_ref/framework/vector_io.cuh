// SPDX-License-Identifier: Apache-2.0
// 16-byte accesses and reductions that the streaming kernels share.
#pragma once

#include "framework/number_formats.hpp"

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include <cstdint>

namespace chokepoint::kref {

inline constexpr int kWarp = 32;
inline constexpr int kPerVector = 8; ///< BF16 values in 16 bytes
inline constexpr unsigned kAllLanes = 0xffffffffU;

__device__ inline uint4 load_vector(const Bf16Bits* at) { return __ldg(reinterpret_cast<const uint4*>(at)); }
__device__ inline void store_vector(Bf16Bits* at, uint4 v) { *reinterpret_cast<uint4*>(at) = v; }

__device__ inline void unpack(const uint4& v, float (&f)[kPerVector]) {
    const unsigned words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        f[2 * i] = __uint_as_float(words[i] << 16);
        f[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000U);
    }
}

__device__ inline unsigned pack_pair(float low, float high) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    return *reinterpret_cast<const unsigned*>(&pair);
}

__device__ inline uint4 pack(const float (&f)[kPerVector]) {
    return {pack_pair(f[0], f[1]), pack_pair(f[2], f[3]), pack_pair(f[4], f[5]), pack_pair(f[6], f[7])};
}

/// Eight E4M3 codes of f * inverse_scale.
__device__ inline uint2 pack_e4m3(const float (&f)[kPerVector], float inverse_scale) {
    unsigned codes[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const float2 pair{f[2 * i] * inverse_scale, f[2 * i + 1] * inverse_scale};
        codes[i] = __nv_cvt_float2_to_fp8x2(pair, __NV_SATFINITE, __NV_E4M3);
    }
    return {codes[0] | codes[1] << 16, codes[2] | codes[3] << 16};
}

__device__ inline float largest_magnitude(const float (&f)[kPerVector]) {
    float largest = 0.0f;
#pragma unroll
    for (float value : f) {
        largest = fmaxf(largest, fabsf(value));
    }
    return largest;
}

template <int kLanes> __device__ inline float lanes_max(float value) {
#pragma unroll
    for (int offset = kLanes / 2; offset > 0; offset /= 2) {
        value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, offset));
    }
    return value;
}

__device__ inline float warp_sum(float value) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
        value += __shfl_xor_sync(kAllLanes, value, offset);
    }
    return value;
}

/// Sum over `kThreads` consecutive threads, to all of them. `scratch` holds kThreads / 32 floats; all call
/// it.
template <int kThreads> __device__ inline float threads_sum(float value, float* scratch) {
    value = warp_sum(value);
    if constexpr (kThreads == kWarp) {
        return value;
    } else {
        __syncthreads(); // the scratch may still be read from the previous call
        if (threadIdx.x % kWarp == 0) {
            scratch[threadIdx.x / kWarp] = value;
        }
        __syncthreads();
        float total = 0.0f;
#pragma unroll
        for (int i = 0; i < kThreads / kWarp; ++i) {
            total += scratch[i];
        }
        return total;
    }
}

} // namespace chokepoint::kref
