// SPDX-License-Identifier: Apache-2.0
// Host time of a kernel launch, by how the software starts kernels.
#include <chokepoint/hwmodels/host_launch.hpp>

#include <algorithm>
#include <array>

namespace chokepoint::hw {
namespace {

using namespace literals;

struct Entry {
    HostLaunch mode;
    std::string_view name;
    Seconds launch;
};

// estimate: 5 to 25 us of host work for an operator of PyTorch (jiahuanglin.xyz, "From PyTorch op to kernel
// launch"), of which the driver's launch alone is 4 to 6 us (susun-blog.com, pegainfer 3, measured); the
// geometric middle. A replayed graph node: under 1 us, from the 2.5 us that a graph of one kernel saves
// against a direct launch on B200 (dogacel.github.io, 2026-03-14).
constexpr std::array kEntries{
    Entry{HostLaunch::hidden, "hidden", 0_us},
    Entry{HostLaunch::eager, "eager", 11_us},
    Entry{HostLaunch::cuda_graph, "cuda-graph", 1_us},
};

} // namespace

std::string_view name(HostLaunch mode) { return std::ranges::find(kEntries, mode, &Entry::mode)->name; }

std::optional<HostLaunch> host_launch_from(std::string_view text) {
    const auto found = std::ranges::find(kEntries, text, &Entry::name);
    return found == kEntries.end() ? std::nullopt : std::optional(found->mode);
}

Seconds host_time(const Operator& op, HostLaunch mode) {
    return op.launches * std::ranges::find(kEntries, mode, &Entry::mode)->launch;
}

} // namespace chokepoint::hw
