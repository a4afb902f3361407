// SPDX-License-Identifier: Apache-2.0
// Clock that a part's power limit leaves in training: tensor cores at full clock draw more than it allows.
#pragma once

#include <chokepoint/hwmodels/gpu_spec.hpp>

namespace chokepoint::hw {

/// Time of large GEMMs that run without pause, over their time in a burst. 1: the limit never acts.
double gemm_loop_slowdown(const GpuSpec&);

/// The same of a kernel that is busy with tensor cores and memory for these shares of a burst, each at its
/// peak, where large GEMMs take `of_large` times as long as in a burst.
double loop_slowdown(double of_large, double tensor_share, double memory_share);

/// What a GPU's kernels spend their time on at full clock, as shares that leave a rest: streaming memory.
struct KernelMix {
    double gemm = 0.65; ///< a transformer's layers in 16 bits (docs/calibration.md, "Does a layer add up?")
    double attention = 0.15;
    friend bool operator==(const KernelMix&, const KernelMix&) = default;
};

/// Time of arithmetic in a training step over its time in a burst: GEMMs alternate with work that draws less.
double training_clock_slowdown(const GpuSpec&, const KernelMix&);

} // namespace chokepoint::hw
