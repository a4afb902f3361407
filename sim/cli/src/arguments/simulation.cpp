// SPDX-License-Identifier: Apache-2.0
// Arguments of the commands that simulate a scenario: run, check, trace.
#include "arguments.hpp"

#include <memory>
#include <string>
#include <vector>

namespace chokepoint::cli {

namespace {

struct SimulationArguments {
    Common common;
    RunCommandOptions run;
    std::string scenario;
    std::string trace_output = "trace.json";
    std::vector<int> ranks;
};

CLI::App* add_scenario_command(CLI::App& app, const char* name, const char* summary, std::string& scenario,
                               Common& common) {
    CLI::App* command = app.add_subcommand(name, summary);
    command->add_option("SCENARIO", scenario, "Scenario file (TOML); - is stdin")->required()->type_name("");
    add_common(*command, common, true);
    return command;
}

void add_run(CLI::App& app, Selected& selected, const std::shared_ptr<SimulationArguments>& options) {
    RunCommandOptions& o = options->run;
    CLI::App* run = add_scenario_command(app, "run", "Simulate one step and print its cost report",
                                         o.scenario, options->common);
    CLI::Option* draws =
        run->add_option("--monte-carlo", o.monte_carlo.trials,
                        "Check how sure the figures are: simulate so many draws of all inputs, "
                        "in parallel processes")
            ->check(CLI::Range(1, 1'000'000).description(""))
            ->type_name("N");
    run->add_option("--seed", o.monte_carlo.seed, "Of the draws; 1 if not given")
        ->type_name("N")
        ->needs(draws);
    run->add_option("--jobs", o.monte_carlo.jobs,
                    "Processes at a time; as many as there are cores if not given")
        ->check(CLI::Range(1, 1024).description(""))
        ->type_name("N")
        ->needs(draws);
    add_charts(*run, o.charts);
    add_fold(*run, options->common);
    add_json(*run, options->common);
    run->footer(
        "--svg and --png draw what each input moves of the headline figure.\n\n"
        "Example:\n  chokepoint run scenarios/deepseek-v3-h800.toml --set 'cluster.caps.nic=200 Gb/s'");
    run->callback([options, &selected] {
        selected = [options] { return run_command(options->run, options->common); };
    });
}

} // namespace

void add_simulation_commands(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<SimulationArguments>();
    add_run(app, selected, options);
    CLI::App* check =
        add_scenario_command(app, "check", "Validate a scenario and print every value with its origin",
                             options->scenario, options->common);
    add_json(*check, options->common);
    check->footer("Example:\n  chokepoint check scenarios/deepseek-v3-h800.toml");
    check->callback([options, &selected] {
        selected = [options] { return check_command(options->scenario, options->common); };
    });

    CLI::App* trace = add_scenario_command(app, "trace", "Write the step's timeline for ui.perfetto.dev",
                                           options->scenario, options->common);
    trace->add_option("-o,--output", options->trace_output, "Trace file; - is stdout")->capture_default_str();
    add_fold(*trace, options->common);
    trace->add_option("--ranks", options->ranks, "Only these pipeline ranks, as in 0,7,15")->delimiter(',');
    trace->footer("Example:\n  chokepoint trace scenarios/deepseek-v3-h800.toml --ranks 0,7 -o v3.json");
    trace->callback([options, &selected] {
        selected = [options] {
            return trace_command(options->scenario, options->trace_output, options->ranks, options->common);
        };
    });
}

} // namespace chokepoint::cli
