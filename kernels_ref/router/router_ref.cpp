// SPDX-License-Identifier: Apache-2.0
// The router's rule, written for reading.
#include "router/router.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace chokepoint::kref {
namespace {

/// Indices of the `count` largest values, largest first; equal values by index.
std::vector<int> largest(const std::vector<double>& values, int count) {
    std::vector<int> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return values[static_cast<std::size_t>(a)] > values[static_cast<std::size_t>(b)];
    });
    order.resize(static_cast<std::size_t>(count));
    return order;
}

std::vector<double> group_scores(const std::vector<double>& biased, int groups) {
    const std::size_t members = biased.size() / static_cast<std::size_t>(groups);
    std::vector<double> scores;
    for (int g = 0; g < groups; ++g) {
        const auto first =
            biased.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(g) * members);
        std::vector<double> group(first, first + static_cast<std::ptrdiff_t>(members));
        std::partial_sort(group.begin(), group.begin() + 2, group.end(), std::greater<>());
        scores.push_back(group[0] + group[1]);
    }
    return scores;
}

} // namespace

std::vector<double> affinities(const std::vector<double>& logits, bool sigmoid) {
    std::vector<double> result;
    const double most = *std::max_element(logits.begin(), logits.end());
    double sum = 0.0;
    for (const double logit : logits) {
        result.push_back(sigmoid ? 1.0 / (1.0 + std::exp(-logit)) : std::exp(logit - most));
        sum += result.back();
    }
    if (!sigmoid) {
        for (double& value : result) {
            value /= sum;
        }
    }
    return result;
}

Routing route_reference(const std::vector<double>& logits, const std::vector<double>& bias,
                        const RouterRule& rule) {
    const std::vector<double> affinity = affinities(logits, rule.sigmoid);
    std::vector<double> biased = affinity;
    for (std::size_t i = 0; i < biased.size(); ++i) {
        biased[i] += bias[i];
    }
    const std::vector<int> kept = largest(group_scores(biased, rule.groups), rule.groups_kept);
    const int members = rule.experts / rule.groups;
    for (int e = 0; e < rule.experts; ++e) {
        if (std::find(kept.begin(), kept.end(), e / members) == kept.end()) {
            biased[static_cast<std::size_t>(e)] = -std::numeric_limits<double>::infinity();
        }
    }
    Routing routing;
    routing.chosen = largest(biased, rule.top_k);
    double sum = 0.0;
    for (const int e : routing.chosen) {
        sum += affinity[static_cast<std::size_t>(e)];
    }
    for (const int e : routing.chosen) {
        routing.weights.push_back(affinity[static_cast<std::size_t>(e)] / sum *
                                  static_cast<double>(rule.scale));
    }
    return routing;
}

} // namespace chokepoint::kref
