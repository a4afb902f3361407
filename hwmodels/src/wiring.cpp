// SPDX-License-Identifier: Apache-2.0
// Counts ports, switches and cables, and refuses what does not fit.
#include <chokepoint/hwmodels/wiring.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chokepoint::hw {
namespace {

constexpr double kRounding = 1e-9; // of a ratio of small whole numbers

int ceil_div(int a, int b) { return (a + b - 1) / b; }
bool divides(int a, int b) { return a > 0 && b % a == 0; }

/// The most cables, dividing `cables`, that a switch can run to each of `neighbours` with `ports` ports; 0 if
/// it has fewer ports than neighbours.
int widest_bundle(int cables, int neighbours, int ports) {
    for (int width = cables; width > 0; --width) {
        if (divides(width, cables) && static_cast<std::int64_t>(width) * neighbours <= ports) {
            return width;
        }
    }
    return 0;
}

class Wirer {
public:
    Wirer(const Fabric& fabric, const Node& node, int nodes, std::vector<FabricFault>& faults)
        : fabric_(fabric),
          node_(node),
          nodes_(nodes),
          faults_(faults) {}

    Wiring wire() {
        wiring_.nodes = nodes_;
        wiring_.nics = node_.nics;
        check_nics();
        wiring_.tiers = prescribed_tiers(fabric_.kind).value_or(fabric_.tiers);
        wiring_.planes = fabric_.kind == FabricKind::multi_plane ? fabric_.planes : 1;
        wiring_.lanes = fabric_.kind == FabricKind::rail_optimised ? fabric_.rails : wiring_.planes;
        check_lanes();
        if (!faults_.empty()) {
            return wiring_;
        }
        wire_leaves();
        if (faults_.empty() && wiring_.tiers == 2) {
            wire_spines(wiring_.leaves_per_plane());
        } else if (faults_.empty() && wiring_.tiers == 3) {
            wire_pods();
        }
        return wiring_;
    }

private:
    void fault(std::string_view parameter, std::string message) {
        faults_.push_back({std::string(parameter), std::move(message)});
    }

    void check_nics() {
        if (nodes_ < 1) {
            fault("nodes", fmt::format("{} nodes; expected at least 1", nodes_));
        }
        if (node_.gpus < 1 || node_.nics < 1) {
            fault("nics", fmt::format("a node of {} GPUs and {} NICs; expected at least one of each",
                                      node_.gpus, node_.nics));
        } else if (!divides(node_.gpus, node_.nics) && !divides(node_.nics, node_.gpus)) {
            fault("nics",
                  fmt::format("{} NICs for {} GPUs of a node; expected the one to divide the other, so "
                              "that every GPU has the same share, as with nics_per_node = {}",
                              node_.nics, node_.gpus, node_.gpus));
        }
    }

    void check_lanes() {
        if (wiring_.lanes < 1 || node_.nics < 1 || divides(wiring_.lanes, node_.nics)) {
            return; // check_fabric() has its word on fewer than one
        }
        const bool rails = fabric_.kind == FabricKind::rail_optimised;
        fault(rails ? "rails" : "planes",
              fmt::format("{} {} do not divide the {} NICs of a node; expected as many NICs in each",
                          wiring_.lanes, rails ? "rails" : "planes", node_.nics));
    }

    void wire_leaves() {
        const int up = wiring_.tiers == 1 ? 0 : up_ports(fabric_.radix, fabric_.oversubscription);
        const int down =
            wiring_.tiers == 1 ? fabric_.radix : down_ports(fabric_.radix, up, fabric_.oversubscription);
        wiring_.leaf_uplinks = up;
        const int together = std::max(1, node_.nics / node_.gpus / wiring_.lanes); // NICs of one GPU
        const int nics_in_lane = node_.nics / wiring_.lanes;
        if (wiring_.tiers == 1) {
            wire_single_switch();
        } else if (up < 1 || down < 1) {
            fault("radix", fmt::format("{} ports of a leaf at an oversubscription of {:g} leave none {}",
                                       fabric_.radix, fabric_.oversubscription, up < 1 ? "up" : "down"));
        } else if (down >= nics_in_lane) {
            wiring_.nodes_per_group = down / nics_in_lane;
            wiring_.nics_per_leaf = wiring_.nodes_per_group * nics_in_lane;
            wiring_.groups = ceil_div(nodes_, wiring_.nodes_per_group);
        } else if (down >= together) {
            wiring_.nics_per_leaf = down / together * together;
            const std::int64_t nics = wiring_.place_in_lane(nodes_, 0);
            wiring_.groups = static_cast<int>((nics + wiring_.nics_per_leaf - 1) / wiring_.nics_per_leaf);
        } else {
            fault("radix", fmt::format("a GPU plugs {} NICs into one leaf, which has {} ports down of {}",
                                       together, down, fabric_.radix));
        }
    }

    void wire_single_switch() {
        const std::int64_t nics = std::int64_t{nodes_} * node_.nics;
        if (nics > fabric_.radix) {
            fault("radix", fmt::format("{} nodes plug {} NICs into one switch of {} ports: {} NICs cannot be "
                                       "reached; expected fewer nodes, a larger radix or more tiers",
                                       nodes_, nics, fabric_.radix, nics - fabric_.radix));
        }
        wiring_.nodes_per_group = nodes_;
        wiring_.pod_leaves = 1;
        wiring_.nics_per_leaf = static_cast<int>(std::min<std::int64_t>(nics, fabric_.radix));
        wiring_.groups = 1;
    }

    void too_many_nics(std::int64_t leaves_allowed) {
        const std::int64_t room = leaves_allowed * wiring_.nics_per_leaf * wiring_.planes;
        fault("radix",
              fmt::format("{} nodes of {} NICs plug in {} NICs, and {} tiers of {}-port switches{} "
                          "join {}; expected fewer nodes, a larger radix or more tiers",
                          nodes_, node_.nics, std::int64_t{nodes_} * node_.nics, wiring_.tiers, fabric_.radix,
                          wiring_.planes > 1 ? fmt::format(" in {} planes", wiring_.planes) : "", room));
    }

    /// Spines above so many leaves; `down` of a spine's ports lead to them.
    void wire_spines_with(int leaves, int down) {
        const int up = wiring_.leaf_uplinks;
        wiring_.leaf_cables = widest_bundle(up, leaves, down);
        wiring_.spines = wiring_.leaf_cables > 0 ? up / wiring_.leaf_cables : 0;
        if (!fabric_.spines) {
            return;
        }
        const int spines = *fabric_.spines;
        if (spines == 0) {
            wiring_.spines = wiring_.leaf_cables = 0; // reachability says whom that cuts off
        } else if (spines < 0 || !divides(spines, up)) {
            fault("spines",
                  fmt::format("the {} uplinks of a leaf do not spread evenly over {} spines", up, spines));
        } else if (static_cast<std::int64_t>(leaves) * (up / spines) > down) {
            fault("spines", fmt::format("{} spines take {} cables from each of {} leaves, and have {} ports "
                                        "each for them; expected at least {} spines",
                                        spines, up / spines, leaves, down, wiring_.spines));
        } else {
            wiring_.spines = spines;
            wiring_.leaf_cables = up / spines;
        }
    }

    void wire_spines(int leaves) {
        wiring_.pod_leaves = leaves;
        if (leaves == 1) {
            return; // one leaf needs no spine
        }
        if (leaves > fabric_.radix) {
            too_many_nics(fabric_.radix / (wiring_.lanes / wiring_.planes) *
                          (wiring_.lanes / wiring_.planes));
            return;
        }
        wire_spines_with(leaves, fabric_.radix);
    }

    void wire_pods() {
        const int leaves = wiring_.leaves_per_plane();
        const int lanes = wiring_.lanes / wiring_.planes; // a pod holds whole sets of rails
        const int up = up_ports(fabric_.radix, fabric_.pod_oversubscription);
        const int down = up < 1 ? 0 : down_ports(fabric_.radix, up, fabric_.pod_oversubscription);
        const int largest = down / lanes * lanes;
        const int wanted = fabric_.pod_leaves.value_or(largest);
        if (up < 1 || largest < 1) {
            fault("radix", fmt::format("{} ports of a spine at a pod_oversubscription of {:g} leave {} down "
                                       "and {} up; a pod needs at least {} down and 1 up",
                                       fabric_.radix, fabric_.pod_oversubscription, down, up, lanes));
            return;
        }
        if (wanted < 1 || wanted % lanes != 0 || wanted > largest) {
            fault("pod_leaves",
                  fmt::format("{} leaves in a pod; expected {} to {}{}", wanted, lanes, largest,
                              lanes > 1 ? fmt::format(", a multiple of the {} rails", lanes) : ""));
            return;
        }
        if (leaves <= wanted) { // one pod: the spines need no ports up
            wire_spines(leaves);
            return;
        }
        wiring_.pod_leaves = wanted;
        wiring_.pods = ceil_div(leaves, wanted);
        if (wiring_.pods > fabric_.radix) {
            too_many_nics(std::int64_t{fabric_.radix} * wanted);
            return;
        }
        wire_spines_with(wanted, down);
        wire_cores();
    }

    void wire_cores() {
        if (wiring_.spines == 0) {
            return;
        }
        const int down = wiring_.pod_leaves * wiring_.leaf_cables;
        const int up = static_cast<int>(std::ceil(down / fabric_.pod_oversubscription - kRounding));
        wiring_.spine_uplinks = up;
        wiring_.spine_cables = widest_bundle(up, wiring_.pods, fabric_.radix);
        const int per_spine = up / wiring_.spine_cables; // at least 1: pods were checked against the radix
        wiring_.cores = wiring_.spines * per_spine;
        if (!fabric_.cores) {
            return;
        }
        const int cores = *fabric_.cores;
        const int share = cores / wiring_.spines;
        if (cores == 0) {
            wiring_.cores = wiring_.spine_cables = 0;
        } else if (cores < 0 || cores % wiring_.spines != 0 || up % share != 0) {
            fault("cores",
                  fmt::format("the {} uplinks of each of a pod's {} spines do not spread evenly over "
                              "{} cores",
                              up, wiring_.spines, cores));
        } else if (static_cast<std::int64_t>(up / share) * wiring_.pods > fabric_.radix) {
            fault("cores",
                  fmt::format("{} cores take {} cables from each of {} pods, and have {} ports each; "
                              "expected at least {} cores",
                              cores, up / share, wiring_.pods, fabric_.radix, wiring_.cores));
        } else {
            wiring_.cores = cores;
            wiring_.spine_cables = up / share;
        }
    }

    const Fabric& fabric_;
    const Node& node_;
    int nodes_;
    std::vector<FabricFault>& faults_;
    Wiring wiring_;
};

} // namespace

int Wiring::nics_of_leaf(int leaf) const {
    const int group = leaf / lanes;
    if (nodes_per_group > 0) {
        return std::min(nodes_per_group, nodes - group * nodes_per_group) * (nics / lanes);
    }
    const std::int64_t before = std::int64_t{group} * nics_per_leaf;
    return static_cast<int>(std::min<std::int64_t>(nics_per_leaf, place_in_lane(nodes, 0) - before));
}

int up_ports(int radix, double oversubscription) {
    const int most = static_cast<int>(radix / (1.0 + oversubscription) + kRounding);
    for (int up = most; up * 4 >= most * 3 && up > 0; --up) {
        if (std::abs(up * oversubscription - std::round(up * oversubscription)) < kRounding) {
            return up;
        }
    }
    return most;
}

int down_ports(int radix, int up, double oversubscription) {
    return std::min(radix - up, static_cast<int>(up * oversubscription + kRounding));
}

Wiring wire(const Fabric& fabric, const Node& node, int nodes, std::vector<FabricFault>& faults) {
    return Wirer(fabric, node, nodes, faults).wire();
}

} // namespace chokepoint::hw
