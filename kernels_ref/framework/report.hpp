// SPDX-License-Identifier: Apache-2.0
// The measurement file and the table on screen.
#pragma once

#include "framework/measurement.hpp"

#include <string>
#include <vector>

namespace chokepoint::kref {

/// All that a file says beside its rows.
struct RunFacts {
    MachineFacts machine; ///< "device" is the name that the driver gives
    std::string commit, date;
    std::uint64_t seed = 0;
    Seconds budget{0}, spent{0};
};

/// A file of schema chokepoint/measurements/1 (docs/schema/measurement.schema.json): one series for each
/// kernel, class and way of timing; what failed or was left out lies apart from the timings.
std::string measurement_file(const RunFacts&, const std::vector<Measurement>&);

/// "gemm-bf16-lt  q_a fwd  m=4096 n=1536 k=7168  hot  92.1 us  979 TFLOPS"
std::string summary_line(const Measurement&);
/// Counts by outcome, and every result that is wrong.
std::string closing_lines(const std::vector<Measurement>&);

} // namespace chokepoint::kref
