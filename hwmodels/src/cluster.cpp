// SPDX-License-Identifier: Apache-2.0
// Names of fabrics, and each GPU's share of its node's ports.
#include <chokepoint/hwmodels/cluster.hpp>

#include <algorithm>
#include <array>

namespace chokepoint::hw {
namespace {

struct KindName {
    FabricKind kind;
    std::string_view name;
};

constexpr std::array kKinds{
    KindName{FabricKind::single_switch, "single-switch"},
    KindName{FabricKind::fat_tree, "fat-tree"},
    KindName{FabricKind::multi_plane_fat_tree, "multi-plane-fat-tree"},
};

} // namespace

std::string_view name(FabricKind kind) { return std::ranges::find(kKinds, kind, &KindName::kind)->name; }

std::optional<FabricKind> fabric_kind_from(std::string_view text) {
    const auto found = std::ranges::find(kKinds, text, &KindName::name);
    return found == kKinds.end() ? std::nullopt : std::optional(found->kind);
}

Node apply(const Caps& caps, Node node) {
    node.gpu = apply(caps, std::move(node.gpu));
    if (caps.nic) {
        node.nic = std::min(node.nic, *caps.nic);
    }
    return node;
}

BytesPerSecond nic_per_gpu(const Node& node) {
    return node.nic * (static_cast<double>(node.nics) / node.gpus);
}

} // namespace chokepoint::hw
