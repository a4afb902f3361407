// SPDX-License-Identifier: Apache-2.0
// Arguments of schedule.
#include "arguments.hpp"

#include <memory>

namespace chokepoint::cli {

namespace {

void add_schedule_options(CLI::App& command, ScheduleOptions& options) {
    command
        .add_option("NAME", options.name, "As `chokepoint list schedules` prints it, or a PyTorch CSV file")
        ->required()
        ->type_name("");
    command.add_option("--pp", options.ranks, "Pipeline ranks")->type_name("COUNT");
    command.add_option("--micro-batches", options.micro_batches, "Micro-batches of one step")
        ->type_name("COUNT");
    command.add_option("--virtual", options.virtual_stages, "Stages of each rank, for interleaved-1f1b")
        ->type_name("COUNT");
    command.add_option("--group", options.group, "Micro-batches in a row on one stage, for interleaved-1f1b")
        ->type_name("COUNT");
    command
        .add_option("--times", options.times,
                    "Times of a stage's forward, input gradient and weight gradient, as in 1,1.2,0.8; 1 each")
        ->delimiter(',')
        ->type_name("F,I,W");
    command.add_option("--csv", options.csv, "Write the order as PyTorch's pipelining CSV; - is stdout")
        ->type_name("FILE");
    add_charts(command, options.charts);
}

struct ScheduleArguments {
    Common common;
    ScheduleOptions schedule;
};

} // namespace

void add_schedule_command(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<ScheduleArguments>();
    CLI::App* schedule =
        app.add_subcommand("schedule", "Print, draw or write the order of a pipeline schedule");
    add_schedule_options(*schedule, options->schedule);
    add_common(*schedule, options->common, false);
    add_json(*schedule, options->common);
    schedule->footer("Example:\n  chokepoint schedule dualpipe --pp 8 --micro-batches 20 --svg dualpipe.svg");
    schedule->callback([options, &selected] {
        selected = [options] { return schedule_command(options->schedule, options->common); };
    });
}

} // namespace chokepoint::cli
