// SPDX-License-Identifier: Apache-2.0
// Names of fabrics, what their parameters allow by themselves, and what their switches reach.
#include <chokepoint/hwmodels/fabric.hpp>

#include <chokepoint/hwmodels/switch_graph.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace chokepoint::hw {
namespace {

struct KindName {
    FabricKind kind;
    std::string_view name;
};

constexpr std::array kKinds{FabricKind::single_switch, FabricKind::fat_tree_2, FabricKind::fat_tree_3,
                            FabricKind::rail_optimised, FabricKind::multi_plane};
// The first of a kind is its name; the others are read only.
constexpr std::array kNames{
    KindName{FabricKind::single_switch, "single-switch"},
    KindName{FabricKind::fat_tree_2, "fat-tree-2"},
    KindName{FabricKind::fat_tree_3, "fat-tree-3"},
    KindName{FabricKind::rail_optimised, "rail-optimised"},
    KindName{FabricKind::multi_plane, "multi-plane"},
    KindName{FabricKind::fat_tree_3, "fat-tree"},
    KindName{FabricKind::multi_plane, "multi-plane-fat-tree"},
};

class Checker {
public:
    explicit Checker(const Fabric& fabric) : fabric_(fabric) {}

    std::vector<FabricFault> check() {
        positive("radix", fabric_.radix);
        if (fabric_.kind == FabricKind::rail_optimised) {
            positive("rails", fabric_.rails);
        }
        if (fabric_.kind == FabricKind::multi_plane) {
            positive("planes", fabric_.planes);
        }
        if (!prescribed_tiers(fabric_.kind) && (fabric_.tiers < 2 || fabric_.tiers > 3)) {
            fault("tiers",
                  fmt::format("{} tiers; a {} fabric has 2 or 3", fabric_.tiers, name(fabric_.kind)));
        }
        ratio("oversubscription", fabric_.oversubscription);
        ratio("pod_oversubscription", fabric_.pod_oversubscription);
        if (fabric_.latency_cross_leaf < fabric_.latency_same_leaf) {
            fault("latency_cross_leaf",
                  shorter(fabric_.latency_cross_leaf, fabric_.latency_same_leaf, "leaf"));
        }
        if (fabric_.latency_cross_pod < fabric_.latency_cross_leaf) {
            fault("latency_cross_pod", shorter(fabric_.latency_cross_pod, fabric_.latency_cross_leaf, "pod"));
        }
        return std::move(faults_);
    }

private:
    void fault(std::string_view parameter, std::string message) {
        faults_.push_back({std::string(parameter), std::move(message)});
    }
    void positive(std::string_view parameter, int value) {
        if (value < 1) {
            fault(parameter, fmt::format("{}; expected at least 1", value));
        }
    }
    void ratio(std::string_view parameter, double value) {
        if (!std::isfinite(value) || value < 1.0) {
            fault(parameter, fmt::format("{:g}; expected at least 1, as many cables down as up", value));
        }
    }
    static std::string shorter(Seconds across, Seconds within, std::string_view what) {
        return fmt::format("{} from {} to {} is shorter than {} within one", to_text(across), what, what,
                           to_text(within));
    }

    const Fabric& fabric_;
    std::vector<FabricFault> faults_;
};

} // namespace

std::span<const FabricKind> fabric_kinds() { return kKinds; }

std::string_view name(FabricKind kind) { return std::ranges::find(kNames, kind, &KindName::kind)->name; }

std::optional<FabricKind> fabric_kind_from(std::string_view text) {
    const auto found = std::ranges::find(kNames, text, &KindName::name);
    return found == kNames.end() ? std::nullopt : std::optional(found->kind);
}

std::optional<int> prescribed_tiers(FabricKind kind) {
    switch (kind) {
    case FabricKind::single_switch:
        return 1;
    case FabricKind::fat_tree_2:
        return 2;
    case FabricKind::fat_tree_3:
        return 3;
    default:
        return std::nullopt;
    }
}

Seconds longest_latency(const Fabric& fabric) {
    const int tiers = prescribed_tiers(fabric.kind).value_or(fabric.tiers);
    return tiers == 1   ? fabric.latency_same_leaf
           : tiers == 2 ? fabric.latency_cross_leaf
                        : fabric.latency_cross_pod;
}

Distance longest_distance(const Fabric& fabric) { return {longest_latency(fabric), longest_latency(fabric)}; }

std::int64_t max_endpoints(const Fabric& fabric) {
    const int tiers = prescribed_tiers(fabric.kind).value_or(fabric.tiers);
    const std::int64_t radix = fabric.radix;
    if (tiers == 1) {
        return radix;
    }
    const int up = up_ports(fabric.radix, fabric.oversubscription);
    const std::int64_t leaf = down_ports(fabric.radix, up, fabric.oversubscription);
    const std::int64_t planes = fabric.kind == FabricKind::multi_plane ? fabric.planes : 1;
    if (tiers == 2) {
        return planes * radix * leaf;
    }
    const int pod_up = up_ports(fabric.radix, fabric.pod_oversubscription);
    const int pod = fabric.pod_leaves.value_or(down_ports(fabric.radix, pod_up, fabric.pod_oversubscription));
    return planes * radix * pod * leaf;
}

std::string why_without_effect(const Fabric& fabric, std::string_view parameter) {
    const int tiers = prescribed_tiers(fabric.kind).value_or(fabric.tiers);
    const auto without = [&](std::string_view what, std::string_view kinds) {
        return fmt::format("a {} fabric of {} {} has no {}; expected {}", name(fabric.kind), tiers,
                           tiers == 1 ? "tier" : "tiers", what, kinds);
    };
    if (parameter == "rails" && fabric.kind != FabricKind::rail_optimised) {
        return without("rails", "kind \"rail-optimised\"");
    }
    if (parameter == "planes" && fabric.kind != FabricKind::multi_plane) {
        return without("planes", "kind \"multi-plane\"");
    }
    if (parameter == "tiers" && prescribed_tiers(fabric.kind)) {
        return without("choice of tiers", "kind \"rail-optimised\" or \"multi-plane\"");
    }
    if ((parameter == "oversubscription" || parameter == "spines") && tiers < 2) {
        return without("spines", "at least two tiers");
    }
    const bool of_pods =
        parameter == "pod_oversubscription" || parameter == "pod_leaves" || parameter == "cores";
    return of_pods && tiers < 3 ? without("pods", "three tiers") : "";
}

Fabric trimmed(Fabric fabric, const Node& node) {
    fabric.rails = std::min(fabric.rails, node.nics);
    fabric.planes = std::min(fabric.planes, node.nics);
    return fabric;
}

std::string to_text(const std::vector<FabricFault>& faults) {
    std::vector<std::string> lines;
    for (const FabricFault& fault : faults) {
        lines.push_back(fmt::format("{}: {}", fault.parameter, fault.message));
    }
    return fmt::format("{}", fmt::join(lines, "\n"));
}

std::vector<FabricFault> check_fabric(const Fabric& fabric) { return Checker(fabric).check(); }

std::vector<FabricFault> check_fabric(const Fabric& fabric, const Node& node, int nodes) {
    std::vector<FabricFault> faults = check_fabric(fabric);
    const Wiring wiring = wire(fabric, node, nodes, faults);
    if (!faults.empty()) {
        return faults;
    }
    const bool joined =
        wiring.leaves_per_plane() == 1 || (wiring.spines > 0 && (wiring.pods == 1 || wiring.cores > 0));
    const int cut_off = joined ? 0 : SwitchGraph(wiring).unreachable_leaves();
    if (cut_off > 0) {
        const std::string_view missing = wiring.spines == 0 ? "spines" : "cores";
        faults.push_back(
            {std::string(missing), fmt::format("{} of {} leaves cannot reach the rest: 0 {} join "
                                               "them; expected at least 1",
                                               cut_off, wiring.leaves(), missing)});
    }
    return faults;
}

} // namespace chokepoint::hw
