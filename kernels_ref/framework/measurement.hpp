// SPDX-License-Identifier: Apache-2.0
// What is known about one kernel on one shape after trying it, and its passage from worker to supervisor as a
// line.
#pragma once

#include "framework/compare.hpp"
#include "framework/nvml.hpp"
#include "framework/timer.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chokepoint::kref {

/// Who else is on the device. limited: nobody, but a GEMM is told to use fewer SMs; to a library that is a
/// hint to its heuristics. held: others occupy SMs and wait, and nothing else runs there. beside: they copy
/// memory as well.
enum class Sharing { alone, limited, held, beside };
std::string_view name(Sharing);

enum class Outcome { timed, checked, wrong, unsupported, error, died, skipped };
std::string_view name(Outcome);

struct Measurement {
    int kernel = 0;     ///< index in kernels()
    int case_index = 0; ///< index in its cases
    Outcome outcome = Outcome::skipped;
    Mode mode = Mode::hot;
    Sharing sharing = Sharing::alone;
    int sms_held = 0;
    Percentiles time; ///< of one launch; only if timed
    Check check;      ///< only if something ran
    BoardState board;
    double beside_bytes_per_second = 0.0; ///< what the copy beside moved, reads and writes
    std::string note;
};

/// Device, software and settings, as names and values in the order of the file.
using MachineFacts = std::vector<std::pair<std::string, std::string>>;

/// One line without tabs or line breaks inside values.
std::string to_line(const Measurement&);
/// @throws std::runtime_error naming the field that is missing or malformed.
Measurement measurement_from(std::string_view line);

} // namespace chokepoint::kref
