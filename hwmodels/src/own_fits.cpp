// SPDX-License-Identifier: Apache-2.0
// Looks through a folder of fit files once, so that a scenario can be refused with all of its faults.
#include <chokepoint/hwmodels/own_fits.hpp>

#include <chokepoint/hwmodels/fit.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

std::vector<std::filesystem::path> fit_files(const std::filesystem::path& folder) {
    std::error_code fault;
    std::vector<std::filesystem::path> files;
    for (std::filesystem::directory_iterator entry(folder, fault), end; !fault && entry != end;
         entry.increment(fault)) {
        if (entry->path().extension() == ".json") {
            files.push_back(entry->path());
        }
    }
    if (fault) {
        throw std::runtime_error(fmt::format("cannot read the folder '{}': {}; expected what `chokepoint "
                                             "calibrate -o` wrote",
                                             folder.string(), fault.message()));
    }
    if (files.empty()) {
        throw std::runtime_error(fmt::format("'{}' holds no *.json; expected what `chokepoint calibrate -o` "
                                             "wrote, such as 'hopper.json'",
                                             folder.string()));
    }
    std::ranges::sort(files);
    return files;
}

/// FNV-1a of 64 bits.
void add_to(std::uint64_t& hash, const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    for (std::istreambuf_iterator<char> at(in), end; at != end; ++at) {
        hash = (hash ^ static_cast<unsigned char>(*at)) * 1099511628211ULL;
    }
}

} // namespace

OwnFits read_own_fits(const std::filesystem::path& folder) {
    OwnFits own;
    own.folder = folder;
    std::uint64_t hash = 14695981039346656037ULL;
    std::set<std::string> parts;
    std::vector<std::string> faults;
    for (const std::filesystem::path& file : fit_files(folder)) {
        try {
            const FitSet set = read_fits(file);
            if (file.stem() != set.architecture) {
                throw std::runtime_error(
                    fmt::format("'{}' holds the curves of '{}'; expected the name '{}.json'", file.string(),
                                set.architecture, set.architecture));
            }
            own.architectures.push_back(set.architecture);
            for (const Fit& fit : set.fits) {
                if (fit.own_run) {
                    ++own.curves;
                    parts.insert(fit.measured_on.id);
                }
            }
            add_to(hash, file);
        } catch (const std::runtime_error& error) {
            faults.emplace_back(error.what());
        }
    }
    if (!faults.empty()) {
        throw std::runtime_error(fmt::format("{}", fmt::join(faults, "\n")));
    }
    own.measured_on.assign(parts.begin(), parts.end());
    own.digest = fmt::format("{:016x}", hash);
    return own;
}

} // namespace chokepoint::hw
