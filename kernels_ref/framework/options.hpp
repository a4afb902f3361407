// SPDX-License-Identifier: Apache-2.0
// kref's command line.
#pragma once

#include "framework/measurement.hpp"

#include <optional>
#include <string>
#include <vector>

namespace chokepoint::kref {

enum class Command { help, list, check, run, all };

struct Options {
    Command command = Command::help;
    std::string filter;       ///< of kernel names; empty for all
    std::optional<Mode> mode; ///< `run`: one mode; all of them if not given
    Seconds budget{600};
    std::optional<int> sm_limit; ///< SMs that kernels may use
    std::string json;            ///< path, or "-"; empty for none
    std::string commit;
    std::optional<std::uint64_t> seed;
};

/// @throws std::invalid_argument saying which argument is wrong and what was expected.
Options parse_options(const std::vector<std::string>& arguments);
std::string help_text();
/// One line for each kernel: name, class, number format, implementation, number of shapes, summary.
std::string list_text(const std::string& filter);

} // namespace chokepoint::kref
