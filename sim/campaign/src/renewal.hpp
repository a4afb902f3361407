// SPDX-License-Identifier: Apache-2.0
// What the expectation and the Monte-Carlo share, so that both speak of one process.
#pragma once

#include <chokepoint/sim/reliability.hpp>

namespace chokepoint::sim {

/// The process in plain seconds, after its checks.
struct Renewal {
    double rate = 0.0;     ///< failures of the job per second
    double interval = 0.0; ///< work between checkpoints
    double checkpoint = 0.0;
    double restart = 0.0;
    double repair = 0.0;
    std::optional<int> spares;
    double any_slow = 0.0;    ///< probability that the job has a slow host
    double slow_factor = 1.0; ///< what its work then takes
    [[nodiscard]] double load() const { return rate * repair; }
};

/// @throws std::invalid_argument
Renewal make_renewal(const Reliability&, const Job&);

} // namespace chokepoint::sim
