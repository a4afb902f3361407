// SPDX-License-Identifier: Apache-2.0
// The commands that simulate: run, compare, trace.
#include "commands.hpp"

#include "output_file.hpp"

#include <chokepoint/sim/run.hpp>

#include <fmt/format.h>

#include <memory>

namespace chokepoint::cli {

namespace {

sim::Scenario load(const std::string& file, const Common& common) {
    sim::Scenario scenario = sim::load_scenario(file, {common.overrides, common.catalog_directories});
    for (const sim::Diagnostic& warning : scenario.warnings()) {
        fmt::print(stderr, "{}\n", sim::to_text(warning, "warning"));
    }
    return scenario;
}

/// The file of --json, opened before any work; nothing if it was not asked for.
std::unique_ptr<OutputFile> open_json(const Common& common) {
    return common.json.empty() ? nullptr : std::make_unique<OutputFile>(common.json);
}

sim::RunOptions options(Progress& progress, const Common& common) {
    return {.progress = [&progress](std::string_view phase, double share) { progress.tell(phase, share); },
            .fold = common.fold};
}

} // namespace

int run_command(const std::string& file, const Common& common) {
    const sim::Scenario scenario = load(file, common);
    const auto json = open_json(common);
    Progress progress(common.progress);
    const sim::RunReport report = sim::run(scenario, options(progress, common));
    if (json) {
        json->commit(sim::to_json(report, scenario));
    }
    if (!json || !json->is_stdout()) {
        fmt::print("{}", sim::to_text(report));
    }
    return kFine;
}

int compare_command(const std::string& file_a, const std::string& file_b, const Common& common) {
    const sim::Scenario a = load(file_a, common);
    const sim::Scenario b = load(file_b, common);
    const auto json = open_json(common);
    Progress progress(common.progress);
    const sim::RunReport report_a = sim::run(a, options(progress, common));
    const sim::RunReport report_b = sim::run(b, options(progress, common));
    if (json) {
        json->commit(sim::compare_json(report_a, a, report_b, b));
    }
    if (!json || !json->is_stdout()) {
        fmt::print("{}", sim::compare_text(report_a, report_b));
    }
    return kFine;
}

int trace_command(const std::string& file, const std::string& output, const std::vector<int>& ranks,
                  const Common& common) {
    const sim::Scenario scenario = load(file, common);
    for (const int rank : ranks) {
        if (rank < 0 || rank >= scenario.plan().pipeline) {
            throw UsageError(fmt::format("--ranks: {} is not a pipeline rank; expected 0 to {}", rank,
                                         scenario.plan().pipeline - 1));
        }
    }
    OutputFile trace(output);
    Progress progress(common.progress);
    const sim::StepRun step = sim::run_step(scenario, scenario.plan(), options(progress, common));
    trace.commit(sim::to_trace_json(step.graph, step.costs, step.timeline, {ranks, sim::fold_report(step)}));
    if (!trace.is_stdout()) {
        fmt::print("{}: {} of one step on {} pipeline ranks; open it at ui.perfetto.dev\n", output,
                   hw::to_text(step.timeline.makespan),
                   ranks.empty() ? scenario.plan().pipeline : int(ranks.size()));
    }
    return kFine;
}

} // namespace chokepoint::cli
