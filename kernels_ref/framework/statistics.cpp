// SPDX-License-Identifier: Apache-2.0
// Percentiles by sorting.
#include "framework/statistics.hpp"

#include <algorithm>
#include <stdexcept>

namespace chokepoint::kref {

Percentiles percentiles(std::vector<Seconds> samples) {
    if (samples.empty()) {
        throw std::invalid_argument("percentiles of no samples; expected at least one");
    }
    std::sort(samples.begin(), samples.end());
    const auto at = [&](double share) {
        const double position = share * static_cast<double>(samples.size() - 1);
        const auto below = static_cast<std::size_t>(position);
        const std::size_t above = std::min(below + 1, samples.size() - 1);
        return samples[below] + (position - static_cast<double>(below)) * (samples[above] - samples[below]);
    };
    return {at(0.05), at(0.25), at(0.50), at(0.75), at(0.95), static_cast<int>(samples.size())};
}

} // namespace chokepoint::kref
