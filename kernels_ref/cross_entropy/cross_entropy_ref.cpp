// SPDX-License-Identifier: Apache-2.0
// Sharded cross-entropy in double precision.
#include "cross_entropy/cross_entropy.hpp"

#include <algorithm>
#include <cmath>

namespace chokepoint::kref {

RowStatistics statistics_reference(const std::vector<double>& logits, std::int64_t target_column) {
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0.0;
    for (const double logit : logits) {
        sum += std::exp(logit - largest);
    }
    RowStatistics s;
    s.largest = static_cast<float>(largest);
    s.sum = static_cast<float>(sum);
    if (target_column >= 0 && target_column < static_cast<std::int64_t>(logits.size())) {
        s.target = static_cast<float>(logits[static_cast<std::size_t>(target_column)]);
    }
    return s;
}

RowLoss loss_reference(const std::vector<RowStatistics>& shards) {
    RowLoss row;
    row.largest = shards.front().largest;
    for (const RowStatistics& s : shards) {
        row.largest = std::max(row.largest, static_cast<double>(s.largest));
    }
    double target = 0.0;
    for (const RowStatistics& s : shards) {
        row.sum += static_cast<double>(s.sum) * std::exp(static_cast<double>(s.largest) - row.largest);
        target += static_cast<double>(s.target);
    }
    row.loss = std::log(row.sum) + row.largest - target;
    return row;
}

} // namespace chokepoint::kref
