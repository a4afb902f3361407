// SPDX-License-Identifier: Apache-2.0
// Weighs the power of each state by its share of the time.
#include <chokepoint/sim/energy.hpp>

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace chokepoint::sim {

hw::Watts node_power(const PowerStates& states, const BusyShares& shares) {
    constexpr double kRounding = 1e-6;
    const double sum = shares.compute + shares.communication + shares.idle;
    if (std::abs(sum - 1.0) > kRounding) {
        throw std::invalid_argument(fmt::format("shares of the time add up to {:g}; expected 1", sum));
    }
    return states.compute * shares.compute + states.communication * shares.communication +
           states.idle * shares.idle + states.host;
}

hw::Watts peak_power(const PowerStates& states, int gpus) {
    return (states.compute + states.host) * (states.pue * gpus);
}

hw::Joules energy(const PowerStates& states, const BusyShares& shares, hw::Seconds gpu_time) {
    return node_power(states, shares) * gpu_time * states.pue;
}

} // namespace chokepoint::sim
