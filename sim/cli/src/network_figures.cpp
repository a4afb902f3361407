// SPDX-License-Identifier: Apache-2.0
// Figures of nodes, links and fabrics; those of a whole cluster come from its topology and switch graph.
#include "network_figures.hpp"

#include "result.hpp"

#include <chokepoint/hwmodels/switch_graph.hpp>
#include <chokepoint/hwmodels/topology.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace chokepoint::cli {
namespace {

using Citations = std::map<std::string, hw::Citation>;

template <class Entry>
void add_latencies(const Entry& latency, const Citations& citations, std::vector<Figure>& out) {
    out.push_back(
        figure("latency_same_leaf", latency.latency_same_leaf, cited(citations, "latency_same_leaf")));
    out.push_back(
        figure("latency_cross_leaf", latency.latency_cross_leaf, cited(citations, "latency_cross_leaf")));
    out.push_back(
        figure("latency_cross_pod", latency.latency_cross_pod, cited(citations, "latency_cross_pod")));
    // A way through a spine has three switches, one under a leaf has one.
    const hw::Seconds hop = (latency.latency_cross_leaf - latency.latency_same_leaf) / 2.0;
    out.push_back(figure("latency_per_switch", hop, "derived: half of what a spine adds"));
    out.push_back(
        figure("latency_of_nics", latency.latency_same_leaf - hop, "derived: same leaf less one switch"));
}

Figure ratio(const char* key, double value, std::string source) {
    return {key, fmt::format("{:g}:1", value), value, std::move(source)};
}

std::string lanes_text(const hw::Wiring& wiring) {
    if (wiring.lanes == 1) {
        return "all NICs of a node under one leaf, where its ports allow";
    }
    return wiring.planes > 1 ? "the NICs of a node in planes of their own; between planes over NVLink first"
                             : "the NICs of a node in rails of their own; between rails over NVLink first";
}

/// GPUs as near to GPU 0 as `tier`, itself among them.
std::int64_t within(const hw::Topology& topology, hw::Tier tier) {
    std::int64_t count = 0;
    for (int gpu = 0; gpu < topology.gpus(); ++gpu) {
        count += topology.tier(0, gpu) <= tier;
    }
    return count;
}

hw::Cluster plug_in(const hw::FabricEntry& entry, const hw::Catalog& catalog, const PluggedIn& plugged) {
    const hw::NodeEntry* node = catalog.find_node(plugged.node);
    if (node == nullptr) {
        std::vector<std::string> ids;
        std::ranges::transform(catalog.nodes(), std::back_inserter(ids), &hw::NodeEntry::id);
        throw unknown("node", plugged.node, ids);
    }
    if (plugged.gpus % node->node.gpus != 0) {
        throw UsageError(fmt::format("--gpus: {} GPUs do not fill nodes of {} ({}); expected a multiple",
                                     plugged.gpus, node->node.gpus, node->id));
    }
    const hw::Cluster cluster{node->node, hw::trimmed(entry.fabric, node->node),
                              plugged.gpus / node->node.gpus};
    const auto faults = hw::check_fabric(cluster.fabric, cluster.node, cluster.nodes);
    if (!faults.empty()) {
        throw UsageError(
            fmt::format("{} with {} GPUs in {}: {}", entry.id, plugged.gpus, node->id, hw::to_text(faults)));
    }
    return cluster;
}

/// Links by level and width: those of all rails or planes, and of all full leaves, are alike.
void add_links(const hw::Topology& topology, std::vector<Figure>& out) {
    std::map<std::pair<bool, double>, std::vector<std::string>> alike;
    for (const hw::SharedLink& link : topology.links()) {
        const bool of_pod = link.name.find("pod ") != std::string::npos;
        alike[{of_pod, -link.capacity.value()}].push_back(link.name);
    }
    std::array<int, 2> widths{};
    for (const auto& [key, names] : alike) {
        const auto& [of_pod, negated] = key;
        const int width = ++widths.at(of_pod ? 1 : 0);
        const std::string which = names.size() == 1 ? names.front() + " alone"
                                                    : fmt::format("{} of them: {} to {}", names.size(),
                                                                  names.front(), names.back());
        out.push_back(figure(
            fmt::format("uplink.{}{}", of_pod ? "pod" : "leaf", width == 1 ? "" : fmt::format(".{}", width)),
            hw::BytesPerSecond(-negated), "one direction, " + which));
    }
}

void add_cluster(const hw::Cluster& cluster, std::vector<Figure>& out) {
    const hw::Topology topology = hw::make_topology(cluster, hw::LinksKept::all);
    const hw::SwitchGraph graph(cluster);
    const hw::Wiring& wiring = graph.wiring();
    const auto add = [&](const char* key, auto value, const char* what) {
        out.push_back(figure(key, value, what));
    };
    add("cluster.gpus", std::int64_t{cluster.gpus()}, "asked for");
    add("cluster.nodes", std::int64_t{cluster.nodes}, lanes_text(wiring).c_str());
    add("cluster.leaves", std::int64_t{wiring.leaves()}, "switches");
    add("cluster.spines", std::int64_t{graph.spines()}, "switches");
    add("cluster.cores", std::int64_t{graph.cores()}, "switches");
    add("cluster.cables", graph.cables(), "between switches");
    add("cluster.bisection", topology.bisection(), "first half of the nodes to the second, one direction");
    const hw::BytesPerSecond half =
        cluster.node.nic * (static_cast<double>(cluster.node.nics) * (cluster.nodes / 2));
    if (half.value() > 0.0) {
        const double share = topology.bisection() / half;
        out.push_back({"cluster.bisection_share", fmt::format("{:.1f}%", 100.0 * share), share,
                       "of what half the NICs carry"});
    }
    add_links(topology, out);
    add("within.node", within(topology, hw::Tier::node), "GPUs at NVLink's latency");
    add("within.leaf", within(topology, hw::Tier::leaf), "GPUs at latency_same_leaf");
    add("within.pod", within(topology, hw::Tier::pod), "GPUs at latency_cross_leaf");
    add("within.core", within(topology, hw::Tier::core), "GPUs at latency_cross_pod");
}

} // namespace

std::vector<Figure> node_figures(const hw::NodeEntry& entry) {
    const hw::Node& node = entry.node;
    return {figure("gpus", std::int64_t{node.gpus}, cited(entry.citations, "gpus")),
            figure("nics", std::int64_t{node.nics}, cited(entry.citations, "nics")),
            figure("nic", node.nic, cited(entry.citations, "nic")),
            figure("nvlink_latency", node.nvlink_latency, cited(entry.citations, "nvlink_latency")),
            figure("host_link", node.host_link, cited(entry.citations, "host_link")),
            figure("host_memory", node.host_memory, cited(entry.citations, "host_memory")),
            {"nvls", node.nvls ? "yes" : "no", node.nvls ? "yes" : "no",
             entry.citations.contains("nvls")
                 ? cited(entry.citations, "nvls")
                 : "not in the node's file: its switch only forwards, or it has none"}};
}

std::vector<Figure> link_figures(const hw::LinkEntry& entry) {
    std::vector<Figure> figures{{"name", entry.name, entry.name, ""}};
    add_latencies(entry, entry.citations, figures);
    return figures;
}

std::vector<Figure> fabric_figures(const hw::FabricEntry& entry, const hw::Catalog& catalog,
                                   const PluggedIn& plugged) {
    const hw::Fabric& fabric = entry.fabric;
    const std::string kind(hw::name(fabric.kind));
    std::vector<Figure> figures{{"kind", kind, kind, ""}};
    const auto source = [&](const char* key) { return cited(entry.citations, key); };
    const auto applies = [&](const char* key) { return hw::why_without_effect(fabric, key).empty(); };
    const int tiers = hw::prescribed_tiers(fabric.kind).value_or(fabric.tiers);
    figures.push_back(figure("tiers", std::int64_t{tiers}, "of switches"));
    figures.push_back(figure("radix", std::int64_t{fabric.radix}, source("radix")));
    if (applies("oversubscription")) {
        figures.push_back(ratio("oversubscription", fabric.oversubscription, source("oversubscription")));
    }
    if (applies("pod_oversubscription")) {
        figures.push_back(
            ratio("pod_oversubscription", fabric.pod_oversubscription, source("pod_oversubscription")));
    }
    if (applies("rails")) {
        figures.push_back(figure("rails", std::int64_t{fabric.rails}, source("rails")));
    }
    if (applies("planes")) {
        figures.push_back(figure("planes", std::int64_t{fabric.planes}, source("planes")));
    }
    if (!entry.link.empty()) {
        figures.push_back({"link", entry.link, entry.link, "chokepoint show link " + entry.link});
    }
    figures.push_back(
        figure("max_endpoints", hw::max_endpoints(fabric), "derived: NICs that such switches join"));
    add_latencies(fabric, entry.citations, figures);
    if (plugged.gpus > 0) {
        add_cluster(plug_in(entry, catalog, plugged), figures);
    }
    return figures;
}

} // namespace chokepoint::cli
