// SPDX-License-Identifier: Apache-2.0
// What each distinct piece of work takes when nothing competes with it: common ground of the engine and of
// its bound.
#pragma once

#include <chokepoint/sim/network.hpp>
#include <chokepoint/sim/timeline.hpp>

#include <vector>

namespace chokepoint::sim {

/// A flow that takes time. `rate` is what it reaches alone on its ports.
struct TimedFlow {
    hw::Port port = hw::Port::nic;
    hw::Bytes bytes;
    hw::BytesPerSecond rate;
    hw::Way way = hw::Way::both;
    int climbs = 0;
    int descends = 0;
    [[nodiscard]] hw::Seconds alone() const { return bytes / rate; }
};

struct TimedTransfer {
    hw::Seconds delay; ///< waiting for the slowest member, then latency
    std::vector<TimedFlow> flows;
    hw::Seconds alone;                     ///< delay and the slowest flow
    hw::Port last_port = hw::Port::nvlink; ///< of the slowest flow
};

/// By the graph's indices of computes and transfers.
struct TimedWork {
    std::vector<hw::Seconds> compute;
    std::vector<hw::Seconds> host; ///< of each compute, for the host to start its kernels
    std::vector<double> beside;    ///< of each compute, how many times as long beside a collective
    std::vector<TimedTransfer> transfer;
};

/// @throws std::invalid_argument naming the work or task if a cost is missing, negative or not a number, if a
/// flow has no rate, or if a task's rank or peer does not exist.
TimedWork timed_work(const work::TaskGraph&, const StepCosts&);

/// @throws std::invalid_argument naming the rank or link if the network is not one for the graph.
void check_network(const work::TaskGraph&, const Network&);

/// Time of all tasks one after another, each kernel beside a collective: no step takes longer, since sharing
/// a port never leaves it idle.
hw::Seconds serial_time(const work::TaskGraph&, const TimedWork&);

/// How many times longer than alone on whole ports a flow can take for the network's sake.
double worst_slowdown(const TimedWork&, const Network&);

/// Timers and flows that a simulation of the graph needs.
EngineStats count_activities(const work::TaskGraph&, const TimedWork&);

} // namespace chokepoint::sim
