// SPDX-License-Identifier: Apache-2.0
// How each command declares its arguments: one function per group of commands, each in a file of its own.
#pragma once

#include "../commands.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

namespace chokepoint::cli {

/// What runs once the arguments are parsed. A command's callback sets it; the result is the exit code.
using Selected = std::function<int()>;

/// Adds --catalog and --progress, and --set where the command reads a scenario.
void add_common(CLI::App&, Common&, bool scenario);
void add_json(CLI::App&, Common&);
void add_fold(CLI::App&, Common&);
void add_charts(CLI::App&, ChartFiles&);
/// Adds --cap.
void add_caps(CLI::App&, std::vector<std::string>&);

void add_simulation_commands(CLI::App&, Selected&); ///< run, check, trace
void add_comparison_commands(CLI::App&, Selected&); ///< compare, report
void add_rules_command(CLI::App&, Selected&);
void add_schedule_command(CLI::App&, Selected&);
void add_collective_command(CLI::App&, Selected&);
void add_import_command(CLI::App&, Selected&);
void add_validation_commands(CLI::App&, Selected&); ///< validate, calibrate
void add_sweep_commands(CLI::App&, Selected&);      ///< sweep, results, plot, optimize
void add_catalog_commands(CLI::App&, Selected&);    ///< list, show

} // namespace chokepoint::cli
