// SPDX-License-Identifier: Apache-2.0
// How far the measurements reach that shipped figures rest on: what lies beyond is extrapolated, and says so.
#pragma once

namespace chokepoint::hw {

/// GPUs of one NVLink domain in the largest published timings of collectives: aiconfigurator's tables hold
/// two to eight (measurements/published/nccl_intranode.tsv).
inline constexpr int kMeasuredDomain = 8;

} // namespace chokepoint::hw
