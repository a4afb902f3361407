// SPDX-License-Identifier: Apache-2.0
// What starting kernels costs the host.
#include <chokepoint/hwmodels/host_launch.hpp>

#include <gtest/gtest.h>

namespace chokepoint::hw {
namespace {

TEST(HostLaunch, GrowsWithKernelsAndGraphsAreCheaper) {
    const Operator one = streaming("one", KernelClass::add, Bytes(1.0), Bytes(1.0), 1);
    const Operator many = streaming("many", KernelClass::router, Bytes(1.0), Bytes(1.0), 37);
    EXPECT_EQ(host_time(many, HostLaunch::hidden), Seconds(0.0));
    EXPECT_LT(host_time(one, HostLaunch::cuda_graph), host_time(one, HostLaunch::eager));
    EXPECT_DOUBLE_EQ(host_time(many, HostLaunch::eager) / host_time(one, HostLaunch::eager), 37.0);
}

TEST(HostLaunch, EveryNameIsReadBack) {
    for (const HostLaunch mode : {HostLaunch::hidden, HostLaunch::eager, HostLaunch::cuda_graph}) {
        EXPECT_EQ(host_launch_from(name(mode)), mode);
    }
    EXPECT_FALSE(host_launch_from("lazy"));
}

} // namespace
} // namespace chokepoint::hw
