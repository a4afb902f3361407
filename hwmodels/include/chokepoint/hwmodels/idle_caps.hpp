// SPDX-License-Identifier: Apache-2.0
// Caps that lower nothing: whoever gives one hears of it, on the command line as in a scenario.
#pragma once

#include <chokepoint/hwmodels/cluster.hpp>

#include <string>
#include <vector>

namespace chokepoint::hw {

struct IdleCap {
    std::string key; ///< "nvlink", as in Caps
    /// "caps.nvlink of 900 GB/s is above the 400 GB/s that … has without it, and changes nothing"
    std::string why;
    friend bool operator==(const IdleCap&, const IdleCap&) = default;
};

/// Those above the node's own figure, or on something that its part does not have.
std::vector<IdleCap> idle_caps(const Caps&, const Node&);

} // namespace chokepoint::hw
