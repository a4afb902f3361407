// SPDX-License-Identifier: Apache-2.0
// Rotary embedding: a thread keeps its four angles in registers and applies them to head after head of one
// token.
#include "framework/vector_io.cuh"
#include "rope/rope.hpp"

namespace chokepoint::kref {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocksPerSm = 8;
constexpr int kLanes = kRopeDim / kPerVector; // threads that share a head
constexpr int kHeadsPerPass = kThreads / kLanes;
constexpr int kUnroll = 4;

__global__ void __launch_bounds__(kThreads) rotate(Rope p) {
    const int lane = threadIdx.x % kLanes;
    for (std::int64_t token = blockIdx.x; token < p.tokens; token += gridDim.x) {
        const auto* angles = reinterpret_cast<const float4*>(p.cosine_sine + token * kRopeDim) + 2 * lane;
        const float4 first = __ldg(angles);
        const float4 second = __ldg(angles + 1);
        const float cosine[4] = {first.x, first.z, second.x, second.z};
        const float sine[4] = {first.y, first.w, second.y, second.w};
        const std::int64_t row = token * p.heads * p.head_dim + (p.head_dim - kRopeDim) + lane * kPerVector;
        for (int pass = threadIdx.x / kLanes; pass < p.heads; pass += kHeadsPerPass * kUnroll) {
            uint4 held[kUnroll];
#pragma unroll
            for (int u = 0; u < kUnroll; ++u) {
                const int head = pass + u * kHeadsPerPass;
                if (head < p.heads) {
                    held[u] = load_vector(p.in + row + static_cast<std::int64_t>(head) * p.head_dim);
                }
            }
#pragma unroll
            for (int u = 0; u < kUnroll; ++u) {
                const int head = pass + u * kHeadsPerPass;
                if (head < p.heads) {
                    float f[kPerVector];
                    unpack(held[u], f);
#pragma unroll
                    for (int i = 0; i < 4; ++i) {
                        const float even = f[2 * i];
                        const float odd = f[2 * i + 1];
                        f[2 * i] = even * cosine[i] - odd * sine[i];
                        f[2 * i + 1] = even * sine[i] + odd * cosine[i];
                    }
                    store_vector(p.out + row + static_cast<std::int64_t>(head) * p.head_dim, pack(f));
                }
            }
        }
    }
}

} // namespace

void rope(const Rope& p, const Launch& launch) {
    const auto blocks =
        std::min<std::int64_t>(p.tokens, static_cast<std::int64_t>(launch.sms) * kBlocksPerSm);
    rotate<<<static_cast<unsigned>(blocks), kThreads, 0, launch.stream>>>(p);
    require_launched("rope");
}

} // namespace chokepoint::kref
