// SPDX-License-Identifier: Apache-2.0
// Random routings and the weighted sum in double precision.
#include "permute/permute.hpp"

#include <algorithm>

namespace chokepoint::kref {

RandomRouting random_routing(std::int64_t tokens, int top_k, int experts, std::mt19937_64& random) {
    std::vector<std::vector<std::int64_t>> copies(
        static_cast<std::size_t>(experts)); // token * top_k + k, by expert
    std::vector<int> order(static_cast<std::size_t>(experts));
    for (int e = 0; e < experts; ++e) {
        order[static_cast<std::size_t>(e)] = e;
    }
    for (std::int64_t t = 0; t < tokens; ++t) {
        // The first top_k of a partial Fisher-Yates shuffle: distinct experts.
        for (int k = 0; k < top_k; ++k) {
            std::uniform_int_distribution<int> rest(k, experts - 1);
            std::swap(order[static_cast<std::size_t>(k)], order[static_cast<std::size_t>(rest(random))]);
            copies[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])].push_back(t * top_k + k);
        }
    }
    RandomRouting routing;
    routing.position.resize(static_cast<std::size_t>(tokens * top_k));
    for (const auto& of_expert : copies) {
        for (const std::int64_t copy : of_expert) {
            routing.position[static_cast<std::size_t>(copy)] =
                static_cast<std::int32_t>(routing.source.size());
            routing.source.push_back(static_cast<std::int32_t>(copy / top_k));
        }
    }
    return routing;
}

std::vector<double> unpermute_reference(const std::vector<std::vector<double>>& rows,
                                        const std::vector<double>& weights) {
    std::vector<double> sum(rows.front().size(), 0.0);
    for (std::size_t k = 0; k < rows.size(); ++k) {
        for (std::size_t i = 0; i < sum.size(); ++i) {
            sum[i] += weights[k] * rows[k][i];
        }
    }
    return sum;
}

} // namespace chokepoint::kref
