// SPDX-License-Identifier: Apache-2.0
// What a run costs the machine: seconds of its one thread, and the most memory it held.
#pragma once

#include <algorithm>
#include <ctime>
#include <fstream>
#include <limits>
#include <string>

namespace chokepoint::bench {

/// Linux counts the peak from the last write of 5 to clear_refs.
inline void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << 5; }

inline double peak_mebibytes() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word == "VmHWM:") {
            double kibibytes = 0.0;
            status >> kibibytes;
            return kibibytes / 1024.0;
        }
    }
    return std::numeric_limits<double>::quiet_NaN();
}

struct Cost {
    double seconds = std::numeric_limits<double>::infinity();
    double mebibytes = std::numeric_limits<double>::infinity();
};

/// Runs `work`, keeps the best of what was seen so far, and returns this run's seconds. CPU time: the
/// simulator has one thread, and what else runs on the machine is not its cost.
template <class Work> double measure(Cost& best, Work work) {
    reset_peak_memory();
    const std::clock_t start = std::clock();
    work();
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    best.seconds = std::min(best.seconds, seconds);
    best.mebibytes = std::min(best.mebibytes, peak_mebibytes());
    return seconds;
}

} // namespace chokepoint::bench
