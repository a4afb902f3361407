// SPDX-License-Identifier: Apache-2.0
// Turns link and fabric files of a catalog into parameters, or into the list of all their faults.
#include "catalog_figures.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace chokepoint::hw {
namespace {

constexpr int kLargestRadix = 1 << 20;

struct LatencyField {
    std::string_view key;
    Seconds Fabric::* field;
};
constexpr std::array kLatencies{
    LatencyField{"latency_same_leaf", &Fabric::latency_same_leaf},
    LatencyField{"latency_cross_leaf", &Fabric::latency_cross_leaf},
    LatencyField{"latency_cross_pod", &Fabric::latency_cross_pod},
};

void read_kind(DataFile& file, Fabric& fabric) {
    const std::string kind = file.text(file.root(), "kind");
    if (const auto known = fabric_kind_from(kind)) {
        fabric.kind = *known;
    } else if (!kind.empty()) {
        std::vector<std::string_view> names;
        std::ranges::transform(fabric_kinds(), std::back_inserter(names),
                               [](FabricKind k) { return name(k); });
        file.fault(file.root().entries->at("kind").at,
                   fmt::format("kind: no fabric is called \"{}\"; expected one of \"{}\"", kind,
                               fmt::join(names, "\", \"")));
    }
}

/// Files may give the endpoints that their switches join in place of the switches' ports.
void read_radix(DataFile& file, Fabric& fabric, Citations& citations) {
    const Section root = file.root();
    const bool given = root.has("radix");
    if (given) {
        fabric.radix = read_count(file, root, "radix", citations);
    }
    if (!root.has("max_endpoints")) {
        if (!given) {
            file.fault(root.at, "missing key 'radix', the ports of one switch (or 'max_endpoints')");
        }
        return;
    }
    const int wanted = read_count(file, root, "max_endpoints", citations);
    if (given && max_endpoints(fabric) < wanted) {
        file.fault(root.entries->at("max_endpoints").at,
                   fmt::format("max_endpoints: {} NICs; {}-port switches join {}", wanted, fabric.radix,
                               max_endpoints(fabric)));
    }
    for (fabric.radix = given ? fabric.radix : 2;
         max_endpoints(fabric) < wanted && fabric.radix < kLargestRadix;) {
        fabric.radix += 2;
    }
}

void read_shape(DataFile& file, Fabric& fabric, Citations& citations) {
    const Section root = file.root();
    const auto count = [&](std::string_view key, auto& field) {
        if (root.has(key)) {
            field = read_count(file, root, key, citations);
        }
    };
    count("tiers", fabric.tiers);
    count("rails", fabric.rails);
    count("planes", fabric.planes);
    count("pod_leaves", fabric.pod_leaves);
    count("spines", fabric.spines);
    count("cores", fabric.cores);
    const auto ratio = [&](std::string_view key, double& field) {
        if (root.has(key)) {
            field = read_figure(file, root, key, Dimension::ratio, citations);
        }
    };
    ratio("oversubscription", fabric.oversubscription);
    ratio("pod_oversubscription", fabric.pod_oversubscription);
}

void report(DataFile& file, const Fabric& fabric) {
    const Section root = file.root();
    const auto place = [&](const std::string& key) {
        return root.has(key) ? root.entries->at(key).at : root.at;
    };
    for (const FabricFault& fault : check_fabric(fabric)) {
        if (root.has(fault.parameter)) { // the defaults of absent ones are sound
            file.fault(place(fault.parameter), fmt::format("{}: {}", fault.parameter, fault.message));
        }
    }
    for (const auto& [key, value] : *root.entries) {
        if (const std::string why = why_without_effect(fabric, key); !why.empty()) {
            file.fault(place(key), fmt::format("{}: {}", key, why));
        }
    }
}

} // namespace

LinkEntry read_link(DataFile& file) {
    const Section root = file.root();
    file.allow(root, {"id", "name", "latency_same_leaf", "latency_cross_leaf", "latency_cross_pod"});
    LinkEntry entry;
    entry.id = file.text(root, "id");
    entry.name = file.text(root, "name");
    entry.latency_same_leaf =
        Seconds(read_figure(file, root, "latency_same_leaf", Dimension::seconds, entry.citations));
    entry.latency_cross_leaf =
        Seconds(read_figure(file, root, "latency_cross_leaf", Dimension::seconds, entry.citations));
    entry.latency_cross_pod =
        Seconds(read_figure(file, root, "latency_cross_pod", Dimension::seconds, entry.citations));
    return entry;
}

FabricEntry read_fabric(DataFile& file) {
    const Section root = file.root();
    file.allow(root, {"id", "kind", "radix", "tiers", "oversubscription", "pod_oversubscription", "rails",
                      "planes", "pod_leaves", "spines", "cores", "max_endpoints", "link", "latency_same_leaf",
                      "latency_cross_leaf", "latency_cross_pod"});
    FabricEntry entry;
    entry.id = file.text(root, "id");
    read_kind(file, entry.fabric);
    read_shape(file, entry.fabric, entry.citations);
    read_radix(file, entry.fabric, entry.citations);
    if (root.has("link")) {
        entry.link = file.text(root, "link");
    }
    for (const LatencyField& latency : kLatencies) {
        const bool needed = latency.field != &Fabric::latency_cross_pod && !root.has("link");
        if (needed || root.has(latency.key)) {
            entry.fabric.*latency.field =
                Seconds(read_figure(file, root, latency.key, Dimension::seconds, entry.citations));
        }
    }
    if (!root.has("link") && !root.has("latency_cross_pod")) {
        // A third tier adds two switches, as the second did.
        entry.fabric.latency_cross_pod =
            entry.fabric.latency_cross_leaf * 2.0 - entry.fabric.latency_same_leaf;
    }
    if (file.faults().empty()) {
        report(file, entry.fabric);
    }
    return entry;
}

void fill_latencies(FabricEntry& entry, const LinkEntry& link) {
    const auto fill = [&](const std::string& key, Seconds& field, Seconds value) {
        if (!entry.citations.contains(key)) {
            field = value;
            entry.citations[key] = link.citations.at(key);
        }
    };
    fill("latency_same_leaf", entry.fabric.latency_same_leaf, link.latency_same_leaf);
    fill("latency_cross_leaf", entry.fabric.latency_cross_leaf, link.latency_cross_leaf);
    fill("latency_cross_pod", entry.fabric.latency_cross_pod, link.latency_cross_pod);
}

} // namespace chokepoint::hw
