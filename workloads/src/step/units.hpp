// SPDX-License-Identifier: Apache-2.0
// A stage's blocks as an action walks through them: layer by layer, each with what runs in front of it.
#pragma once

#include <chokepoint/workloads/layer.hpp>

#include <optional>
#include <span>
#include <vector>

namespace chokepoint::work {

constexpr bool is_layer(BlockKind kind) {
    return kind == BlockKind::dense_layer || kind == BlockKind::moe_layer;
}

/// A layer with the blocks that run before it on the same side (embedding, head…); without a layer, what is
/// left behind the last one.
struct Unit {
    std::vector<Block> lead;
    std::optional<Block> layer;
};

/// Layers meet layers: the n-th layer of the forward runs beside the n-th layer of the backward, and blocks
/// that have no communication to hide run in front of their own side's next layer.
std::vector<Unit> units(std::span<const Block>);
/// The same in the order of a backward.
std::vector<Unit> reversed_units(std::span<const Block>);

/// The layers of a stage, front to back.
std::vector<Block> layers_of(std::span<const Block>);

} // namespace chokepoint::work
