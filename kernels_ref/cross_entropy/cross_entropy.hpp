// SPDX-License-Identifier: Apache-2.0
// Cross-entropy over a vocabulary whose columns are spread over ranks: local statistics, then loss and
// gradient.
#pragma once

#include "framework/number_formats.hpp"
#include "framework/workload.hpp"

namespace chokepoint::kref {

/// What a rank knows of a row after its own columns: max, sum of exp(logit - max), and the target's logit
/// where it owns the target, else zero. Ranks exchange these; the exchange is not part of the kernels.
struct RowStatistics {
    float largest = 0.0F, sum = 0.0F, target = 0.0F;
    float unused = 0.0F; ///< 16 bytes
};

struct CrossEntropy {
    const Bf16Bits* logits = nullptr;     ///< [rows][columns], this rank's columns from first_column on
    const std::int32_t* target = nullptr; ///< [rows], index in the whole vocabulary
    RowStatistics* statistics = nullptr;  ///< [shards][rows]; this rank writes its own slot
    float* loss = nullptr;                ///< [rows]
    Bf16Bits* gradient = nullptr;         ///< [rows][columns]: (softmax - one at the target) * scale
    std::int64_t rows = 0, columns = 0, first_column = 0;
    int shards = 1, shard = 0;
    float scale = 1.0F;
};
/// Two launches: statistics of this shard, then loss and gradient from those of all shards.
void cross_entropy(const CrossEntropy&, const Launch&);

RowStatistics statistics_reference(const std::vector<double>& logits, std::int64_t target_column);
struct RowLoss {
    double loss = 0.0;
    double largest = 0.0, sum = 0.0; ///< over all shards
};
RowLoss loss_reference(const std::vector<RowStatistics>& shards);

std::vector<Case> cross_entropy_cases();
Work cross_entropy_work(const Case&);
std::unique_ptr<Workload> make_cross_entropy(const Case&, Device&);

} // namespace chokepoint::kref
