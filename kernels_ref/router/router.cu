// SPDX-License-Identifier: Apache-2.0
// Router top-k: a warp per token, each lane with neighbouring experts in registers.
#include "framework/vector_io.cuh"
#include "router/router.hpp"

namespace chokepoint::kref {
namespace {

constexpr int kThreads = 256;
constexpr int kTokensPerBlock = kThreads / kWarp;
constexpr int kMostChosen = 8;

struct Candidate {
    float score;
    int expert;
};

__device__ bool better(const Candidate& a, const Candidate& b) {
    return a.score > b.score || (a.score == b.score && a.expert < b.expert);
}

/// The best candidate of the warp, in every lane.
__device__ Candidate warp_best(Candidate mine) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
        const Candidate other{__shfl_xor_sync(kAllLanes, mine.score, offset),
                              __shfl_xor_sync(kAllLanes, mine.expert, offset)};
        if (better(other, mine)) {
            mine = other;
        }
    }
    return mine;
}

/// Sum of the two largest scores among `lanes` neighbouring lanes.
template <int kExperts> __device__ float two_best(const float (&score)[kExperts], int lanes) {
    float first = -INFINITY;
    float second = -INFINITY;
#pragma unroll
    for (const float s : score) {
        second = fmaxf(second, fminf(first, s));
        first = fmaxf(first, s);
    }
    for (int offset = lanes / 2; offset > 0; offset /= 2) {
        const float other_first = __shfl_xor_sync(kAllLanes, first, offset);
        const float other_second = __shfl_xor_sync(kAllLanes, second, offset);
        second = fmaxf(fminf(first, other_first), fmaxf(second, other_second));
        first = fmaxf(first, other_first);
    }
    return first + second;
}

/// Whether this lane's group is among those kept; equal groups by index.
__device__ bool group_kept(float score, const RouterRule& rule) {
    const int lanes = kWarp / rule.groups;
    const int mine = static_cast<int>(threadIdx.x) % kWarp / lanes;
    int ahead = 0;
    for (int g = 0; g < rule.groups; ++g) {
        const float other = __shfl_sync(kAllLanes, score, g * lanes);
        ahead += other > score || (other == score && g < mine) ? 1 : 0;
    }
    return ahead < rule.groups_kept;
}

template <int kExperts> // of one lane
__device__ void affinities_of(float (&x)[kExperts], bool sigmoid) {
    if (sigmoid) {
#pragma unroll
        for (float& value : x) {
            value = 1.0f / (1.0f + expf(-value));
        }
        return;
    }
    float most = -INFINITY;
#pragma unroll
    for (const float value : x) {
        most = fmaxf(most, value);
    }
    most = lanes_max<kWarp>(most);
    float sum = 0.0f;
#pragma unroll
    for (float& value : x) {
        value = expf(value - most);
        sum += value;
    }
    sum = warp_sum(sum);
#pragma unroll
    for (float& value : x) {
        value /= sum;
    }
}

template <int kExperts> __global__ void __launch_bounds__(kThreads) choose(Router p) {
    const int lane = threadIdx.x % kWarp;
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kTokensPerBlock;
    for (std::int64_t token = blockIdx.x * static_cast<std::int64_t>(kTokensPerBlock) + threadIdx.x / kWarp;
         token < p.tokens; token += step) {
        float affinity[kExperts];
        float biased[kExperts];
        const auto* logits =
            reinterpret_cast<const float4*>(p.logits + token * p.rule.experts + lane * kExperts);
        const auto* bias = reinterpret_cast<const float4*>(p.bias + lane * kExperts);
#pragma unroll
        for (int i = 0; i < kExperts / 4; ++i) {
            const float4 l = __ldg(logits + i);
            const float4 b = __ldg(bias + i);
            affinity[4 * i] = l.x, affinity[4 * i + 1] = l.y, affinity[4 * i + 2] = l.z,
                         affinity[4 * i + 3] = l.w;
            biased[4 * i] = b.x, biased[4 * i + 1] = b.y, biased[4 * i + 2] = b.z, biased[4 * i + 3] = b.w;
        }
        affinities_of(affinity, p.rule.sigmoid);
#pragma unroll
        for (int i = 0; i < kExperts; ++i) {
            biased[i] += affinity[i];
        }
        const bool kept = group_kept(two_best(biased, kWarp / p.rule.groups), p.rule);
        int chosen = -1; // lane k keeps the k-th choice
        float weight = 0.0f;
        float sum = 0.0f;
        for (int k = 0; k < p.rule.top_k; ++k) {
            Candidate mine{-INFINITY, p.rule.experts};
#pragma unroll
            for (int i = 0; i < kExperts; ++i) {
                const Candidate next{kept ? biased[i] : -INFINITY, lane * kExperts + i};
                if (better(next, mine)) {
                    mine = next;
                }
            }
            const Candidate best = warp_best(mine);
            float value = 0.0f;
#pragma unroll
            for (int i = 0; i < kExperts; ++i) {
                if (lane * kExperts + i == best.expert) {
                    value = affinity[i];
                    biased[i] = -INFINITY;
                }
            }
            value = __shfl_sync(kAllLanes, value, best.expert / kExperts);
            sum += value;
            if (lane == k) {
                chosen = best.expert;
                weight = value;
            }
        }
        if (lane < p.rule.top_k) {
            p.chosen[token * p.rule.top_k + lane] = chosen;
            p.weights[token * p.rule.top_k + lane] = weight / sum * p.rule.scale;
        }
    }
}

} // namespace

void route(const Router& p, const Launch& launch) {
    const RouterRule& rule = p.rule;
    if ((rule.experts != 128 && rule.experts != 256) || rule.top_k > kMostChosen || rule.groups > kWarp) {
        throw Unsupported("router over " + std::to_string(rule.experts) + " experts, top " +
                          std::to_string(rule.top_k) + "; expected 128 or 256, top 8 at most");
    }
    const std::int64_t enough = (p.tokens + kTokensPerBlock - 1) / kTokensPerBlock;
    const auto blocks = static_cast<unsigned>(std::min<std::int64_t>(enough, launch.sms * std::int64_t{8}));
    if (rule.experts == 256) {
        choose<8><<<blocks, kThreads, 0, launch.stream>>>(p);
    } else {
        choose<4><<<blocks, kThreads, 0, launch.stream>>>(p);
    }
    require_launched("route");
}

} // namespace chokepoint::kref
