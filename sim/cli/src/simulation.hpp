// SPDX-License-Identifier: Apache-2.0
// What every command that simulates scenarios does before it runs one.
#pragma once

#include "commands.hpp"
#include "output_file.hpp"

#include <chokepoint/sim/run.hpp>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace chokepoint::cli {

/// Loads with --set and --catalog, and prints warnings.
sim::Scenario load_with_warnings(const std::string& file, const Common&);

/// A file of an option, opened before any work; nothing if it was not asked for.
std::unique_ptr<OutputFile> open_output(const std::string& file);

/// Whether one of these files is standard output. @throws UsageError if several are
bool one_on_stdout(std::initializer_list<std::string_view> files);

sim::RunOptions run_options(Progress&, const Common&);

} // namespace chokepoint::cli
