// SPDX-License-Identifier: Apache-2.0
// Completes the fabric from the catalog and checks it with the cluster's nodes plugged in.
#include "reading.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::sim::loader {
namespace {

constexpr std::string_view kSection = "cluster.fabric";

std::string key_of(std::string_view parameter) { return fmt::format("{}.{}", kSection, parameter); }

/// Reads the parameters that the scenario leaves open from the fabric's file, or from another link's.
class FabricFiller {
public:
    FabricFiller(Reading& reading, const hw::FabricEntry& entry, const hw::LinkEntry* other_link)
        : reading_(reading),
          entry_(entry),
          other_link_(other_link) {}

    void fill() {
        const hw::Fabric& own = entry_.fabric;
        parameter("kind", own.kind);
        parameter("radix", own.radix);
        parameter("tiers", own.tiers);
        parameter("oversubscription", own.oversubscription);
        parameter("pod_oversubscription", own.pod_oversubscription);
        parameter("rails", own.rails);
        parameter("planes", own.planes);
        parameter("pod_leaves", own.pod_leaves);
        parameter("spines", own.spines);
        parameter("cores", own.cores);
        if (!entry_.link.empty()) {
            parameter("link", entry_.link);
        }
        latency("latency_same_leaf", own.latency_same_leaf, &hw::LinkEntry::latency_same_leaf);
        latency("latency_cross_leaf", own.latency_cross_leaf, &hw::LinkEntry::latency_cross_leaf);
        latency("latency_cross_pod", own.latency_cross_pod, &hw::LinkEntry::latency_cross_pod);
        const hw::Fabric& network = reading_.draft.network;
        no_shorter("latency_cross_leaf", network.latency_cross_leaf, network.latency_same_leaf);
        no_shorter("latency_cross_pod", network.latency_cross_pod, network.latency_cross_leaf);
    }

private:
    template <class T> void parameter(const std::string& name, const T& value) {
        const std::string path = key_of(name);
        const Slot& slot = reading_.slot(path);
        const Value filled = to_value(value);
        if (slot.given || !slot.sound || std::holds_alternative<std::monostate>(filled) ||
            !hw::why_without_effect(reading_.draft.network, name).empty()) {
            return;
        }
        reading_.derive(path, filled, cite(entry_.id, entry_.citations, name), Origin::catalog);
    }

    void latency(const std::string& name, hw::Seconds own, hw::Seconds hw::LinkEntry::* of_link) {
        if (other_link_ == nullptr) {
            parameter(name, own);
        } else if (const Slot& slot = reading_.slot(key_of(name)); !slot.given && slot.sound) {
            reading_.derive(key_of(name), to_value(other_link_->*of_link),
                            cite(other_link_->id, other_link_->citations, name), Origin::catalog);
        }
    }

    /// A longer way that the scenario leaves open takes no less than a shorter one that it gives.
    void no_shorter(const std::string& name, hw::Seconds whole, hw::Seconds part) {
        if (const Slot& slot = reading_.slot(key_of(name)); !slot.given && slot.sound && whole < part) {
            reading_.derive(key_of(name), to_value(part), "no less than the shorter way's");
        }
    }

    Reading& reading_;
    const hw::FabricEntry& entry_;
    const hw::LinkEntry* other_link_;
};

/// The catalog's rails and planes are as many as a usual node has NICs; a node with fewer uses fewer. A
/// fabric that nobody asked for gives way to nodes whose NICs do not divide over it, too.
void use_fewer_lanes(Reading& reading, const hw::Node& node) {
    const bool asked_for = reading.slot(key_of("name")).given;
    const auto lower = [&](const std::string& name, int own) {
        int used = std::min(own, node.nics);
        while (!asked_for && node.nics % used != 0) {
            --used;
        }
        if (reading.slot(key_of(name)).origin == Origin::catalog && used < own) {
            reading.derive(
                key_of(name), to_value(used),
                fmt::format("for the {} NICs of a node; {} has {}", node.nics, reading.draft.fabric, own));
        }
    };
    lower("rails", reading.draft.network.rails);
    lower("planes", reading.draft.network.planes);
}

/// A third tier where two cannot join the cluster and the scenario leaves their number open.
void deepen(Reading& reading, std::int64_t nics) {
    const hw::Fabric& fabric = reading.draft.network;
    const std::int64_t room = hw::max_endpoints(fabric);
    if (reading.slot(key_of("tiers")).origin != Origin::catalog || fabric.tiers != 2 || nics <= room) {
        return;
    }
    reading.derive(key_of("tiers"), to_value(3), fmt::format("2 tiers join only {} NICs", room));
    reading.warn("cluster.nodes", fmt::format("{} NICs ({} x {}) exceed the {} that two tiers of {} join; "
                                              "simulated on three tiers",
                                              nics, reading.draft.nodes, reading.draft.nics_per_node, room,
                                              reading.draft.fabric));
}

/// Where the reader should look: at the key if the scenario has it, else at the fabric's name.
std::string place_of(const Reading& reading, const std::string& parameter) {
    if (parameter == "nodes" || parameter == "nics") {
        return parameter == "nodes" ? "cluster.nodes" : "cluster.nics_per_node";
    }
    const std::string path = key_of(parameter);
    return reading.slot(path).given ? path : key_of("name");
}

void report_keys_without_effect(Reading& reading) {
    for (const Slot& slot : reading.slots()) {
        const std::string_view path = slot.key->path;
        if (!slot.given || !slot.sound || section_of(path) != kSection) {
            continue;
        }
        const std::string why =
            hw::why_without_effect(reading.draft.network, path.substr(kSection.size() + 1));
        if (!why.empty()) {
            reading.fault(path, fmt::format("{}: {}", label(path), why));
        }
    }
}

} // namespace

void check_fabric(Reading& reading) {
    Draft& draft = reading.draft;
    if (!reading.sound({"cluster.fabric.name", "cluster.fabric.kind", "cluster.fabric.link"})) {
        return;
    }
    const hw::FabricEntry& entry = *reading.library.catalog.find_fabric(draft.fabric);
    if (!reading.slot("cluster.fabric.kind").given) {
        draft.network.kind = entry.fabric.kind; // decides which of the others apply
    }
    const bool other_link = reading.slot("cluster.fabric.link").given;
    FabricFiller(reading, entry, other_link ? reading.library.catalog.find_link(*draft.link) : nullptr)
        .fill();
    if (!reading.sound({"cluster.nodes", "cluster.gpus_per_node", "cluster.nics_per_node"})) {
        return;
    }
    hw::Node node;
    node.gpus = draft.gpus_per_node;
    node.nics = draft.nics_per_node;
    use_fewer_lanes(reading, node);
    deepen(reading, std::int64_t{draft.nodes} * draft.nics_per_node);
    report_keys_without_effect(reading);
    for (const hw::FabricFault& fault : hw::check_fabric(draft.network, node, draft.nodes)) {
        const std::string path = place_of(reading, fault.parameter);
        const bool of_fabric = section_of(path) == kSection;
        reading.fault(path, fmt::format("{}: {}",
                                        of_fabric ? "fabric." + fault.parameter : std::string(label(path)),
                                        fault.message));
    }
}

} // namespace chokepoint::sim::loader
