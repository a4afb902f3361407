// SPDX-License-Identifier: Apache-2.0
// Loading, output files and progress of the commands that simulate.
#include "simulation.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace chokepoint::cli {

sim::Scenario load_with_warnings(const std::string& file, const Common& common) {
    sim::Scenario scenario = sim::load_scenario(file, {common.overrides, common.catalog_directories});
    for (const sim::Diagnostic& warning : scenario.warnings()) {
        fmt::print(stderr, "{}\n", sim::to_text(warning, "warning"));
    }
    return scenario;
}

std::unique_ptr<OutputFile> open_output(const std::string& file) {
    return file.empty() ? nullptr : std::make_unique<OutputFile>(file);
}

sim::RunOptions run_options(Progress& progress, const Common& common) {
    return {.progress = [&progress](std::string_view phase, double share) { progress.tell(phase, share); },
            .fold = common.fold};
}

} // namespace chokepoint::cli
