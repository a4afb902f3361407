// SPDX-License-Identifier: Apache-2.0
// What `show` prints of anything: a list of figures, each as text, as JSON and with its source.
#pragma once

#include <chokepoint/hwmodels/gpu_spec.hpp>
#include <chokepoint/workloads/model_arch.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace chokepoint::cli {

struct Figure {
    std::string key, text;
    nlohmann::ordered_json value;
    std::string source;
};

template <int S, int B, int F, int U, int J>
Figure figure(std::string key, hw::Quantity<S, B, F, U, J> value, std::string source) {
    return {std::move(key), hw::to_text(value), value.value(), std::move(source)};
}

inline Figure figure(std::string key, std::int64_t value, std::string source) {
    return {std::move(key), hw::group_digits(static_cast<double>(value)), value, std::move(source)};
}

/// "ESTIMATE: the source (2025-05-14)"; empty without a citation.
inline std::string cited(const std::map<std::string, hw::Citation>& citations, const std::string& key) {
    const auto it = citations.find(key);
    if (it == citations.end()) {
        return {};
    }
    const hw::Citation& citation = it->second;
    return fmt::format("{}{}{}", citation.estimate ? "ESTIMATE: " : "", citation.source,
                       citation.date.empty() ? "" : " (" + citation.date + ")");
}

/// A preset by its name, or a HuggingFace config.json by its path.
/// @throws UsageError if there is no such preset, sim::ScenarioError with every fault of the file.
work::ModelArch model_called(const std::string& name_or_path);

/// Parameters, FLOPs per token of a sequence of this length, and bytes of the key-value cache.
std::vector<Figure> model_figures(const work::ModelArch&, std::int64_t sequence);

} // namespace chokepoint::cli
