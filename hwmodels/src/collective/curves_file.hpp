// SPDX-License-Identifier: Apache-2.0
// Collective curves inside a larger TOML file.
#pragma once

#include <chokepoint/hwmodels/collective.hpp>

#include "../data_file.hpp"

namespace chokepoint::hw {

/// The [[collective]] tables of a section; faults go to the file.
std::vector<CollectiveCurve> read_collective_curves(DataFile&, const Section& parent);

} // namespace chokepoint::hw
