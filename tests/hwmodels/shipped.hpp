// SPDX-License-Identifier: Apache-2.0
// What the repository ships: the catalog, its parts, and the folder of measurements and fits.
#pragma once

#include <chokepoint/hwmodels/catalog.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace chokepoint::test {

inline const std::filesystem::path kHwmodels = std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "hwmodels";

inline const hw::Catalog& catalog() {
    static const hw::Catalog loaded = hw::Catalog::load();
    return loaded;
}

/// @throws std::runtime_error
inline hw::GpuSpec part(std::string_view id) {
    const hw::GpuSpec* found = catalog().find_gpu(id);
    if (found == nullptr) {
        throw std::runtime_error("no such part: " + std::string(id));
    }
    return *found;
}

} // namespace chokepoint::test
