// SPDX-License-Identifier: Apache-2.0
// The command `validate`: published runs beside what the program predicts for them.
#include "commands.hpp"

#include "output_file.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/validation_report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace chokepoint::cli {
namespace {

std::vector<sim::PublishedRun> all_runs(const ValidateOptions& options) {
    return sim::load_published_runs(options.runs.empty() ? sim::published_runs_file()
                                                         : std::filesystem::path(options.runs));
}

/// Runs that pass every filter.
std::vector<sim::PublishedRun> chosen_runs(const ValidateOptions& options) {
    std::vector<sim::PublishedRun> runs = all_runs(options);
    try {
        std::erase_if(runs, [&](const sim::PublishedRun& run) {
            return !std::ranges::all_of(options.filters,
                                        [&](const std::string& filter) { return sim::matches(run, filter); });
        });
    } catch (const std::invalid_argument& unknown_field) {
        throw UsageError(fmt::format("--filter: {}", unknown_field.what()));
    }
    return runs;
}

int print_scenario(const ValidateOptions& options) {
    const auto runs = all_runs(options);
    const auto run = std::ranges::find(runs, options.scenario, &sim::PublishedRun::id);
    if (run == runs.end()) {
        throw UsageError(
            fmt::format("--scenario: no published run is called '{}'; `chokepoint validate` lists them",
                        options.scenario));
    }
    if (run->score == sim::Score::hold) {
        throw UsageError(fmt::format("--scenario: '{}' is not a scenario: {}", options.scenario, run->note));
    }
    fmt::print("{}", sim::scenario_text(*run));
    return kFine;
}

} // namespace

int validate_command(const ValidateOptions& options, const Common& common) {
    if (!options.scenario.empty()) {
        return print_scenario(options);
    }
    std::vector<sim::PublishedRun> runs = chosen_runs(options);
    if (runs.empty()) {
        throw UsageError("--filter leaves no published run");
    }
    const auto open = [](const std::string& file) {
        return file.empty() ? nullptr : std::make_unique<OutputFile>(file);
    };
    const auto json = open(common.json);
    const auto csv = open(options.csv);
    Progress progress(common.progress);
    std::vector<sim::Prediction> predictions =
        sim::predict_all(runs, {options.jobs, [&](double share) { progress.tell("validate", share); }});
    const sim::ValidationReport report = sim::validation_report(std::move(runs), std::move(predictions));
    if (json) {
        json->commit(sim::to_json(report, hw::Catalog::load(common.catalog_directories).content_hash()));
    }
    if (csv) {
        csv->commit(sim::to_csv(report));
    }
    if (common.json != "-" && options.csv != "-") {
        fmt::print("{}", sim::to_text(report, options.summary));
    }
    return kFine;
}

} // namespace chokepoint::cli
