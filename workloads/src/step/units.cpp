// SPDX-License-Identifier: Apache-2.0
// Cuts blocks behind every layer.
#include "units.hpp"

#include <algorithm>
#include <iterator>

namespace chokepoint::work {

std::vector<Unit> units(std::span<const Block> blocks) {
    std::vector<Unit> list(1);
    for (const Block& block : blocks) {
        if (is_layer(block.kind)) {
            list.back().layer = block;
            list.emplace_back();
        } else {
            list.back().lead.push_back(block);
        }
    }
    if (list.back().lead.empty()) {
        list.pop_back();
    }
    return list;
}

std::vector<Unit> reversed_units(std::span<const Block> blocks) {
    return units(std::vector<Block>(blocks.rbegin(), blocks.rend()));
}

std::vector<Block> layers_of(std::span<const Block> blocks) {
    std::vector<Block> layers;
    std::ranges::copy_if(blocks, std::back_inserter(layers),
                         [](const Block& block) { return is_layer(block.kind); });
    return layers;
}

} // namespace chokepoint::work
