// SPDX-License-Identifier: Apache-2.0
// The files of training software as the loader uses them.
#pragma once

#include "reading.hpp"

#include <filesystem>

namespace chokepoint::sim::loader {

/// Reads every file of the folder; ids are unique. @throws ScenarioError with every fault of them
std::vector<Software> load_software(const std::filesystem::path& directory);
const Software* find_software(const Library&, std::string_view id);

/// What most published runs of such a plan had. Needs the file read, and nothing checked.
SoftwareGuess guess_software(const Reading&);
/// Fills what the plan leaves open with what its software does, and guesses the software if it is not named.
/// Needs the cluster and the model checked.
void apply_software(Reading&);

} // namespace chokepoint::sim::loader
