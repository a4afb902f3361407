// SPDX-License-Identifier: Apache-2.0
// Workers on other machines: ranks that mpirun or srun started.
#pragma once

#include <chokepoint/sim/workers.hpp>

namespace chokepoint::sim {

/// Whether mpirun, or srun with --mpi=pmix, started this process as one of several.
bool started_by_mpi();

/// This process's part in an MPI job: rank 0 hands tasks out, all others work through them. One at a time,
/// and one in the life of a process.
class MpiRanks {
public:
    /// @throws std::runtime_error if this program was built without MPI
    MpiRanks();
    /// On rank 0: lets the others go, whatever they are doing.
    ~MpiRanks();
    MpiRanks(const MpiRanks&) = delete;
    MpiRanks& operator=(const MpiRanks&) = delete;

    [[nodiscard]] bool hands_out() const;

    /// On rank 0: all other ranks. @param set_up what they need to know before their first task
    std::unique_ptr<Workers> workers(std::string_view set_up);
    /// On the others: gives tasks to the worker made for that, until rank 0 lets this one go. What `make`
    /// throws is every task's failure.
    void serve(const std::function<std::unique_ptr<Workers>(const std::string& set_up)>& make);
};

} // namespace chokepoint::sim
