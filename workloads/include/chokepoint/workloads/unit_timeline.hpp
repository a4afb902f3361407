// SPDX-License-Identifier: Apache-2.0
// Runs a schedule with one duration per kind of action and free transfers: what bubble formulas are stated
// for, and what a picture of a schedule shows.
#pragma once

#include <chokepoint/workloads/schedule.hpp>

#include <vector>

namespace chokepoint::work {

/// Durations of one stage, in any one unit.
struct ActionTimes {
    double forward = 1.0;
    double input = 1.0;      ///< input gradient
    double weight = 1.0;     ///< weight gradient
    double overlapped = 3.0; ///< a forward and a full backward together
    [[nodiscard]] double backward() const { return input + weight; }
    [[nodiscard]] double of(ActionKind) const;
};

/// Times in the unit of the durations.
struct UnitTimeline {
    double makespan = 0.0;
    std::vector<std::vector<double>> start; ///< [rank][action]
    std::vector<double> first, last;        ///< [rank]: when its first action starts and its last one ends
    std::vector<double> busy;               ///< [rank]
    [[nodiscard]] double bubble(std::size_t rank) const { return makespan - busy[rank]; }
    /// Share of all ranks' time in which they wait.
    [[nodiscard]] double bubble_share() const;
};

/// Every action starts as soon as its rank is free and its inputs exist.
/// @throws std::logic_error if the schedule deadlocks.
UnitTimeline unit_timeline(const Schedule&, const ActionTimes& = {});

} // namespace chokepoint::work
