// SPDX-License-Identifier: Apache-2.0
// What the commands that look at the catalog share: where a result goes, and how an unknown name is refused.
#pragma once

#include "commands.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::cli {

/// Version, commit and catalog hash, as every command's JSON carries them.
nlohmann::ordered_json program_json(const std::string& catalog_hash);

/// Prints text, or commits JSON, or both when the JSON goes to a file.
void emit(const Common&, const nlohmann::ordered_json&, const std::string& text);

/// "no gpu is called 'h900'; expected one of …"
UsageError unknown(std::string_view what, const std::string& found, const std::vector<std::string>& expected);

} // namespace chokepoint::cli
