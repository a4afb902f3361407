// SPDX-License-Identifier: Apache-2.0
// What failures cost a long run: the exact expectation of its wall time, and a Monte-Carlo of the same
// process.
#pragma once

#include <chokepoint/hwmodels/units.hpp>

#include <array>
#include <cstdint>
#include <optional>

namespace chokepoint::sim {

/// Failures come at a constant rate while the job holds its nodes, also while it restarts; each throws away
/// the work since the last checkpoint and starts a restart anew. (J. T. Daly, A higher order estimate of the
/// optimum checkpoint interval for restart dumps, Future Generation Computer Systems 22, 2006.)
struct Reliability {
    hw::Seconds gpu_mtbf;   ///< mean time between failures of one GPU with its share of the node
    hw::Seconds checkpoint; ///< time that training stands still for one
    hw::Seconds restart;    ///< from a failure until training goes on: detect, replace, load, warm up
    std::optional<hw::Seconds> interval; ///< of work between checkpoints; unset: daly_interval()
    std::optional<int> spares;           ///< nodes that wait; unset: there is always one
    hw::Seconds repair;      ///< mean time until a failed node is a spare again; counts with `spares`
    double slow_hosts = 0.0; ///< share of nodes that are slow
    double slow_speed = 1.0; ///< their speed; the whole job takes the slowest one's
    friend bool operator==(const Reliability&, const Reliability&) = default;
};

struct Job {
    int gpus = 0;
    int nodes = 0;
    hw::Seconds work; ///< wall time if nothing failed, was saved or was slow
};

/// Expected wall time and where it goes; the parts and the work add up to it.
struct FailureCost {
    hw::Seconds interval; ///< of work between checkpoints, as used
    hw::Seconds mtbf;     ///< of the job
    hw::Seconds wall;
    hw::Seconds checkpoints; ///< those that were not lost
    hw::Seconds lost;        ///< work and checkpoints done again
    hw::Seconds restarts;
    hw::Seconds waiting; ///< for a repaired node, all spares being out
    hw::Seconds slowed;  ///< by slow hosts
    double failures = 0.0;
    double goodput = 0.0; ///< work / wall
};

/// Interval of work between checkpoints that keeps the expected wall time short, to higher order (Daly 2006,
/// equation 37): sqrt(2 C M) (1 + sqrt(C / 2M) / 3 + (C / 2M) / 9) - C, and M for C >= 2 M.
hw::Seconds daly_interval(hw::Seconds checkpoint, hw::Seconds mtbf);
/// The first-order one: sqrt(2 C M) (J. W. Young, Communications of the ACM 17, 1974).
hw::Seconds young_interval(hw::Seconds checkpoint, hw::Seconds mtbf);

/// Share of failures that find `spares` nodes out, with `load` failures per mean repair time: Erlang's loss
/// formula, which holds for any distribution of repair times.
double blocking_probability(int spares, double load);

/// Exact for unlimited spares; with `spares`, the wait for repairs is that of the long run.
/// @throws std::invalid_argument naming the figure that makes no sense.
FailureCost expected_cost(const Reliability&, const Job&);

/// Useful seconds per second in the long run, without slow hosts: 0 where a run never ends.
double long_run_goodput(const Reliability&, const Job&);

struct RenewalSample {
    int trials = 0;
    hw::Seconds mean;                     ///< of the wall time
    hw::Seconds standard_error;           ///< of the mean
    std::array<hw::Seconds, 3> quantiles; ///< 5th, 50th and 95th percentile of the wall time
    double failures = 0.0;                ///< mean
};

/// Plays the process failure by failure. The same seed gives the same sample on every machine.
/// @throws std::invalid_argument as expected_cost(), or if there are no trials.
RenewalSample simulate_failures(const Reliability&, const Job&, int trials, std::uint64_t seed);

} // namespace chokepoint::sim
