// SPDX-License-Identifier: Apache-2.0
// The host that starts the kernels of each rank: usually ahead of the GPU, and at times not.
#pragma once

#include "timed_work.hpp"

#include <algorithm>
#include <vector>

namespace chokepoint::sim {

/// A host starts kernels in the order of the compute stream, one after another and however far ahead, but for
/// transfers that it waits for. Kernels are done no sooner than it has started the last of them.
class HostClock {
public:
    HostClock(int ranks, const TimedWork& timed)
        : timed_(timed),
          issued_(static_cast<std::size_t>(ranks), hw::Seconds(0.0)) {}

    /// How long a compute task takes that the GPU is free for `now`.
    hw::Seconds duration(const work::Task& task, hw::Seconds now) {
        const auto work = static_cast<std::size_t>(task.work);
        if (task.stream != work::Stream::compute) {
            return timed_.compute[work];
        }
        hw::Seconds& issued = issued_[static_cast<std::size_t>(task.rank)];
        issued += timed_.host[work];
        return std::max(timed_.compute[work], issued - now);
    }

    /// The host has waited for the GPU to get here.
    void wait(const work::Task& task, hw::Seconds now) {
        hw::Seconds& issued = issued_[static_cast<std::size_t>(task.rank)];
        issued = std::max(issued, now);
    }

private:
    const TimedWork& timed_;
    std::vector<hw::Seconds> issued_; ///< by rank: when the host has started all kernels so far
};

} // namespace chokepoint::sim
