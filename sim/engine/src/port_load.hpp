// SPDX-License-Identifier: Apache-2.0
// Knows which ports are asked for more than they carry: only there do flows slow each other.
#pragma once

#include "port_platform.hpp"

#include <array>
#include <vector>

namespace chokepoint::sim {

/// A flow as its ports see it.
struct LoadingFlow {
    std::array<int, 2> ways{}; ///< directions of ports that it takes; the first `way_count` of them
    int way_count = 0;
    hw::BytesPerSecond rate;  ///< what it reaches alone
    bool predictable = false; ///< meets nothing but ports of constant capacity
};

/// Every direction of every port, with the flows on it. Where the rates of all flows on a direction fit into
/// its capacity, max-min sharing gives each its own rate, whatever happens elsewhere.
class PortLoad {
public:
    PortLoad(int ranks, const StepCosts&, const Network&);

    /// Says which directions a flow takes, and whether it is predictable.
    void place(LoadingFlow&, const PortPlatform::Lane&, int from_rank, int to_rank) const;
    void add(LoadingFlow&);
    void remove(const LoadingFlow&);
    /// Whether the flows on any of its directions ask for more than there is.
    [[nodiscard]] bool is_crowded(const LoadingFlow&) const;
    /// Flows on the crowded directions of `flow`, itself among them.
    [[nodiscard]] std::vector<LoadingFlow*> crowd(const LoadingFlow& flow) const;

private:
    struct Direction {
        hw::BytesPerSecond capacity;
        std::vector<LoadingFlow*> flows;
        [[nodiscard]] bool is_crowded() const;
    };
    [[nodiscard]] bool is_plain(hw::Port, int rank) const;

    const Network& network_;
    std::vector<Direction> directions_;
};

} // namespace chokepoint::sim
