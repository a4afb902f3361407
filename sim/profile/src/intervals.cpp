// SPDX-License-Identifier: Apache-2.0
// Sweeps over sorted stretches.
#include "intervals.hpp"

#include <algorithm>

namespace chokepoint::sim {

void append(Stretches& stretches, const Stretch& next) {
    if (next.start >= next.end) {
        return;
    }
    if (!stretches.empty() && next.start <= stretches.back().end) {
        stretches.back().end = std::max(stretches.back().end, next.end);
    } else {
        stretches.push_back(next);
    }
}

Stretches unite(std::vector<Stretch> stretches) {
    std::ranges::sort(stretches);
    Stretches result;
    for (const Stretch& stretch : stretches) {
        append(result, stretch);
    }
    return result;
}

Stretches intersect(const Stretches& a, const Stretches& b) {
    Stretches result;
    auto left = a.begin();
    auto right = b.begin();
    while (left != a.end() && right != b.end()) {
        const Stretch common{std::max(left->start, right->start), std::min(left->end, right->end)};
        if (common.start < common.end) {
            result.push_back(common);
        }
        (left->end < right->end ? left : right)++;
    }
    return result;
}

ProfileTime length(const Stretches& stretches) {
    ProfileTime sum{};
    for (const Stretch& stretch : stretches) {
        sum += stretch.end - stretch.start;
    }
    return sum;
}

} // namespace chokepoint::sim
