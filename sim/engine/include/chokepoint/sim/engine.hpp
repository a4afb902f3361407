// SPDX-License-Identifier: Apache-2.0
// Runs a task graph on SimGrid: one GPU for each of the graph's ranks, flows sharing ports and links max-min.
#pragma once

#include <chokepoint/sim/network.hpp>
#include <chokepoint/sim/timeline.hpp>

#include <functional>

namespace chokepoint::sim {

struct SimulateOptions {
    /// Called now and then with the share of tasks done, 0 to 1.
    std::function<void(double)> progress;
};

/// Every task starts when its predecessors have finished. A compute task lasts its cost, and
/// StepCosts::beside times as long while a data-parallel collective flows on its rank. A transfer waits for
/// its stragglers, then its latency, then its flows run at the same time, each limited by its own rate and by
/// max-min sharing of the ports with all other flows; it finishes with its last flow. A pipeline transfer
/// uses the sender's outgoing and the receiver's incoming port; every other transfer the rank's own ports in
/// both directions.
///
/// A flow that climbs or descends also crosses the shared links of its sender's or receiver's ports.
///
/// The same input gives the same timeline, bit for bit. SimGrid allows one simulation at a time in a process,
/// always on the same thread; one may follow the other. What `progress` throws ends the simulation and is
/// passed on.
/// @throws std::invalid_argument naming the work, task or link if its cost, rank, peer or capacity makes no
/// sense.
/// @throws std::logic_error if a task never became ready, or if called from within another simulation.
Timeline simulate(const work::TaskGraph&, const StepCosts&, const Network&, const SimulateOptions& = {});
/// The same where every rank has ports of its own and nothing else is shared.
Timeline simulate(const work::TaskGraph&, const StepCosts&, const SimulateOptions& = {});

/// The same graph with every flow alone on its ports: a longest-path pass, a lower bound on simulate().
/// @throws std::invalid_argument as simulate().
Timeline longest_path(const work::TaskGraph&, const StepCosts&);

} // namespace chokepoint::sim
