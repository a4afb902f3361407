// SPDX-License-Identifier: Apache-2.0
// Arguments of the commands that hold scenarios against each other: compare, report.
#include "arguments.hpp"

#include "../compare_command.hpp"

#include <memory>
#include <string>

namespace chokepoint::cli {

namespace {

void add_comparison(CLI::App& command, CompareOptions& options) {
    command
        .add_option_function<std::string>(
            "--match", [&options](const std::string& what) { options.match = sim::match_from(what); },
            "Solve for the GPUs of B, C, …: gpus (as many as A), days (ends with A) or usd (costs as much)")
        ->check(CLI::IsMember({"gpus", "days", "usd"}).description(""))
        ->type_name("WHAT");
    command
        .add_option_function<std::string>(
            "--measure", [&options](const std::string& what) { options.measure = sim::measure_from(what); },
            "What to explain: step_seconds, gpu_hours, days or usd; without it dollars where known")
        ->check(CLI::IsMember({"step_seconds", "gpu_hours", "days", "usd"}).description(""))
        ->type_name("WHAT");
}

void add_report(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<ReportOptions>();
    const auto common = std::make_shared<Common>();
    CLI::App* report = app.add_subcommand(
        "report", "Write one HTML page on a scenario, or on several held against the first");
    report->add_option("SCENARIO", options->comparison.scenarios, "Scenario files: A, B, C, …")
        ->required()
        ->type_name("");
    report
        ->add_option("--html", options->html, "The page: self-contained, for a browser or paper; - is stdout")
        ->required()
        ->type_name("FILE");
    report
        ->add_option("--store", options->stores,
                     "Also draw the last sweep of this result store as a cost curve; repeatable")
        ->allow_extra_args(false)
        ->type_name("FILE");
    add_comparison(*report, options->comparison);
    add_common(*report, *common, true);
    add_fold(*report, *common);
    add_json(*report, *common);
    report->footer("Example:\n  chokepoint report scenarios/deepseek-v3-h800.toml "
                   "scenarios/deepseek-v3-h100.toml --html v3.html");
    report->callback([options, common, &selected] {
        selected = [options, common] { return report_command(*options, *common); };
    });
}

} // namespace

void add_comparison_commands(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<CompareOptions>();
    const auto common = std::make_shared<Common>();
    CLI::App* compare = app.add_subcommand(
        "compare", "Run scenarios and explain each one's difference to the first, resource by resource");
    compare->add_option("SCENARIO", options->scenarios, "Two or more scenario files: A, B, C, …")
        ->required()
        ->expected(2, -1)
        ->type_name("");
    add_comparison(*compare, *options);
    compare->add_option("--md", options->markdown, "Write the tables as Markdown; - is stdout")
        ->type_name("FILE");
    compare->add_option("--csv", options->csv, "Write every waterfall as CSV; - is stdout")
        ->type_name("FILE");
    add_charts(*compare, options->charts);
    add_common(*compare, *common, true);
    add_fold(*compare, *common);
    add_json(*compare, *common);
    compare->footer(
        "Example:\n  chokepoint compare scenarios/deepseek-v3-h800.toml scenarios/deepseek-v3-h100.toml");
    add_report(app, selected);
    compare->callback([options, common, &selected] {
        selected = [options, common] { return compare_command(*options, *common); };
    });
}

} // namespace chokepoint::cli
