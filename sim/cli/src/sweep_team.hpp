// SPDX-License-Identifier: Apache-2.0
// Who computes the points of a sweep: child processes of this machine, or the ranks that mpirun or srun
// started.
#pragma once

#include <chokepoint/sim/mpi_ranks.hpp>
#include <chokepoint/sim/scenario_template.hpp>

namespace chokepoint::cli {

class SweepTeam {
public:
    /// @param jobs child processes; 0: as many as there are cores
    /// @throws UsageError if ranks are given too; std::runtime_error if there are ranks, but no MPI to reach
    /// them
    explicit SweepTeam(int jobs);
    /// Whether this process computes for another, which has the store.
    [[nodiscard]] bool serves() const;
    /// Until the other is done.
    void serve();
    /// @param source must outlive them
    std::unique_ptr<sim::Workers> workers(const sim::ScenarioTemplate& source, const sim::LoadOptions&,
                                          const sim::WorkerLimits&, std::int64_t points);

private:
    int jobs_;
    std::unique_ptr<sim::MpiRanks> ranks_;
};

} // namespace chokepoint::cli
