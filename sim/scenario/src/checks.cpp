// SPDX-License-Identifier: Apache-2.0
// Checks of the hardware, the model and the campaign that need more than one key.
#include "reading.hpp"

#include <chokepoint/hwmodels/idle_caps.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace chokepoint::sim::loader {
namespace {

/// SMs that dispatch and combine hold: 20 of an H800's 132 (arXiv 2412.19437, section 3.2.2), in proportion
/// on other parts. DeepEP gives each channel a pair of SMs, so the number is even.
int default_communication_sms(int sm_count) {
    return 2 * static_cast<int>(std::lround(sm_count * 20.0 / 132.0 / 2.0));
}

/// What published software stacks add to kernels on an architecture: the median of their medians, as
/// `chokepoint validate --overhead` prints it; elsewhere that of all stacks.
double default_framework_overhead(std::string_view architecture) {
    struct Share {
        std::string_view architecture;
        double overhead;
    };
    constexpr std::array kShares{Share{"ampere", 0.18}, Share{"hopper", 0.18}, Share{"blackwell", 0.11}};
    constexpr double kAllStacks = 0.16;
    const auto* found = std::ranges::find(kShares, architecture, &Share::architecture);
    return found == kShares.end() ? kAllStacks : found->overhead;
}

/// Curves of other architectures change nothing.
void check_fits(Reading& reading, const hw::GpuSpec& gpu) {
    const auto& fits = reading.draft.own_fits;
    const auto has = [&](std::string_view name) {
        return std::ranges::find(fits->architectures, name) != fits->architectures.end();
    };
    // Every architecture takes from Hopper's what it lacks: its memory-bound kernels.
    if (fits && !has(gpu.architecture) && !has("hopper")) {
        reading.warn("cluster.fits", fmt::format("fits: '{}' has curves of {} and none that {} ({}) takes",
                                                 fits->folder.string(), fmt::join(fits->architectures, ", "),
                                                 gpu.id, gpu.architecture));
    }
}

/// Fills what the file leaves open about the node from the named node, or the one that the catalog puts the
/// part in.
void fill_node(Reading& reading) {
    const hw::NodeEntry* usual = node_entry(reading.draft, reading.library.catalog);
    if (usual == nullptr || !reading.sound({"cluster.node"})) {
        return;
    }
    const auto fill = [&](std::string_view path, const std::string& field, const Value& value) {
        const Slot& slot = reading.slot(path);
        if (!slot.given && slot.sound) {
            reading.derive(path, value, cite(usual->id, usual->citations, field), Origin::catalog);
        }
    };
    fill("cluster.gpus_per_node", "gpus", to_value(usual->node.gpus));
    fill("cluster.nics_per_node", "nics", to_value(usual->node.nics));
    fill("cluster.nic", "nic", to_value(usual->node.nic));
    fill("cluster.nvlink_latency", "nvlink_latency", to_value(usual->node.nvlink_latency));
    fill("cluster.host_link", "host_link", to_value(usual->node.host_link));
    fill("cluster.host_memory", "host_memory", to_value(usual->node.host_memory));
    fill("cluster.host_call", "host_call", to_value(usual->node.host_call));
}

void check_caps(Reading& reading, const hw::GpuSpec& gpu) {
    const Draft& draft = reading.draft;
    hw::Node node;
    node.gpu = gpu;
    const bool nic_known = reading.sound({"cluster.nic"});
    node.nic = draft.nic;
    bool idle_fp64 = false;
    for (const hw::IdleCap& cap : hw::idle_caps(draft.caps, node)) {
        idle_fp64 = idle_fp64 || cap.key == "fp64";
        if (cap.key != "nic" || nic_known) {
            reading.warn("cluster.caps." + cap.key, cap.why);
        }
    }
    if (draft.caps.fp64 && !idle_fp64 && reading.sound({"cluster.caps.fp64"})) {
        reading.warn("cluster.caps.fp64", "no kernel of a training step runs in FP64: caps.fp64 changes what "
                                          "export rules say of the part, and no time");
    }
}

void need_positive(Reading& reading, std::string_view path, std::string_view because) {
    const Value value = reading.slot(path).key->field.get(reading.draft);
    if (!reading.sound({path}) || std::get<std::int64_t>(value) != 0) {
        return;
    }
    const bool absent = reading.slot(path).origin == Origin::default_;
    reading.fault(path, absent ? fmt::format("missing key '{}' in [model]: needed {}", label(path), because)
                               : fmt::format("{} is 0; expected at least 1, {}", label(path), because));
}

void check_attention(Reading& reading) {
    if (!reading.sound({"model.attention.kind", "model.attention.heads"})) {
        return;
    }
    const work::Attention& attention = reading.draft.model.attention;
    const std::string because = fmt::format("since attention.kind is {}", work::name(attention.kind));
    if (attention.kind == work::AttentionKind::mla) {
        for (const std::string_view path : {"model.attention.kv_lora_rank", "model.attention.qk_nope_dim",
                                            "model.attention.qk_rope_dim", "model.attention.v_dim"}) {
            need_positive(reading, path, because);
        }
        for (const std::string_view path : {"model.attention.qkv_bias", "model.attention.qk_norm"}) {
            if (reading.sound({path}) && std::get<bool>(reading.slot(path).key->field.get(reading.draft))) {
                reading.fault(path, fmt::format("{} is true; expected false, {}", label(path), because));
            }
        }
        return;
    }
    need_positive(reading, "model.attention.head_dim", because);
    if (attention.kind == work::AttentionKind::mha) {
        if (attention.kv_heads == 0) {
            reading.derive("model.attention.kv_heads", to_value(attention.heads), "mha: equals heads");
        } else if (attention.kv_heads != attention.heads) {
            reading.fault("model.attention.kv_heads",
                          fmt::format("attention.kv_heads ({}) differs from heads ({}); "
                                      "expected kind = \"gqa\"",
                                      attention.kv_heads, attention.heads));
        }
        return;
    }
    need_positive(reading, "model.attention.kv_heads", because);
    if (attention.kv_heads > 0 && attention.heads % attention.kv_heads != 0) {
        reading.fault("model.attention.kv_heads",
                      fmt::format("attention.kv_heads ({}) does not divide the {} heads", attention.kv_heads,
                                  attention.heads));
    }
}

void check_experts(Reading& reading) {
    const work::Moe& moe = reading.draft.model.moe;
    if (!reading.sound({"model.moe.experts"}) || moe.experts == 0) {
        return;
    }
    const std::string because = fmt::format("since moe.experts is {}", moe.experts);
    need_positive(reading, "model.moe.top_k", because);
    need_positive(reading, "model.moe.ffn_hidden", because);
    if (reading.sound({"model.moe.top_k"}) && moe.top_k > moe.experts) {
        reading.fault("model.moe.top_k",
                      fmt::format("moe.top_k ({}) exceeds the {} routed experts", moe.top_k, moe.experts));
    }
    if (reading.sound({"model.moe.shared_ffn_hidden"}) && moe.shared_ffn_hidden > 0) {
        need_positive(reading, "model.moe.shared_experts",
                      fmt::format("since moe.shared_ffn_hidden is {}", moe.shared_ffn_hidden));
    }
}

/// A pattern says what each layer has.
void check_pattern(Reading& reading) {
    const work::ModelArch& model = reading.draft.model;
    if (reading.slot("model.mamba.heads").given && !work::has_letter(model, 'M')) {
        reading.warn(
            "model.mamba.heads",
            "no layer is a Mamba-2 mixer: model.mamba changes nothing without an M in model.pattern");
    }
    if (model.pattern.empty() || !reading.sound({"model.pattern", "model.layers"})) {
        return;
    }
    if (const auto other = model.pattern.find_first_not_of(work::kPatternLetters);
        other != std::string::npos) {
        reading.fault(
            "model.pattern",
            fmt::format("pattern has '{}' at place {}; expected M (Mamba-2), * (attention), - (dense "
                        "FFN) or E (experts)",
                        model.pattern[other], other + 1));
    }
    if (std::ssize(model.pattern) != model.layers) {
        reading.fault("model.pattern", fmt::format("pattern has {} letters; expected {}, one for each layer",
                                                   model.pattern.size(), model.layers));
    }
    for (const std::string_view path : {"model.dense_layers", "model.moe.every"}) {
        if (reading.slot(path).given) {
            reading.fault(path,
                          fmt::format("{} is given beside model.pattern, which says what each layer has; "
                                      "expected one of them",
                                      label(path)));
        }
    }
    if (work::has_letter(model, 'M')) {
        for (const std::string_view path :
             {"model.mamba.heads", "model.mamba.head_dim", "model.mamba.state"}) {
            need_positive(reading, path, "since model.pattern has M");
        }
        if (reading.sound({"model.mamba.heads", "model.mamba.groups"}) &&
            model.state_space.heads % model.state_space.groups != 0) {
            reading.fault("model.mamba.groups",
                          fmt::format("mamba.groups ({}) does not divide the {} heads",
                                      model.state_space.groups, model.state_space.heads));
        }
    }
    if (work::has_letter(model, 'E')) {
        need_positive(reading, "model.moe.experts", "since model.pattern has E");
    }
    if (work::has_letter(model, '-') || (model.mtp_modules > 0 && model.moe.experts == 0)) {
        need_positive(reading, "model.dense_ffn_hidden",
                      work::has_letter(model, '-') ? "since model.pattern has -"
                                                   : "by the MTP modules' layer");
    }
}

void check_dense_layers(Reading& reading) {
    if (!reading.draft.model.pattern.empty()) {
        return;
    }
    if (!reading.sound({"model.layers", "model.dense_layers", "model.moe.experts"})) {
        return;
    }
    const work::ModelArch& model = reading.draft.model;
    const Slot& slot = reading.slot("model.dense_layers");
    if (model.moe.experts == 0 && !slot.given && slot.origin == Origin::default_) {
        reading.derive("model.dense_layers", to_value(model.layers), "a model without experts: all layers");
    }
    if (model.dense_layers > model.layers) {
        reading.fault("model.dense_layers", fmt::format("dense_layers ({}) exceeds the {} layers",
                                                        model.dense_layers, model.layers));
    } else if (model.moe.experts == 0 && model.dense_layers != model.layers) {
        reading.fault(
            "model.dense_layers",
            fmt::format("dense_layers ({}) leaves {} layers to experts, and moe.experts is 0; expected {}",
                        model.dense_layers, model.layers - model.dense_layers, model.layers));
    }
    if (model.dense_layers > 0) {
        need_positive(reading, "model.dense_ffn_hidden",
                      fmt::format("since dense_layers is {}", model.dense_layers));
    } else if (reading.sound({"model.moe.every"}) && model.moe.every > 1) {
        need_positive(reading, "model.dense_ffn_hidden",
                      fmt::format("since moe.every is {}", model.moe.every));
    }
}

/// Sequences of the first steps: they must split over the same replicas as those of plan.global_batch.
void check_ramp(Reading& reading) {
    const Draft& draft = reading.draft;
    const std::int64_t ramp_from = draft.campaign.ramp_from.value_or(0);
    if (reading.sound({"plan.global_batch"}) && ramp_from > draft.plan.global_batch) {
        reading.fault("campaign.ramp_from", fmt::format("ramp_from ({}) exceeds plan.global_batch ({})",
                                                        ramp_from, draft.plan.global_batch));
        return;
    }
    if (draft.plan.data == 0 || !reading.sound({"plan.micro_batch", "plan.pipeline", "plan.schedule",
                                                "plan.virtual_stages", "plan.micro_batch_group"})) {
        return;
    }
    const std::int64_t per_round = std::int64_t{draft.plan.data} * draft.plan.micro_batch;
    if (ramp_from % per_round != 0) {
        reading.fault("campaign.ramp_from",
                      fmt::format("ramp_from ({}) is not a multiple of data x micro_batch ({} x {})",
                                  ramp_from, draft.plan.data, draft.plan.micro_batch));
        return;
    }
    const auto micro_batches = static_cast<int>(ramp_from / per_round);
    const std::string reason = work::schedule_fault(draft.plan, micro_batches);
    if (!reason.empty()) {
        reading.fault("campaign.ramp_from", fmt::format("ramp_from ({}): {}", ramp_from, reason));
    }
}

} // namespace

bool in_a_rack(const Reading& reading) {
    constexpr int kBoard = 8;
    const hw::NodeEntry* node = node_entry(reading.draft, reading.library.catalog);
    return std::max(reading.draft.gpus_per_node, node == nullptr ? 0 : node->node.gpus) > kBoard;
}

bool is_of(const Reading& reading, std::string_view architecture) {
    return reading.sound({"cluster.gpu"}) &&
           reading.library.catalog.find_gpu(reading.draft.gpu)->architecture == architecture;
}

const hw::NodeEntry* node_entry(const Draft& draft, const hw::Catalog& catalog) {
    return draft.node ? catalog.find_node(*draft.node)
                      : catalog.usual_node_entry(*catalog.find_gpu(draft.gpu));
}

hw::Cluster make_cluster(const Draft& draft, const Library& library) {
    hw::Cluster cluster;
    cluster.node.gpu = hw::apply(draft.caps, *library.catalog.find_gpu(draft.gpu));
    cluster.node.gpus = draft.gpus_per_node;
    cluster.node.nics = draft.nics_per_node;
    cluster.node.nic = draft.caps.nic ? std::min(*draft.caps.nic, draft.nic) : draft.nic;
    cluster.node.nvlink_latency = draft.nvlink_latency;
    cluster.node.host_link = draft.host_link;
    cluster.node.host_memory = draft.host_memory;
    cluster.node.host_call = draft.host_call;
    const hw::NodeEntry* entry = node_entry(draft, library.catalog);
    cluster.node.nvls = entry != nullptr && entry->node.nvls;
    cluster.fabric = draft.network;
    cluster.nodes = draft.nodes;
    return cluster;
}

void check_cluster(Reading& reading) {
    const Draft& draft = reading.draft;
    if (reading.sound({"cluster.gpu"})) {
        const hw::GpuSpec& gpu = *reading.library.catalog.find_gpu(draft.gpu);
        fill_node(reading);
        check_caps(reading, gpu);
        const Slot& overhead = reading.slot("plan.framework_overhead");
        if (!overhead.given && overhead.sound) {
            reading.derive("plan.framework_overhead", to_value(default_framework_overhead(gpu.architecture)),
                           overhead.key->reason);
        }
        check_fits(reading, gpu);
        const Slot& sms = reading.slot("plan.communication_sms");
        if (!sms.given && sms.sound) {
            reading.derive("plan.communication_sms", to_value(default_communication_sms(gpu.sm_count)),
                           sms.key->reason);
        } else if (sms.sound && draft.plan.communication_sms >= gpu.sm_count) {
            reading.fault("plan.communication_sms",
                          fmt::format("communication_sms ({}) leaves none of the {} SMs of {} to compute",
                                      draft.plan.communication_sms, gpu.sm_count, draft.gpu));
        }
    }
    check_fabric(reading);
}

void check_model(Reading& reading) {
    if (reading.sound({"model.arch"}) && !reading.draft.arch) {
        reading.draft.model.id = "custom";
        reading.draft.model.source = "the scenario";
    }
    check_attention(reading);
    check_experts(reading);
    check_pattern(reading);
    check_dense_layers(reading);
}

void check_campaign(Reading& reading) {
    const Campaign& campaign = reading.draft.campaign;
    if (!reading.sound({"campaign.tokens", "campaign.ramp_from", "campaign.ramp_tokens"})) {
        return;
    }
    const bool tokens = reading.slot("campaign.tokens").given;
    const bool from = reading.slot("campaign.ramp_from").given;
    const bool over = reading.slot("campaign.ramp_tokens").given;
    if (from != over) {
        reading.fault(from ? "campaign.ramp_from" : "campaign.ramp_tokens",
                      from ? "ramp_from is given without ramp_tokens; expected both or neither"
                           : "ramp_tokens is given without ramp_from; expected both or neither");
    }
    if ((from || over) && !tokens) {
        reading.fault(from ? "campaign.ramp_from" : "campaign.ramp_tokens",
                      "a ramp is given without campaign.tokens; expected the tokens of the whole run");
    }
    if (tokens && campaign.ramp_tokens > campaign.tokens) {
        reading.fault("campaign.ramp_tokens",
                      fmt::format("ramp_tokens ({:g}) exceeds the campaign's {:g} tokens",
                                  campaign.ramp_tokens, campaign.tokens));
    }
    if (from) {
        check_ramp(reading);
    }
}

} // namespace chokepoint::sim::loader
