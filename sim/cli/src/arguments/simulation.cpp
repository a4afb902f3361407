// SPDX-License-Identifier: Apache-2.0
// Arguments of the commands that simulate a scenario: run, check, trace.
#include "arguments.hpp"

#include <memory>
#include <string>
#include <vector>

namespace chokepoint::cli {

namespace {

struct Options {
    Common common;
    std::string scenario;
    std::string trace_output = "trace.json";
    std::vector<int> ranks;
};

CLI::App* add_scenario_command(CLI::App& app, const char* name, const char* summary, Options& options) {
    CLI::App* command = app.add_subcommand(name, summary);
    command->add_option("SCENARIO", options.scenario, "Scenario file (TOML); - is stdin")->required()->type_name("");
    add_common(*command, options.common, true);
    return command;
}

} // namespace

void add_simulation_commands(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<Options>();
    CLI::App* run = add_scenario_command(app, "run", "Simulate one step and print its cost report", *options);
    add_fold(*run, options->common);
    add_json(*run, options->common);
    run->footer(
        "Example:\n  chokepoint run scenarios/deepseek-v3-h800.toml --set 'cluster.caps.nic=200 Gb/s'");
    run->callback([options, &selected] {
        selected = [options] { return run_command(options->scenario, options->common); };
    });

    CLI::App* check = add_scenario_command(
        app, "check", "Validate a scenario and print every value with its origin", *options);
    add_json(*check, options->common);
    check->footer("Example:\n  chokepoint check scenarios/deepseek-v3-h800.toml");
    check->callback([options, &selected] {
        selected = [options] { return check_command(options->scenario, options->common); };
    });

    CLI::App* trace =
        add_scenario_command(app, "trace", "Write the step's timeline for ui.perfetto.dev", *options);
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
