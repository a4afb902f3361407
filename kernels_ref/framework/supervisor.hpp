// SPDX-License-Identifier: Apache-2.0
// Runs workers as processes of their own, so that a kernel which hangs or kills its context costs one shape
// and not the lease.
#pragma once

#include "framework/child.hpp"

#include <set>

namespace chokepoint::kref {

/// What the phases of a run have found so far.
struct RunResult {
    std::vector<Measurement> measurements;
    MachineFacts facts;
    bool begun = false; ///< some worker got as far as an item: there is a device
    std::string fatal;  ///< why a phase ended early: no device, too many workers lost, told to stop
    std::set<int>
        given_up; ///< kernels that hung, with those that share their code, or killed too many workers
    std::optional<pid_t> dying; ///< a worker that was killed and may not be gone
};

struct Patience {
    Seconds loading{90};  ///< longest wait for a line while libraries load and inputs are made
    Seconds running{30};  ///< and from the first launch of a shape on: no check or timing takes as long
    Seconds overtime{10}; ///< beyond the budget, to finish what was begun within it
    Seconds saving{3};    ///< to end after that, and to write the file
    Seconds dying{
        10}; ///< for a killed worker to be gone: the driver waits for its kernel, then frees its memory
    Seconds pause{2}; ///< after a start that failed
    int starts = 4;   ///< that may fail in a row: a device comes back late from a killed kernel
    int restarts = 25;
    int deaths = 3; ///< of one kernel, after which its other shapes are left out; one that hangs is enough
};

/// Called after each row; the newest is the last.
using Progress = std::function<void(const RunResult&)>;

/// Adds a phase to what is known. Every item gets a row: what is not run is skipped, with the reason, unless
/// no worker of the run ever began.
RunResult supervise(WorkOrder, const WorkFunction&, const Patience&, const Progress&, RunResult before = {});

/// A phase, and its share of the time that is left when its turn comes.
struct Step {
    WorkOrder order;
    double share = 1.0;
};

/// A budget less what it takes to end: no more than a tenth.
struct Allowance {
    Seconds work, overtime;
};
Allowance allowance(Seconds budget, const Patience&);

/// Runs one phase after the other within `budget`: what one leaves, also by failing, is the next one's.
/// `save` is called after each, before anything waits for a worker to be gone.
RunResult run_steps(const std::vector<Step>&, Seconds budget, const WorkFunction&, const Patience&,
                    const Progress&, const Progress& save);

} // namespace chokepoint::kref
