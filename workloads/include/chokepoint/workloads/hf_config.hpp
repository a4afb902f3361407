// SPDX-License-Identifier: Apache-2.0
// Takes the architecture of a model from the config.json that HuggingFace keeps beside its weights.
#pragma once

#include <chokepoint/workloads/model_arch.hpp>

#include <span>

namespace chokepoint::work {

struct ConfigFault {
    int line = 1; ///< of the field it is about; 1 if it is about none
    std::string message;
};

/// Either the model or everything that is wrong with the file.
struct ConfigReading {
    std::optional<ModelArch> model;
    std::vector<ConfigFault> faults;
};

/// Never throws for what a file holds: an unreadable file, broken JSON, an unknown model_type and fields that
/// are missing, unknown, null, of the wrong type or out of range are faults.
ConfigReading read_hf_config(const std::filesystem::path&);
/// The same from text; `id` and `source` become the model's.
ConfigReading parse_hf_config(std::string_view text, const std::string& id, const std::string& source);

/// The values of model_type that are understood, in the order the documentation lists them.
std::span<const std::string_view> hf_model_types();

} // namespace chokepoint::work
