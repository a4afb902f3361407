// SPDX-License-Identifier: Apache-2.0
// Finds the shipped data wherever the program was built, installed or pointed to.
#include <chokepoint/hwmodels/build_info.hpp>
#include <chokepoint/hwmodels/catalog.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <utility>
#include <vector>

namespace chokepoint::hw {
namespace {

std::string& named_directory() {
    static std::string directory;
    return directory;
}

} // namespace

bool look_for_data_in(std::string directory) {
    named_directory() = std::move(directory);
    return true;
}

std::filesystem::path data_directory() {
    std::error_code ignored;
    const auto holds_data = [&](const std::filesystem::path& place) {
        return std::filesystem::is_directory(place / "catalog", ignored);
    };
    // A named place that is wrong must not fall back silently to other data.
    if (const char* named = std::getenv("CHOKEPOINT_DATA"); named != nullptr && *named != '\0') {
        if (!holds_data(named)) {
            throw std::runtime_error(
                fmt::format("CHOKEPOINT_DATA names '{}', which has no folder 'catalog'", named));
        }
        return named;
    }
    // An installed program finds its data beside itself, wherever its prefix was moved to.
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
    std::vector<std::string> places{(program.parent_path().parent_path() / "share/chokepoint").string(),
                                    named_directory(), std::string(source_data_directory()),
                                    std::string(installed_data_directory())};
    std::erase(places, "");
    for (const std::filesystem::path place : places) {
        if (holds_data(place)) {
            return place;
        }
    }
    throw std::runtime_error(
        fmt::format("found no folder 'catalog' in {}; set CHOKEPOINT_DATA to the data directory",
                    fmt::join(places, " or ")));
}

std::filesystem::path data_path(std::string_view kind) {
    const std::filesystem::path folder = data_directory() / kind;
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) {
        throw std::runtime_error(fmt::format("the data directory has no folder '{}'", folder.string()));
    }
    return folder;
}

} // namespace chokepoint::hw
