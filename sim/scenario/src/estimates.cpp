// SPDX-License-Identifier: Apache-2.0
// Which of the figures behind a scenario are estimates, so that reports can say so.
#include "reading.hpp"

#include <chokepoint/hwmodels/estimates.hpp>

#include <algorithm>

namespace chokepoint::sim::loader {
namespace {

using Citations = std::map<std::string, hw::Citation>;

void add(const std::string& entry, const Citations& citations, std::vector<std::string> fields,
         std::vector<std::string>& out) {
    if (const auto estimates = hw::estimates_among(entry, citations, std::move(fields))) {
        out.push_back(*estimates);
    }
}

/// The part's figures that kernel and transfer times and memory rest on.
std::vector<std::string> part_fields(const Draft& draft, const hw::GpuSpec& own, const hw::GpuSpec& capped) {
    std::vector<std::string> fields{"sm_count",        "memory",          "nvlink_achievable", "pcie",
                                    "pcie_achievable", "dense_peak.bf16", "dense_peak.fp32"};
    if (draft.plan.precision == work::Precision::fp8_block) {
        fields.emplace_back("dense_peak.fp8");
    }
    if (own.memory_bandwidth == capped.memory_bandwidth) { // else the cap's value is used
        fields.emplace_back("memory_bandwidth");
    }
    if (own.nvlink == capped.nvlink) {
        fields.emplace_back("nvlink");
    }
    return fields;
}

/// Of these scenario keys, the fields that the catalog filled in.
std::vector<std::string> filled(const Reading& reading,
                                std::initializer_list<std::pair<std::string_view, std::string>> keys) {
    std::vector<std::string> fields;
    for (const auto& [path, field] : keys) {
        if (reading.slot(path).origin == Origin::catalog) {
            fields.push_back(field);
        }
    }
    return fields;
}

void add_fabric(const Reading& reading, std::vector<std::string>& out) {
    const Draft& draft = reading.draft;
    const hw::Catalog& catalog = reading.library.catalog;
    const int tiers = hw::prescribed_tiers(draft.network.kind).value_or(draft.network.tiers);
    std::vector<std::string> fields =
        filled(reading, {{"cluster.fabric.radix", "radix"},
                         {"cluster.fabric.oversubscription", "oversubscription"},
                         {"cluster.fabric.rails", "rails"},
                         {"cluster.fabric.planes", "planes"},
                         {"cluster.fabric.pod_leaves", "pod_leaves"}});
    std::vector<std::string> latencies =
        filled(reading, {{"cluster.fabric.latency_same_leaf", "latency_same_leaf"}});
    if (tiers > 1) {
        std::ranges::move(filled(reading, {{"cluster.fabric.latency_cross_leaf", "latency_cross_leaf"}}),
                          std::back_inserter(latencies));
    }
    if (tiers > 2) {
        std::ranges::move(filled(reading, {{"cluster.fabric.latency_cross_pod", "latency_cross_pod"}}),
                          std::back_inserter(latencies));
    }
    const hw::FabricEntry& entry = *catalog.find_fabric(draft.fabric);
    if (reading.slot("cluster.fabric.link").given) {
        add(*draft.link, catalog.find_link(*draft.link)->citations, latencies, out);
    } else {
        std::ranges::move(latencies, std::back_inserter(fields));
    }
    add(entry.id, entry.citations, fields, out);
}

} // namespace

std::vector<std::string> used_estimates(const Reading& reading) {
    const Draft& draft = reading.draft;
    const hw::Catalog& catalog = reading.library.catalog;
    std::vector<std::string> out;
    const hw::GpuSpec& gpu = *catalog.find_gpu(draft.gpu);
    add(gpu.id, gpu.citations, part_fields(draft, gpu, hw::apply(draft.caps, gpu)), out);
    const hw::NodeEntry* node = node_entry(draft, catalog);
    if (node != nullptr) {
        add(node->id, node->citations,
            filled(reading, {{"cluster.gpus_per_node", "gpus"},
                             {"cluster.nics_per_node", "nics"},
                             {"cluster.nic", "nic"},
                             {"cluster.nvlink_latency", "nvlink_latency"},
                             {"cluster.host_call", "host_call"}}),
            out);
        if (draft.plan.offload_layers > 0 || draft.plan.offload_optimizer > 0.0) {
            add(node->id, node->citations,
                filled(reading, {{"cluster.host_link", "host_link"}, {"cluster.host_memory", "host_memory"}}),
                out);
        }
    }
    add_fabric(reading, out);
    return out;
}

} // namespace chokepoint::sim::loader
