// SPDX-License-Identifier: Apache-2.0
// The scenario while it is being filled in: conversions between fields and the table's values.
#include "draft.hpp"

#include <algorithm>
#include <array>

namespace chokepoint::sim::loader {
namespace {

/// A flag of a set, by the name that lists give it, and by another that users may.
template <class Set> struct Part {
    std::string_view name;
    bool Set::* flag;
    std::string_view synonym = {};
};
using work::CudaGraphs;
using work::Recompute;
constexpr std::array kRecomputeParts{
    Part<Recompute>{"norm", &Recompute::norm},
    Part<Recompute>{"attention_up_projection", &Recompute::attention_up_projection},
    Part<Recompute>{"activation", &Recompute::activation},
    Part<Recompute>{"core_attention", &Recompute::core_attention, "selective"},
    Part<Recompute>{"dense_ffn", &Recompute::dense_ffn},
    Part<Recompute>{"moe", &Recompute::moe},
    Part<Recompute>{"shared_experts", &Recompute::shared_experts},
    Part<Recompute>{"layer", &Recompute::layer, "full"},
    Part<Recompute>{"every_second_product", &Recompute::every_second_product},
};
constexpr std::array kCudaGraphParts{
    Part<CudaGraphs>{"attention", &CudaGraphs::attention}, Part<CudaGraphs>{"router", &CudaGraphs::router},
    Part<CudaGraphs>{"dense_ffn", &CudaGraphs::dense_ffn}, Part<CudaGraphs>{"moe", &CudaGraphs::moe},
    Part<CudaGraphs>{"step", &CudaGraphs::step},
};

template <class Parts> std::vector<std::string> names_in(const Parts& parts) {
    std::vector<std::string> names;
    for (const auto& part : parts) {
        names.emplace_back(part.name);
        if (!part.synonym.empty()) {
            names.emplace_back(part.synonym);
        }
    }
    return names;
}
template <class Parts, class Set> Value set_flags(const Parts& parts, const Set& set) {
    std::vector<std::string> names;
    for (const auto& part : parts) {
        if (set.*part.flag) {
            names.emplace_back(part.name);
        }
    }
    return names;
}
template <class Parts, class Set> void set_flags(const Parts& parts, Set& set, const Value& value) {
    const auto& names = std::get<std::vector<std::string>>(value);
    for (const auto& part : parts) {
        set.*part.flag = std::ranges::any_of(names, [&](const std::string& name) {
            return name == part.name || (!name.empty() && name == part.synonym);
        });
    }
}

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

std::vector<std::string> recompute_names() { return names_in(kRecomputeParts); }
Value to_value(const Recompute& recompute) { return set_flags(kRecomputeParts, recompute); }
void assign(Recompute& field, const Value& value) { set_flags(kRecomputeParts, field, value); }

std::vector<std::string> cuda_graph_names() { return names_in(kCudaGraphParts); }
Value to_value(const CudaGraphs& graphs) { return set_flags(kCudaGraphParts, graphs); }
void assign(CudaGraphs& field, const Value& value) { set_flags(kCudaGraphParts, field, value); }

void assign(std::vector<int>& field, const Value& value) {
    const auto& items = std::get<std::vector<std::int64_t>>(value);
    field.clear();
    for (const std::int64_t item : items) {
        field.push_back(static_cast<int>(item));
    }
}

} // namespace chokepoint::sim::loader
