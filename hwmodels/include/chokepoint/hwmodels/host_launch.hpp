// SPDX-License-Identifier: Apache-2.0
// What starting kernels costs the host: a stretch of small kernels takes no less than that.
#pragma once

#include <chokepoint/hwmodels/operator.hpp>

#include <optional>
#include <string_view>

namespace chokepoint::hw {

enum class HostLaunch {
    hidden,     ///< the host is always ahead, as in a profile of long kernels
    eager,      ///< a framework starts each kernel from Python
    cuda_graph, ///< recorded once and replayed
};
std::string_view name(HostLaunch);
std::optional<HostLaunch> host_launch_from(std::string_view);

/// Time that the host needs to start an operator's kernels. The host runs ahead of the device, so a stretch
/// of operators takes the larger of their times on the device and of this, summed over the stretch.
Seconds host_time(const Operator&, HostLaunch);

} // namespace chokepoint::hw
