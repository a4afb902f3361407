// SPDX-License-Identifier: Apache-2.0
// What `list` prints of the economic data.
#pragma once

#include <chokepoint/hwmodels/economics.hpp>

#include <string>
#include <vector>

namespace chokepoint::cli {

/// One line of `list`.
struct Entry {
    std::string id;
    std::string summary;
};

std::vector<Entry> list_costs(const hw::Economics&);
std::vector<Entry> list_premiums(const hw::Economics&);
std::vector<Entry> list_grids(const hw::Economics&);
std::vector<Entry> list_networks(const hw::Economics&);
std::vector<Entry> list_failures(const hw::Economics&);

} // namespace chokepoint::cli
