// SPDX-License-Identifier: Apache-2.0
// Loading, output files and progress of the commands that simulate.
#include "simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
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

bool one_on_stdout(std::initializer_list<std::string_view> files) {
    const auto count = std::ranges::count(files, "-");
    if (count > 1) {
        throw UsageError("only one of the output files can be standard output");
    }
    return count == 1;
}

sim::RunOptions run_options(Progress& progress, const Common& common) {
    return {.progress = [&progress](std::string_view phase, double share) { progress.tell(phase, share); },
            .fold = common.fold};
}

} // namespace chokepoint::cli
