// SPDX-License-Identifier: Apache-2.0
// In place of mpi_ranks.cpp where there was no MPI to build with.
#include <chokepoint/sim/mpi_ranks.hpp>

#include <stdexcept>

namespace chokepoint::sim {

MpiRanks::MpiRanks() {
    throw std::runtime_error(
        "started by mpirun or srun, but built without MPI: build again where Open MPI is "
        "found (Debian: libopenmpi-dev), or start it alone");
}
MpiRanks::~MpiRanks() = default;
bool MpiRanks::hands_out() const { return true; }
std::unique_ptr<Workers> MpiRanks::workers(std::string_view /*set_up*/) { return nullptr; }
void MpiRanks::serve(const std::function<std::unique_ptr<Workers>(const std::string&)>& /*make*/) {}

} // namespace chokepoint::sim
