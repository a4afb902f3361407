// SPDX-License-Identifier: Apache-2.0
// Clock that a part's power limit leaves in training: tensor cores at full clock draw more than it allows.
#pragma once

#include <chokepoint/hwmodels/gpu_spec.hpp>

namespace chokepoint::hw {

/// Time of large GEMMs that run without pause, over their time in a burst. 1: the limit never acts.
double gemm_loop_slowdown(const GpuSpec&);

/// Time of arithmetic in a training step over its time in a burst: GEMMs of `format` alternate
/// with work that draws less.
double training_clock_slowdown(const GpuSpec&, DType format);

} // namespace chokepoint::hw
