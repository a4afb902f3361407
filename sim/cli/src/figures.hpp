// SPDX-License-Identifier: Apache-2.0
// What `show` prints of anything: a list of figures, each as text, as JSON and with its source.
#pragma once

#include <chokepoint/workloads/model_arch.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace chokepoint::cli {

struct Figure {
    std::string key, text;
    nlohmann::ordered_json value;
    std::string source;
};

/// A preset by its name, or a HuggingFace config.json by its path.
/// @throws UsageError if there is no such preset, sim::ScenarioError with every fault of the file.
work::ModelArch model_called(const std::string& name_or_path);

/// Parameters, FLOPs per token of a sequence of this length, and bytes of the key-value cache.
std::vector<Figure> model_figures(const work::ModelArch&, std::int64_t sequence);

} // namespace chokepoint::cli
