// SPDX-License-Identifier: Apache-2.0
// Runs a schedule with one duration per kind of action and free transfers: what bubble formulas are stated
// for.
#pragma once

#include <chokepoint/workloads/schedule.hpp>

#include <vector>

namespace chokepoint::work::test {

/// Durations in any unit. A full backward takes input + weight.
struct ActionCosts {
    int forward = 1;
    int input = 1;
    int weight = 1;
    int overlapped = 3;
    [[nodiscard]] int backward() const { return input + weight; }
    [[nodiscard]] int of(ActionKind) const;
};

struct Execution {
    int makespan = 0;
    std::vector<int> busy;        ///< [rank]
    std::vector<int> first, last; ///< [rank]: start of its first action, end of its last one
    [[nodiscard]] int bubble(std::size_t rank) const { return makespan - busy[rank]; }
    /// Waiting between the rank's own first and last action.
    [[nodiscard]] int idle(std::size_t rank) const { return last[rank] - first[rank] - busy[rank]; }
};

/// @throws std::logic_error if the schedule deadlocks.
Execution execute(const Schedule&, const ActionCosts&);

/// Actions of one kind on all ranks.
int count(const Schedule&, ActionKind);

} // namespace chokepoint::work::test
