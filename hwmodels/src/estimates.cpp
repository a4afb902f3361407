// SPDX-License-Identifier: Apache-2.0
// Picks estimates out of an entry's citations.
#include <chokepoint/hwmodels/estimates.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace chokepoint::hw {

std::optional<std::string> estimates_among(const std::string& entry,
                                           const std::map<std::string, Citation>& citations,
                                           std::vector<std::string> fields) {
    std::erase_if(fields, [&](const std::string& field) {
        const auto found = citations.find(field);
        return found == citations.end() || !found->second.estimate;
    });
    return fields.empty() ? std::nullopt
                          : std::optional(fmt::format("{}: {}", entry, fmt::join(fields, ", ")));
}

} // namespace chokepoint::hw
