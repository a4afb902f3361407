// SPDX-License-Identifier: Apache-2.0
// What a cap leaves of a node, and each GPU's share of its node's ports.
#include <chokepoint/hwmodels/cluster.hpp>

#include <algorithm>

namespace chokepoint::hw {
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
