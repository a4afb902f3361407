// SPDX-License-Identifier: Apache-2.0
// Runs items on the GPU, one after the other, and says so line by line: another process reads along.
#pragma once

#include "framework/measurement.hpp"

#include <functional>
#include <string>
#include <vector>

namespace chokepoint::kref {

/// What to do with an item after its check.
enum class Phase { check, timing, contended, sustained };

struct Item {
    int kernel = 0, case_index = 0;
    int family = 0; ///< items that share the code which could hang
};

struct WorkOrder {
    std::vector<Item> items;
    Phase phase = Phase::timing;
    std::vector<Mode> modes{Mode::cold, Mode::hot}; ///< of Phase::timing
    std::optional<int> sm_limit;
    std::size_t first = 0; ///< items before it are done
    Seconds budget{600};   ///< items not begun by then are skipped
    std::uint64_t seed = 1;
};

/// Kernels that match, with the cases that a phase is for.
std::vector<Item> items_of(Phase, const std::string& filter);

/// Lines: "fact\tkey\tvalue", "begin\tindex", "launch" before the item's first kernel, "row\t" and a
/// measurement, "done" after the item's last, "end".
using Emit = std::function<void(const std::string& line)>;
/// @throws NoDevice if there is none for these kernels, GpuError if it is busy or lost. A kernel's own
/// failure is a row.
void work(const WorkOrder&, const Emit&);

} // namespace chokepoint::kref
