// SPDX-License-Identifier: Apache-2.0
// Router top-k: from one token's logits to its experts and their weights.
#pragma once

#include "framework/workload.hpp"

namespace chokepoint::kref {

/// DeepSeek-V3 (report 2.1.2 and 4.2): affinity is the logit's sigmoid; a bias per expert joins in the choice
/// only; groups of experts compete by the sum of their two best; weights are the chosen affinities,
/// normalised and scaled. With one group and softmax instead of sigmoid this is Qwen3's router.
struct RouterRule {
    int experts = 256; ///< 128 or 256
    int top_k = 8;     ///< at most 8
    int groups = 8;    ///< of at least 32 experts each
    int groups_kept = 4;
    bool sigmoid = true;
    float scale = 2.5F;
};

struct Router {
    const float* logits = nullptr;  ///< [tokens][experts]
    const float* bias = nullptr;    ///< [experts]
    std::int32_t* chosen = nullptr; ///< [tokens][top_k], best first
    float* weights = nullptr;       ///< [tokens][top_k]
    std::int64_t tokens = 0;
    RouterRule rule;
};
void route(const Router&, const Launch&);

/// What the reference finds for one token.
struct Routing {
    std::vector<int> chosen; ///< best first
    std::vector<double> weights;
};
Routing route_reference(const std::vector<double>& logits, const std::vector<double>& bias,
                        const RouterRule&);
/// Affinities, before bias.
std::vector<double> affinities(const std::vector<double>& logits, bool sigmoid);

std::vector<Case> router_cases();
Work router_work(const Case&);
std::unique_ptr<Workload> make_router(const Case&, Device&);

} // namespace chokepoint::kref
