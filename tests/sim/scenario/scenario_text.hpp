// SPDX-License-Identifier: Apache-2.0
// A scenario that loads, for tests to change one thing in, and the faults of one that does not.
#pragma once

#include <chokepoint/sim/scenario.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::test {

inline const std::filesystem::path kSource = CHOKEPOINT_SOURCE_DIR;

inline constexpr std::string_view kValid = R"(title = "V3-like on 256 x 8 H800"
[cluster]
gpu = "h800-sxm"
nodes = 256
[model]
arch = "deepseek-v3"
[plan]
pipeline = 16
expert = 64
schedule = "dualpipe"
micro_batch = 1
global_batch = 15360
precision = "fp8-block"
recompute = ["norm", "attention_up_projection", "activation"]
)";

inline sim::Scenario load(std::vector<std::string> overrides = {}, std::string_view text = kValid) {
    return sim::parse_scenario(text, "v3.toml", {std::move(overrides), {}});
}

/// One line per fault, as a user reads them; empty if the scenario loads.
inline std::vector<std::string> faults_of(std::string_view text, std::vector<std::string> overrides = {}) {
    std::vector<std::string> lines;
    try {
        load(std::move(overrides), text);
    } catch (const sim::ScenarioError& error) {
        for (const sim::Diagnostic& fault : error.faults()) {
            lines.push_back(sim::to_text(fault));
        }
    }
    return lines;
}

inline const sim::ResolvedValue& value(const sim::Scenario& scenario, std::string_view key) {
    const auto& all = scenario.resolved();
    const auto found = std::ranges::find_if(all, [&](const auto& v) { return v.key == key; });
    if (found == all.end()) {
        throw std::out_of_range("no resolved value is called " + std::string(key));
    }
    return *found;
}

inline std::string read_text(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        throw std::runtime_error("cannot read " + file.string());
    }
    return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<std::filesystem::path> toml_files(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".toml") {
            files.push_back(entry.path());
        }
    }
    if (files.empty()) {
        throw std::runtime_error("no .toml file in " + folder.string());
    }
    return files;
}

} // namespace chokepoint::test
