// SPDX-License-Identifier: Apache-2.0
// A user's own kernel curves: a folder of fit files that stand before the shipped ones.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace chokepoint::hw {

struct OwnFits {
    std::filesystem::path folder;
    std::vector<std::string> architectures; ///< that it has a file for, in order of their names
    std::vector<std::string> measured_on;   ///< parts that its own runs were made on
    int curves = 0;                         ///< fitted to own runs; the others are as shipped
    std::string digest;                     ///< of the files' text
    friend bool operator==(const OwnFits&, const OwnFits&) = default;
};

/// Reads every *.json of a folder.
/// @throws std::runtime_error with a line for each fault: no folder, no fit file in it, a file that is none
/// or whose name is not its architecture's.
OwnFits read_own_fits(const std::filesystem::path& folder);

} // namespace chokepoint::hw
