// SPDX-License-Identifier: Apache-2.0
// Reads parts, caps and sizes given as options.
#include "part_options.hpp"

#include "result.hpp"

#include <chokepoint/hwmodels/estimates.hpp>
#include <chokepoint/hwmodels/idle_caps.hpp>
#include <chokepoint/hwmodels/topology.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace chokepoint::cli {
namespace {

double quantity_from(std::string_view option, std::string_view text, hw::Dimension dimension) {
    const auto parsed = hw::parse_quantity(text);
    if (!parsed || parsed->dimension != dimension || parsed->base <= 0.0) {
        throw UsageError(fmt::format("{}: '{}' is not {}", option, text, hw::describe(dimension)));
    }
    return parsed->base;
}

} // namespace

hw::Bytes size_from(std::string_view option, const std::string& text) {
    return hw::Bytes(quantity_from(option, text, hw::Dimension::bytes));
}

hw::Caps caps_from(const std::vector<std::string>& texts) {
    hw::Caps caps;
    for (const std::string& text : texts) {
        const auto equals = text.find('=');
        const std::string key = text.substr(0, equals);
        const std::string option = "--cap " + key;
        const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
        const auto bandwidth = [&] {
            return hw::BytesPerSecond(quantity_from(option, value, hw::Dimension::bandwidth));
        };
        if (key == "nvlink") {
            caps.nvlink = bandwidth();
        } else if (key == "nic") {
            caps.nic = bandwidth();
        } else if (key == "memory_bandwidth") {
            caps.memory_bandwidth = bandwidth();
        } else if (key == "fp64") {
            caps.fp64 = hw::FlopsPerSecond(quantity_from(option, value, hw::Dimension::flop_rate));
        } else if (key == "tpp") {
            caps.tpp = quantity_from(option, value, hw::Dimension::count);
        } else {
            throw UsageError(fmt::format("--cap: '{}' is no cap; expected nvlink=RATE, nic=RATE, "
                                         "memory_bandwidth=RATE, fp64=RATE or tpp=NUMBER",
                                         text));
        }
    }
    return caps;
}

hw::Node node_from(const hw::Catalog& catalog, const std::string& part, const hw::Caps& caps) {
    const hw::GpuSpec* gpu = catalog.find_gpu(part);
    if (gpu == nullptr) {
        std::vector<std::string> ids;
        std::ranges::transform(catalog.gpus(), std::back_inserter(ids), &hw::GpuSpec::id);
        throw unknown("part", part, ids);
    }
    const auto node = catalog.usual_node(*gpu);
    if (!node) {
        throw UsageError(
            fmt::format("no node file of the catalog holds {}: say in one how many GPUs and NICs its "
                        "node has",
                        part));
    }
    for (const hw::IdleCap& cap : hw::idle_caps(caps, *node)) {
        fmt::print(stderr, "chokepoint: warning: {}\n", cap.why);
    }
    return hw::apply(caps, *node);
}

hw::Cluster cluster_from(const hw::Catalog& catalog, hw::Node node, int nodes, const std::string& fabric) {
    const hw::FabricEntry* entry = catalog.find_fabric(fabric);
    if (entry == nullptr) {
        std::vector<std::string> ids;
        std::ranges::transform(catalog.fabrics(), std::back_inserter(ids), &hw::FabricEntry::id);
        throw unknown("fabric", fabric, ids);
    }
    const hw::Fabric trimmed = hw::trimmed(entry->fabric, node);
    const auto faults = hw::check_fabric(trimmed, node, nodes);
    if (nodes > 1 && !faults.empty()) {
        throw UsageError(fmt::format("{} with {} nodes of {} {}: {}", fabric, nodes, node.gpus, node.gpu.id,
                                     hw::to_text(faults)));
    }
    return {std::move(node), trimmed, nodes};
}

std::optional<hw::Distance> distance_in(const hw::Cluster& cluster, int per_node) {
    if (cluster.nodes == 1) {
        return std::nullopt;
    }
    std::vector<int> members;
    for (int node = 0; node < cluster.nodes; ++node) {
        for (int gpu = 0; gpu < per_node; ++gpu) {
            members.push_back(node * cluster.node.gpus + gpu);
        }
    }
    return hw::make_topology(cluster).extent(members).distance();
}

std::vector<std::string> transfer_estimates(const hw::Catalog& catalog, const hw::Cluster& cluster,
                                            const hw::Caps& caps, const std::string& fabric) {
    std::vector<std::string> found;
    const auto add = [&](const std::string& id, const auto& citations, std::vector<std::string> fields) {
        if (const auto estimates = hw::estimates_among(id, citations, std::move(fields))) {
            found.push_back(*estimates);
        }
    };
    const hw::GpuSpec& part = *catalog.find_gpu(cluster.node.gpu.id);
    std::vector<std::string> fields{"nvlink_achievable", "pcie", "pcie_achievable"};
    if (!caps.nvlink) {
        fields.emplace_back("nvlink");
    }
    if (!caps.memory_bandwidth) {
        fields.emplace_back("memory_bandwidth");
    }
    add(part.id, part.citations, std::move(fields));
    if (const hw::NodeEntry* node = catalog.usual_node_entry(part)) {
        fields = {"gpus", "nvlink_latency"};
        if (cluster.nodes > 1) {
            fields.insert(fields.end(), {"nics", "nic"});
        }
        add(node->id, node->citations, std::move(fields));
    }
    if (cluster.nodes > 1) {
        const hw::FabricEntry& entry = *catalog.find_fabric(fabric);
        const std::vector<std::string> latencies{"latency_same_leaf", "latency_cross_leaf",
                                                 "latency_cross_pod"};
        const std::size_t used = cluster.fabric.kind == hw::FabricKind::single_switch ? 1
                                 : cluster.fabric.tiers > 2                           ? 3
                                                                                      : 2;
        fields.assign(latencies.begin(), latencies.begin() + static_cast<std::ptrdiff_t>(used));
        if (const hw::LinkEntry* link = catalog.find_link(entry.link)) {
            add(link->id, link->citations, fields);
        }
        fields.insert(fields.end(), {"radix", "oversubscription", "rails", "planes", "pod_leaves"});
        add(entry.id, entry.citations, std::move(fields));
    }
    return found;
}

hw::TransferRates rates_from(const std::string& file) {
    if (file.empty()) {
        return hw::load_transfer_rates();
    }
    try {
        return hw::load_transfer_rates(file);
    } catch (const std::runtime_error& error) {
        throw UsageError(error.what());
    }
}

} // namespace chokepoint::cli
