// SPDX-License-Identifier: Apache-2.0
// What `show model` says of an architecture.
#include "figures.hpp"

#include "result.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/scenario.hpp>
#include <chokepoint/workloads/hf_config.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace chokepoint::cli {
namespace {

Figure count_figure(const char* key, std::int64_t count, std::string remark = "") {
    return {key, hw::group_digits(static_cast<double>(count)), count, std::move(remark)};
}

Figure text_figure(const char* key, std::string_view text, std::string remark = "") {
    return {key, std::string(text), text, std::move(remark)};
}

void add_shape(std::vector<Figure>& out, const work::ModelArch& model) {
    const work::Attention& a = model.attention;
    out.push_back({"source", "", model.source, model.source});
    out.push_back(count_figure("layers", model.layers));
    out.push_back(count_figure("layers.moe", work::moe_layers(model)));
    if (!model.pattern.empty()) {
        const work::StateSpace& s = model.state_space;
        out.push_back(text_figure("pattern", model.pattern, "M Mamba-2, * attention, - FFN, E experts"));
        out.push_back(count_figure("mamba.heads", s.heads,
                                   fmt::format("of {}, state {}, {} groups", s.head_dim, s.state, s.groups)));
    }
    out.push_back(count_figure("hidden", model.hidden));
    const std::string heads =
        a.kind == work::AttentionKind::mla
            ? fmt::format("{} heads", a.heads)
            : fmt::format("{} heads of {}, {} of keys", a.heads, a.head_dim, a.kv_heads);
    out.push_back(text_figure("attention", work::name(a.kind), heads));
    if (a.window > 0) {
        out.push_back(count_figure("attention.window", a.window,
                                   a.full_every > 0
                                       ? fmt::format("tokens; one layer in {} sees all", a.full_every)
                                       : "tokens, in all layers"));
    }
    out.push_back(text_figure("activation", work::name(model.activation),
                              model.gated_ffn ? "gated: three matrices" : "two matrices"));
    out.push_back(text_figure("norm", work::name(model.norm)));
    out.push_back(text_figure("block", work::name(model.block)));
}

void add_parameters(std::vector<Figure>& out, const work::ModelArch& model) {
    const work::ParameterCount count = work::count_parameters(model);
    out.push_back(count_figure("parameters", count.total, "without MTP modules"));
    out.push_back(count_figure("parameters.active", count.active,
                               "touched by one token, the head included, the embedding's lookup not"));
    out.push_back(count_figure("parameters.active_with_embedding",
                               count.active + (model.tied_embeddings ? 0 : count.embedding),
                               "as some authors count"));
    out.push_back(count_figure("parameters.mtp", count.mtp));
    out.push_back(count_figure("dense_layer", count.dense_layer));
    if (count.state_space_layer > 0) {
        out.push_back(count_figure("mamba_layer", count.state_space_layer));
    }
    out.push_back(count_figure("moe_layer", count.moe_layer));
    out.push_back(count_figure("moe_layer.active", count.moe_layer_active));
    out.push_back(count_figure("attention_per_layer", count.attention_per_layer));
    out.push_back(count_figure("norms_per_layer", count.norms_per_layer));
    out.push_back(count_figure("dense_ffn_per_layer", count.dense_ffn_per_layer));
    out.push_back(count_figure("expert", count.expert, fmt::format("one of {}", model.moe.experts)));
    out.push_back(count_figure("shared_experts_per_layer", count.shared_experts_per_layer));
    out.push_back(count_figure("router_per_layer", count.router_per_layer));
    out.push_back(
        count_figure("embedding", count.embedding,
                     model.tied_embeddings ? "shared with the head" : "and a head of the same size"));
    out.push_back(count_figure("positions", count.positions));
}

} // namespace

work::ModelArch model_called(const std::string& name_or_path) {
    if (name_or_path.ends_with(".json")) {
        work::ConfigReading reading = work::read_hf_config(name_or_path);
        if (reading.model) {
            return std::move(*reading.model);
        }
        std::vector<sim::Diagnostic> faults;
        for (const work::ConfigFault& fault : reading.faults) {
            faults.push_back({name_or_path, fault.line, 1, fault.message});
        }
        throw sim::ScenarioError(std::move(faults));
    }
    const std::vector<work::ModelArch> presets = work::load_presets(hw::data_path("models"));
    const auto preset = std::ranges::find(presets, name_or_path, &work::ModelArch::id);
    if (preset == presets.end()) {
        std::vector<std::string> known;
        std::ranges::transform(presets, std::back_inserter(known), &work::ModelArch::id);
        known.emplace_back("or the path of a config.json");
        throw unknown("model", name_or_path, known);
    }
    return *preset;
}

std::vector<Figure> model_figures(const work::ModelArch& model, std::int64_t sequence) {
    std::vector<Figure> out;
    add_shape(out, model);
    add_parameters(out, model);
    for (const bool causal : {true, false}) {
        constexpr double kGiga = 1e9;
        const double gflop = work::training_flops_per_token(model, sequence, causal).value() / kGiga;
        out.push_back({causal ? "gflop_per_token.causal" : "gflop_per_token.full",
                       fmt::format("{:.1f}", gflop), gflop,
                       fmt::format("forward and backward at {} tokens, without MTP and router", sequence)});
    }
    const hw::Bytes cache = work::kv_bytes_per_token(model);
    constexpr double kKilo = 1e3;
    out.push_back({"kv_bytes_per_token", fmt::format("{:.3f} kB", cache.value() / kKilo), cache.value(),
                   model.attention.window > 0
                       ? fmt::format("BF16, for the last {} tokens{}", model.attention.window,
                                     model.attention.full_every > 0 ? " in layers with the window" : "")
                       : "BF16, all layers"});
    return out;
}

} // namespace chokepoint::cli
