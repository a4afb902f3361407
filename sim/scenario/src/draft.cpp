// SPDX-License-Identifier: Apache-2.0
// The scenario while it is being filled in: conversions between fields and the table's values.
#include "draft.hpp"

#include <algorithm>
#include <array>

namespace chokepoint::sim::loader {
namespace {

struct RecomputePart {
    std::string_view name;
    bool work::Recompute::* flag;
};
constexpr std::array kRecomputeParts{
    RecomputePart{"norm", &work::Recompute::norm},
    RecomputePart{"attention_up_projection", &work::Recompute::attention_up_projection},
    RecomputePart{"activation", &work::Recompute::activation},
    RecomputePart{"core_attention", &work::Recompute::core_attention},
    RecomputePart{"dense_ffn", &work::Recompute::dense_ffn},
    RecomputePart{"moe", &work::Recompute::moe},
    RecomputePart{"shared_experts", &work::Recompute::shared_experts},
    RecomputePart{"layer", &work::Recompute::layer},
};

} // namespace

const work::ModelArch* find_preset(const Library& library, std::string_view id) {
    const auto found = std::find_if(library.presets.begin(), library.presets.end(),
                                    [&](const work::ModelArch& preset) { return preset.id == id; });
    return found == library.presets.end() ? nullptr : &*found;
}

std::string_view name(ComputeModel model) {
    return model == ComputeModel::calibrated ? "calibrated" : "roofline";
}

std::optional<ComputeModel> compute_model_from(std::string_view text) {
    for (const ComputeModel model : {ComputeModel::calibrated, ComputeModel::roofline}) {
        if (name(model) == text) {
            return model;
        }
    }
    return std::nullopt;
}

std::vector<std::string> recompute_names() {
    std::vector<std::string> names;
    for (const RecomputePart& part : kRecomputeParts) {
        names.emplace_back(part.name);
    }
    return names;
}

Value to_value(const work::Recompute& recompute) {
    std::vector<std::string> names;
    for (const RecomputePart& part : kRecomputeParts) {
        if (recompute.*part.flag) {
            names.emplace_back(part.name);
        }
    }
    return names;
}

void assign(work::Recompute& field, const Value& value) {
    const auto& names = std::get<std::vector<std::string>>(value);
    for (const RecomputePart& part : kRecomputeParts) {
        field.*part.flag = std::find(names.begin(), names.end(), part.name) != names.end();
    }
}

void assign(std::vector<int>& field, const Value& value) {
    const auto& items = std::get<std::vector<std::int64_t>>(value);
    field.clear();
    for (const std::int64_t item : items) {
        field.push_back(static_cast<int>(item));
    }
}

} // namespace chokepoint::sim::loader
