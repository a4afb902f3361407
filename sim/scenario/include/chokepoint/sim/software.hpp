// SPDX-License-Identifier: Apache-2.0
// What a training software does by itself: the values of plan keys that its users rarely name.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::sim {

/// One file of the data directory's folder software, which plan.software names.
struct SoftwareEntry {
    struct Choice {
        std::string key;       ///< "plan.cross_entropy"
        std::string value;     ///< "in-place"
        std::string_view when; ///< "with layers run again"; empty: always
    };
    std::string id, title, source;
    /// The time of one call to start a kernel over that of Transformer Engine's modules, which a node's
    /// figure is of.
    double host_share = 1.0;
    std::vector<Choice> choices;
};

/// Those that ship, by file name. @throws ScenarioError with every fault of these files
std::vector<SoftwareEntry> software_entries();
std::vector<SoftwareEntry> software_entries(const std::filesystem::path& directory);

} // namespace chokepoint::sim
