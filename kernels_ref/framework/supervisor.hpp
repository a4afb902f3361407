// SPDX-License-Identifier: Apache-2.0
// Runs workers as processes of their own, so that a kernel which hangs or kills its context costs one shape
// and not the lease.
#pragma once

#include "framework/worker.hpp"

namespace chokepoint::kref {

struct PhaseResult {
    std::vector<Measurement> measurements;
    MachineFacts facts;
    std::string fatal; ///< why nothing more can run: no device, or too many workers lost
};

/// How a worker is run; tests replace the GPU by a function.
using WorkFunction = std::function<void(const WorkOrder&, const Emit&)>;

struct Patience {
    Seconds silence{90}; ///< longest wait for a line; loading libraries takes most of it
    int restarts = 25;
};

/// What is known so far; the newest row is the last.
using Progress = std::function<void(const PhaseResult&)>;
PhaseResult supervise(WorkOrder, const WorkFunction&, const Patience&, const Progress& progress);

} // namespace chokepoint::kref
