// SPDX-License-Identifier: Apache-2.0
// AdamW, eight elements a thread: every stream in 16-byte accesses.
#include "framework/vector_io.cuh"
#include "optimizer/adam.hpp"

namespace chokepoint::kref {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocksPerSm = 8;

__device__ void load_floats(const float* at, float (&f)[kPerVector]) {
    const float4 low = __ldcs(reinterpret_cast<const float4*>(at));
    const float4 high = __ldcs(reinterpret_cast<const float4*>(at) + 1);
    f[0] = low.x, f[1] = low.y, f[2] = low.z, f[3] = low.w;
    f[4] = high.x, f[5] = high.y, f[6] = high.z, f[7] = high.w;
}

__device__ void store_floats(float* at, const float (&f)[kPerVector]) {
    __stcs(reinterpret_cast<float4*>(at), float4{f[0], f[1], f[2], f[3]});
    __stcs(reinterpret_cast<float4*>(at) + 1, float4{f[4], f[5], f[6], f[7]});
}

__device__ void load_moments(const Bf16Bits* at, float (&f)[kPerVector]) {
    unpack(__ldcs(reinterpret_cast<const uint4*>(at)), f);
}

__global__ void __launch_bounds__(kThreads) update(Adam p) {
    const AdamRule rule = p.rule;
    const float inverse1 = 1.0f / rule.correction1;
    const float inverse2 = 1.0f / rule.correction2;
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
    for (std::int64_t v = blockIdx.x * static_cast<std::int64_t>(kThreads) + threadIdx.x;
         v < p.count / kPerVector; v += step) {
        const std::int64_t at = v * kPerVector;
        float master[kPerVector];
        float gradient[kPerVector];
        float first[kPerVector];
        float second[kPerVector];
        load_floats(p.master + at, master);
        load_floats(p.gradient + at, gradient);
        load_moments(p.first + at, first);
        load_moments(p.second + at, second);
#pragma unroll
        for (int i = 0; i < kPerVector; ++i) {
            first[i] = rule.beta1 * first[i] + (1.0f - rule.beta1) * gradient[i];
            second[i] = rule.beta2 * second[i] + (1.0f - rule.beta2) * gradient[i] * gradient[i];
            const float direction = first[i] * inverse1 / (sqrtf(second[i] * inverse2) + rule.epsilon);
            master[i] -= rule.rate * (direction + rule.decay * master[i]);
        }
        store_floats(p.master + at, master);
        __stcs(reinterpret_cast<uint4*>(p.first + at), pack(first));
        __stcs(reinterpret_cast<uint4*>(p.second + at), pack(second));
        __stcs(reinterpret_cast<uint4*>(p.parameter + at), pack(master));
    }
}

} // namespace

void adam(const Adam& p, const Launch& launch) {
    const std::int64_t enough = (p.count / kPerVector + kThreads - 1) / kThreads;
    const auto blocks = static_cast<unsigned>(
        std::min<std::int64_t>(enough, static_cast<std::int64_t>(launch.sms) * kBlocksPerSm));
    update<<<blocks, kThreads, 0, launch.stream>>>(p);
    require_launched("adam");
}

} // namespace chokepoint::kref
