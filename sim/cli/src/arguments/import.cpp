// SPDX-License-Identifier: Apache-2.0
// Arguments of import.
#include "arguments.hpp"

#include "../collective_command.hpp"

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

struct Options {
    Common common;
    ImportOptions import;
};

} // namespace

void add_import_command(CLI::App& app, Selected& selected) {
    const auto options = std::make_shared<Options>();
    CLI::App* import =
        app.add_subcommand("import", "Turn measurements of your own into files that a scenario names");
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
}

} // namespace chokepoint::cli
