// SPDX-License-Identifier: Apache-2.0
// Options that several commands have in common.
#include "arguments.hpp"

#include <map>

namespace chokepoint::cli {

namespace {

const std::map<std::string, ProgressStyle> kProgressStyles{
    {"auto", ProgressStyle::automatic}, {"json", ProgressStyle::json}, {"none", ProgressStyle::none}};

const std::map<std::string, sim::Fold> kFolds{
    {"auto", sim::Fold::automatic}, {"none", sim::Fold::none}, {"stage", sim::Fold::stage}};

} // namespace

void add_common(CLI::App& command, Common& common, bool scenario) {
    if (scenario) {
        command
            .add_option("--set", common.overrides,
                        "Override a scenario key, as in plan.expert=32; repeatable")
            ->allow_extra_args(false)
            ->type_name("KEY=VALUE");
    }
    command
        .add_option("--catalog", common.catalog_directories,
                    "Also read parts and fabrics from this directory")
        ->allow_extra_args(false)
        ->type_name("DIR");
    command.add_option("--progress", common.progress, "Progress on stderr: auto, json or none")
        ->transform(CLI::CheckedTransformer(kProgressStyles).description(""))
        ->type_name("STYLE");
}

void add_json(CLI::App& command, Common& common) {
    command
        .add_option("--json", common.json, "Write the result as JSON; - is stdout, and then nothing else is")
        ->type_name("FILE");
}

void add_fold(CLI::App& command, Common& common) {
    command
        .add_option(
            "--fold", common.fold,
            "GPUs to simulate: auto (one of each kind), none (every GPU) or stage (one per pipeline rank)")
        ->transform(CLI::CheckedTransformer(kFolds).description(""))
        ->type_name("MODE");
}

void add_caps(CLI::App& command, std::vector<std::string>& caps) {
    command
        .add_option("--cap", caps,
                    "A cap on the part, as in nvlink=200GB/s; repeatable: nvlink, nic, memory_bandwidth, "
                    "fp64, tpp")
        ->allow_extra_args(false)
        ->type_name("KEY=RATE");
}

void add_charts(CLI::App& command, ChartFiles& files) {
    command.add_option("--svg", files.svg, "Draw the result as SVG; - is stdout")->type_name("FILE");
    command.add_option("--png", files.png, "Draw the result as PNG; - is stdout")->type_name("FILE");
    command.add_option("--chart", files.description, "Write the chart's description as JSON; - is stdout")
        ->type_name("FILE");
}

} // namespace chokepoint::cli
