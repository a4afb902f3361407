// SPDX-License-Identifier: Apache-2.0
// Arguments of import.
#include "arguments.hpp"

#include "../collective_command.hpp"
#include "../kineto_command.hpp"

#include <memory>

namespace chokepoint::cli {

namespace {

void add_import_options(CLI::App& command, ImportOptions& options) {
    command.add_option("FILE", options.file, "nccl-tests' output, of one or several programs")
        ->required()
        ->type_name("");
    command.add_option("--gpu", options.gpu, "Part; without it by the device that the file names")
        ->type_name("PART");
    command.add_option("--op", options.op, "Operation, where the file does not say it")
        ->type_name("OPERATION");
    command.add_option("--cap", options.caps, "A cap on the part, as in nvlink=400GB/s; repeatable")
        ->allow_extra_args(false)
        ->type_name("KEY=RATE");
    command.add_option("--out", options.out, "Rates file to write; without it stdout")->type_name("FILE");
}

struct ImportArguments {
    Common common;
    ImportOptions import;
};

struct KinetoArguments {
    Common common;
    KinetoOptions kineto;
};

void add_kineto_options(CLI::App& command, KinetoOptions& options) {
    command.add_option("FILE", options.file, "A trace that PyTorch's profiler exported; it may be gzipped")
        ->required()
        ->type_name("");
    command.add_option("--against", options.against, "Also print what this scenario predicts, by class")
        ->type_name("SCENARIO");
    command
        .add_option("--pair", options.pair,
                    "The profile shows one overlapped forward and backward of so many MoE layers, not a step")
        ->check(CLI::PositiveNumber)
        ->type_name("LAYERS");
    command
        .add_option("--rank", options.rank, "Pipeline rank of the profile; without it the mean over ranks")
        ->check(CLI::NonNegativeNumber)
        ->type_name("N");
    command
        .add_option("--count", options.count,
                    "Steps in the profile; without it those that the profiler marked (of pairs: one)")
        ->check(CLI::PositiveNumber)
        ->type_name("N");
    command.add_option("--device", options.device, "GPU, where the profile has kernels of several")
        ->type_name("N");
    command
        .add_option("--rules", options.rules,
                    "Table of kernel names instead of the shipped kernel_rules/kineto.toml")
        ->type_name("FILE");
    command.add_option("--csv", options.csv, "Write every table as one CSV; - is stdout")->type_name("FILE");
    command
        .add_option("--trace", options.trace,
                    "Write the kernels by class as a timeline for ui.perfetto.dev; - is stdout")
        ->type_name("FILE");
}

void add_kineto_command(CLI::App& import, Selected& selected) {
    const auto options = std::make_shared<KinetoArguments>();
    CLI::App* kineto =
        import.add_subcommand("kineto", "Where a profile of real training spent its time, by operator class");
    add_kineto_options(*kineto, options->kineto);
    add_common(*kineto, options->common, true);
    add_json(*kineto, options->common);
    kineto->footer(
        "Example:\n  chokepoint import kineto trace.json.gz --against scenarios/deepseek-v3-h800.toml");
    kineto->callback([options, &selected] {
        selected = [options] { return import_kineto_command(options->kineto, options->common); };
    });
}

} // namespace

void add_import_command(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<ImportArguments>();
    CLI::App* import =
        app.add_subcommand("import", "Read measurements of your own: transfer rates, profiles of training");
    import->require_subcommand(1);
    CLI::App* nccl_tests = import->add_subcommand(
        "nccl-tests", "Fit transfer rates to nccl-tests' output; a scenario names them as cluster.transfers");
    add_import_options(*nccl_tests, options->import);
    add_common(*nccl_tests, options->common, false);
    add_json(*nccl_tests, options->common);
    nccl_tests->footer("Example:\n  chokepoint import nccl-tests all_reduce.txt --out my-cluster.toml");
    nccl_tests->callback([options, &selected] {
        selected = [options] { return import_nccl_tests_command(options->import, options->common); };
    });
    add_kineto_command(*import, selected);
}

} // namespace chokepoint::cli
