// SPDX-License-Identifier: Apache-2.0
// Medians and percentiles of repeated timings.
#pragma once

#include <chrono>
#include <vector>

namespace chokepoint::kref {

using Seconds = std::chrono::duration<double>;

struct Percentiles {
    Seconds p5{0}, p25{0}, median{0}, p75{0}, p95{0};
    int samples = 0;
};

/// Linear interpolation between order statistics. @throws std::invalid_argument if there are no samples.
Percentiles percentiles(std::vector<Seconds> samples);

} // namespace chokepoint::kref
