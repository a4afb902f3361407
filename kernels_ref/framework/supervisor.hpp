// SPDX-License-Identifier: Apache-2.0
// Runs workers as processes of their own, so that a kernel which hangs or kills its context costs one shape
// and not the lease.
#pragma once

#include "framework/worker.hpp"

namespace chokepoint::kref {

struct PhaseResult {
    std::vector<Measurement> measurements;
    MachineFacts facts;
    std::string fatal;         ///< why nothing more can run: no device, too many workers lost, told to stop
    std::vector<int> given_up; ///< kernels that hung, or killed too many workers
};

/// How a worker is run; tests replace the GPU by a function.
using WorkFunction = std::function<void(const WorkOrder&, const Emit&)>;

struct Patience {
    Seconds loading{90};  ///< longest wait for a line while libraries load and inputs are made
    Seconds running{30};  ///< and from the first launch of a shape on: no check or timing takes as long
    Seconds overtime{10}; ///< beyond the budget, to finish what was begun within it
    int restarts = 25;
    int deaths = 3; ///< of one kernel, after which its other shapes are left out; one that hangs is enough
};

/// What is known so far; the newest row is the last.
using Progress = std::function<void(const PhaseResult&)>;
PhaseResult supervise(WorkOrder, const WorkFunction&, const Patience&, const Progress& progress);

/// From now on SIGTERM and SIGINT end a supervised phase with what it has, instead of the process.
void stop_on_signals();

} // namespace chokepoint::kref
