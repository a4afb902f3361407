// SPDX-License-Identifier: Apache-2.0
// The command line: parses arguments, runs one command, turns exceptions into messages and exit codes.
#include "arguments/arguments.hpp"

#include <chokepoint/hwmodels/build_info.hpp>
#include <chokepoint/sim/scenario.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <exception>

namespace {

using namespace chokepoint;

/// An exception and what it was thrown from, outermost first, one line each.
void print_chain(const std::exception& error) {
    fmt::print(stderr, "chokepoint: {}\n", error.what());
    try {
        std::rethrow_if_nested(error);
    } catch (const std::exception& cause) {
        print_chain(cause);
    }
}

int guarded(const cli::Selected& command) {
    try {
        return command();
    } catch (const sim::ScenarioError& error) {
        for (const sim::Diagnostic& fault : error.faults()) {
            fmt::print(stderr, "{}\n{}{}", sim::to_text(fault), fault.table, fault.table.empty() ? "" : "\n");
        }
        return cli::kWrongInput;
    } catch (const hw::CatalogError& error) {
        fmt::print(stderr, "{}\n", error.what());
        return cli::kWrongInput;
    } catch (const cli::UsageError& error) {
        fmt::print(stderr, "chokepoint: {}\n", error.what());
        return cli::kWrongInput;
    } catch (const std::exception& error) {
        print_chain(error);
        return cli::kFailed;
    }
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"What does a hardware restriction do to the cost of training a model?"};
    app.set_version_flag("--version", fmt::format("chokepoint {} ({})", hw::version(), hw::commit()));
    app.require_subcommand(1);
    app.footer(
        "Example:\n  chokepoint compare scenarios/deepseek-v3-h800.toml scenarios/deepseek-v3-h100.toml");

    cli::Selected selected;
    cli::add_simulation_commands(app, selected);
    cli::add_comparison_commands(app, selected);
    cli::add_sweep_commands(app, selected);
    cli::add_rules_command(app, selected);
    cli::add_schedule_command(app, selected);
    cli::add_collective_command(app, selected);
    cli::add_import_command(app, selected);
    cli::add_validation_commands(app, selected);
    cli::add_catalog_commands(app, selected);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? cli::kFine : cli::kWrongInput;
    }
    return guarded(selected);
}
