// SPDX-License-Identifier: Apache-2.0
// What a rank needs beside what it keeps: the tensors of the layer or head that runs, and what training
// software holds for weight gradients.
#pragma once

#include <chokepoint/workloads/layer.hpp>

namespace chokepoint::work {

/// Of a rank with these blocks, at its fullest moment: a layer's forward or backward, or the head's. With
/// `overlapped` a forward runs beside a backward.
hw::Bytes working_bytes(const ModelArch&, const ParallelPlan&, const std::vector<Block>&, bool overlapped);

/// What the allocator has back by then and cannot hand out again: an eager loss asks for FP32 tensors, each
/// twice the block that its 16-bit logits leave.
hw::Bytes stranded_bytes(const ModelArch&, const ParallelPlan&, const std::vector<Block>&);

} // namespace chokepoint::work
