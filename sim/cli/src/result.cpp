// SPDX-License-Identifier: Apache-2.0
// Results and refusals of the commands that look at the catalog.
#include "result.hpp"

#include "output_file.hpp"

#include <chokepoint/hwmodels/build_info.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace chokepoint::cli {

nlohmann::ordered_json program_json(const std::string& catalog_hash) {
    return {{"version", std::string(hw::version())},
            {"commit", std::string(hw::commit())},
            {"catalog_hash", catalog_hash}};
}

void emit(const Common& common, const nlohmann::ordered_json& json, const std::string& text) {
    if (!common.json.empty()) {
        OutputFile(common.json).commit(json.dump(2) + "\n");
    }
    if (common.json != "-") {
        fmt::print("{}", text);
    }
}

UsageError unknown(std::string_view what, const std::string& found,
                   const std::vector<std::string>& expected) {
    return UsageError(
        fmt::format("no {} is called '{}'; expected one of {}", what, found, fmt::join(expected, ", ")));
}

} // namespace chokepoint::cli
