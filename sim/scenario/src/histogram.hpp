// SPDX-License-Identifier: Apache-2.0
// How often a real router chose each expert, from a file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace chokepoint::sim::loader {

struct Histogram {
    std::vector<double> shares; ///< by expert, adds up to 1; all equal if there is a fault
    std::string fault;          ///< empty: none
};

/// Counts in the order of experts: a JSON array of numbers; or CSV with a line for each expert, whose last
/// column counts, and whose first line may name the columns.
Histogram read_histogram(const std::filesystem::path&, int experts);

} // namespace chokepoint::sim::loader
