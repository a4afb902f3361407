// SPDX-License-Identifier: Apache-2.0
// When the activations of a stage's first layers go to the host and come back.
#pragma once

#include <algorithm>
#include <cstddef>

namespace chokepoint::work {

/// Copies take their turns over the whole forward, one at a time, each with as many layers beside it as there
/// are layers to a copy, and as many in the backward: Transformer Engine's
/// AsyncDoubleBufferGroupOffloadHandler (cpu_offload.py, layer_window_map), which Megatron-LM's
/// cpu_offloading_num_layers uses. It never offloads the last layer, whose backward comes at once.
struct OffloadWindows {
    OffloadWindows(std::size_t stage_layers, int wanted)
        : layers(stage_layers),
          copies(std::min(static_cast<std::size_t>(wanted), stage_layers == 0 ? 0 : stage_layers - 1)) {}

    std::size_t layers = 0; ///< of the stage
    std::size_t copies = 0; ///< of them, the first so many are offloaded

    /// The layer whose forward ends copy k, and whose backward begins its return.
    [[nodiscard]] std::size_t last_layer(std::size_t k) const {
        return layers / copies * (k + 1) - 1 + std::min(k + 1, layers % copies);
    }
};

} // namespace chokepoint::work
