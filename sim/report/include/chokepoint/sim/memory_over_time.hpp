// SPDX-License-Identifier: Apache-2.0
// When each pipeline rank holds how much.
#pragma once

#include <chokepoint/sim/timeline.hpp>
#include <chokepoint/workloads/memory.hpp>

#include <vector>

namespace chokepoint::sim {

/// From `at` on, so much is held.
struct MemoryLevel {
    hw::Seconds at;
    hw::Bytes bytes;
    friend bool operator==(const MemoryLevel&, const MemoryLevel&) = default;
};

/// Activations of every simulated class, from the start of a stage's forward to the end of its weight
/// gradient; within a pair step by step (work::pair_steps), evenly spread over its time.
std::vector<std::vector<MemoryLevel>> activations_over_time(const work::TaskGraph&, const Timeline&,
                                                            const work::ParallelPlan&,
                                                            const std::vector<work::StageActivations>&);

/// The first time at which a class holds most.
struct MemoryPeak {
    hw::Bytes activations;
    hw::Seconds from, until;
    friend bool operator==(const MemoryPeak&, const MemoryPeak&) = default;
};
MemoryPeak peak_of(const std::vector<MemoryLevel>&);

} // namespace chokepoint::sim
