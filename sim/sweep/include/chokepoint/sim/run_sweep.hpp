// SPDX-License-Identifier: Apache-2.0
// Runs what a sweep lacks: hands points to workers as these fall idle, and writes each result as it comes.
#pragma once

#include <chokepoint/sim/result_store.hpp>

namespace chokepoint::sim {

struct SweepProgress {
    std::int64_t points = 0;    ///< of the grid
    std::int64_t finished = 0;  ///< with a result, this run's and earlier ones'
    std::int64_t simulated = 0; ///< by this run
    std::int64_t infeasible = 0, failed = 0;
    double points_per_second = 0.0; ///< of this run, lately
    std::optional<hw::Seconds> left;
};

struct SweepOptions {
    std::function<void(const SweepProgress&)> progress;
    /// Asked often; once it says yes, points being simulated are dropped and the run ends.
    std::function<bool()> stop;
};

struct SweepOutcome {
    SweepProgress progress;
    std::int64_t reused = 0; ///< positions whose content had been simulated before
    bool stopped = false;
    hw::Seconds wall;
    hw::Seconds worked; ///< by all workers on points that were simulated
};

/// @throws std::runtime_error if the store cannot be written; what it holds by then stays.
SweepOutcome run_sweep(const ScenarioTemplate&, const Grid&, ResultStore&, std::int64_t sweep, Workers&,
                       const SweepOptions& = {});

/// Faults that every position of every axis leaves standing: those of the scenario itself, rather than of a
/// point. Empty as soon as one point has none of them.
std::vector<Diagnostic> common_faults(const ScenarioTemplate&, const Grid&);

} // namespace chokepoint::sim
