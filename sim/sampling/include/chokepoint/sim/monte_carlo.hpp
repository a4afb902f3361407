// SPDX-License-Identifier: Apache-2.0
// Checks intervals: runs a scenario again and again with inputs that are drawn.
#pragma once

#include <chokepoint/sim/run.hpp>
#include <chokepoint/sim/workers.hpp>

#include <cstdint>
#include <functional>
#include <optional>

namespace chokepoint::sim {

struct MonteCarloOptions {
    int trials = 1;
    std::uint64_t seed = 1;
    std::function<void(int done)> progress;
    /// Asked often; once it says yes, draws being simulated are dropped.
    std::function<bool()> stop;
};

/// Simulates draws in a worker: a task is the number of a trial. What does not depend on the draw is built
/// once. @param scenario must outlive the workers
Work draw_work(const Scenario& scenario, std::uint64_t seed, Fold = Fold::automatic);

/// The same for any number of workers of draw_work with the same seed. Nothing if it was stopped.
/// @throws std::invalid_argument if there are no trials
/// @throws std::runtime_error naming the trial that failed
std::optional<Sample> monte_carlo(Workers&, const MonteCarloOptions&);

} // namespace chokepoint::sim
