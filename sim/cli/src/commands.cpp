// SPDX-License-Identifier: Apache-2.0
// The commands that simulate one scenario: run, trace.
#include "commands.hpp"

#include "compare_command.hpp"
#include "monte_carlo.hpp"
#include "simulation.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace chokepoint::cli {

int run_command(const RunCommandOptions& options, const Common& common) {
    const bool quiet =
        one_on_stdout({common.json, options.charts.svg, options.charts.png, options.charts.description});
    const sim::Scenario scenario = load_with_warnings(options.scenario, common);
    const auto json = open_output(common.json);
    ChartOutput charts(options.charts);
    Progress progress(common.progress);
    std::optional<sim::Sample> sample;
    if (options.monte_carlo.trials > 0) {
        sample = draw_sample(scenario, options.monte_carlo, progress, common);
        if (!sample) {
            fmt::print(stderr, "stopped: nothing is written\n");
            return kFailed;
        }
    }
    sim::RunReport report = sim::run(scenario, run_options(progress, common));
    report.sample = sample;
    if (json) {
        json->commit(sim::to_json(report, scenario));
    }
    charts.write(tornado_chart(report, sim::most_telling(report)));
    if (!quiet) {
        fmt::print("{}", sim::to_text(report));
    }
    return kFine;
}

int trace_command(const std::string& file, const std::string& output, const std::vector<int>& ranks,
                  const Common& common) {
    const sim::Scenario scenario = load_with_warnings(file, common);
    for (const int rank : ranks) {
        if (rank < 0 || rank >= scenario.plan().pipeline) {
            throw UsageError(fmt::format("--ranks: {} is not a pipeline rank; expected 0 to {}", rank,
                                         scenario.plan().pipeline - 1));
        }
    }
    OutputFile trace(output);
    Progress progress(common.progress);
    const sim::StepRun step = sim::run_step(scenario, scenario.plan(), run_options(progress, common));
    const sim::CriticalPath path =
        sim::critical_path(step.graph, step.costs, step.timeline, step.costs.operator_seconds);
    trace.commit(sim::to_trace_json(
        step.graph, step.costs, step.timeline,
        {ranks, sim::fold_report(step), sim::activations_over_time(scenario, step), path.steps}));
    if (!trace.is_stdout()) {
        fmt::print("{}: {} of one step on {} pipeline ranks; open it at ui.perfetto.dev\n", output,
                   hw::to_text(step.timeline.makespan),
                   ranks.empty() ? scenario.plan().pipeline : int(ranks.size()));
    }
    return kFine;
}

} // namespace chokepoint::cli
