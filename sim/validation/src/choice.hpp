// SPDX-License-Identifier: Apache-2.0
// Whether predictions know which of several configurations is better.
#pragma once

#include <optional>
#include <span>

namespace chokepoint::sim {

/// One configuration of a model on a cluster, in tokens per second.
struct Rates {
    double measured = 0.0;
    double predicted = 0.0;
};

/// What the predictions of one model on one cluster are worth to who must choose.
struct Choice {
    double rank = 0.0; ///< Spearman's correlation
    /// Of pairs measured at least a tenth apart, the share predicted in the same order; a predicted tie is
    /// half right.
    std::optional<double> in_order;
    /// How much faster the best measured configuration is than the one predicted to be best.
    double regret = 0.0;
};

/// Nothing for fewer than three configurations, or if either side's are all equal.
std::optional<Choice> judge(std::span<const Rates>);

} // namespace chokepoint::sim
