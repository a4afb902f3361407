// SPDX-License-Identifier: Apache-2.0
// Asks the environment, so that a program that is alone need not start MPI to find out.
#include <chokepoint/sim/mpi_ranks.hpp>

#include <cstdlib>

namespace chokepoint::sim {

bool started_by_mpi() {
    // Open MPI 4.1 sets the first for every rank [mpirun(1)], PMIx the second [PMIx standard 4.0, 5.1].
    const char* ranks = std::getenv("OMPI_COMM_WORLD_SIZE");
    if (ranks != nullptr) {
        return std::atoi(ranks) > 1;
    }
    const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
    return std::getenv("PMIX_RANK") != nullptr && tasks != nullptr && std::atoi(tasks) > 1;
}

} // namespace chokepoint::sim
