// SPDX-License-Identifier: Apache-2.0
// From what the GPUs did to kilowatt-hours and carbon: power of each state, weighted by its share of the
// time.
#pragma once

#include <chokepoint/hwmodels/units.hpp>

namespace chokepoint::sim {

/// Power of one GPU with its part of the node, and what the building adds.
struct PowerStates {
    hw::Watts compute, communication, idle; ///< the GPU itself
    hw::Watts host;                         ///< the rest of the node, for each GPU
    double pue = 1.0;                       ///< power of the building for each watt of the nodes
    friend bool operator==(const PowerStates&, const PowerStates&) = default;
};

/// How a GPU spends its time; the three add up to 1.
struct BusyShares {
    double compute = 0.0;       ///< kernels run, beside transfers or not
    double communication = 0.0; ///< the compute stream waits for a transfer
    double idle = 0.0;          ///< nothing to do: bubbles, restarts
};

inline constexpr BusyShares kIdle{0.0, 0.0, 1.0};

/// GPU and host, for each GPU. @throws std::invalid_argument if the shares do not add up to 1.
hw::Watts node_power(const PowerStates&, const BusyShares&);
/// All GPUs computing at once, with the building.
hw::Watts peak_power(const PowerStates&, int gpus);
/// Of the building, for `gpu_time` GPU-seconds in those shares.
hw::Joules energy(const PowerStates&, const BusyShares&, hw::Seconds gpu_time);

} // namespace chokepoint::sim
