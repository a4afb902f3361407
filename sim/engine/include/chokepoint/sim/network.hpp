// SPDX-License-Identifier: Apache-2.0
// What the flows of a step share beside ports of their own: links of the fabric, and capacities that change.
#pragma once

#include <chokepoint/hwmodels/units.hpp>

#include <string>
#include <vector>

namespace chokepoint::sim {

/// How much of a link's nominal capacity there is: 1 at first, then `factor` from `at` on, and so forth.
struct CapacityChange {
    hw::Seconds at;
    double factor = 1.0;
    friend auto operator<=>(const CapacityChange&, const CapacityChange&) = default;
};
using CapacityProfile = std::vector<CapacityChange>; ///< ascending; empty: never changes

/// A link that several GPUs' flows cross. Both directions are links of their own with this capacity.
struct SharedLink {
    std::string name; ///< "leaf 3": for people
    hw::BytesPerSecond capacity;
    CapacityProfile profile;
    friend bool operator==(const SharedLink&, const SharedLink&) = default;
};

/// A rank's flow loads the link as `weight` flows of the same rate do: those of all GPUs it stands for below
/// this link.
struct Crossing {
    int link = 0; ///< negative: nothing that could slow a flow
    int weight = 1;
    friend bool operator==(const Crossing&, const Crossing&) = default;
};

/// The ports of one rank of a graph. Degrading a port lowers the rate of each kernel that drives it alike.
struct RankPorts {
    CapacityProfile nvlink;
    CapacityProfile nic;
    std::vector<Crossing> rail;  ///< that every NIC flow crosses, both ways
    std::vector<Crossing> climb; ///< nearest first: a flow that climbs n links crosses the first n
    friend bool operator==(const RankPorts&, const RankPorts&) = default;
};

struct Network {
    std::vector<SharedLink> links;
    std::vector<RankPorts> ranks; ///< empty: every rank has its own sound ports and nothing is shared
    friend bool operator==(const Network&, const Network&) = default;
};

} // namespace chokepoint::sim
