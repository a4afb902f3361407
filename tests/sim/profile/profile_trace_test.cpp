// SPDX-License-Identifier: Apache-2.0
// A profile as a timeline has every kernel where it ran, counted from the first, in the colour of its work.
#include "profile_files.hpp"

#include <chokepoint/sim/profile_trace.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace chokepoint;

namespace {

nlohmann::json trace_of(const sim::Profile& profile) {
    return nlohmann::json::parse(sim::to_trace_json(profile, hw::load_kernel_rules())).at("traceEvents");
}

nlohmann::json spans_of(const nlohmann::json& events) {
    nlohmann::json spans = nlohmann::json::array();
    for (const auto& event : events) {
        if (event.at("ph") == "X") {
            spans.push_back(event);
        }
    }
    return spans;
}

} // namespace

TEST(ProfileTrace, HasEveryKernelCountedFromTheFirst) {
    const sim::Profile profile = sim::read_profile(test::small_profile());
    const nlohmann::json spans = spans_of(trace_of(profile));
    ASSERT_EQ(spans.size(), profile.intervals.size());
    EXPECT_EQ(spans.front().at("ts"), 0.0);
    for (std::size_t i = 0; i < spans.size(); ++i) {
        const sim::GpuInterval& interval = profile.intervals[i];
        const double micro = 1e-3;
        EXPECT_NEAR(spans[i].at("ts"),
                    micro * static_cast<double>((interval.start - profile.intervals.front().start).count()),
                    1e-3);
        EXPECT_NEAR(spans[i].at("dur"), micro * static_cast<double>((interval.end - interval.start).count()),
                    1e-3);
        EXPECT_EQ(spans[i].at("tid"), interval.stream);
        EXPECT_EQ(spans[i].at("args").at("kernel"), profile.kernels[interval.kernel].name);
    }
}

TEST(ProfileTrace, ColoursWorkAsTheSimulatedStepDoes) {
    sim::Profile profile;
    profile.streams = {"7"};
    const std::vector<std::pair<std::string, std::string>> expected{
        {"flash_fwd_kernel", "thread_state_running"},
        {"flash_bwd_kernel", "rail_response"},
        {"ncclDevKernel_AllReduce_Sum_bf16_RING_LL", "thread_state_uninterruptible"},
        {"mine \"quoted\" \\ \xff", "generic_work"}};
    for (const auto& [name, color] : expected) {
        const auto at = std::chrono::microseconds(profile.kernels.size());
        profile.intervals.push_back({at,
                                     at + std::chrono::microseconds(1),
                                     static_cast<std::uint32_t>(profile.kernels.size()),
                                     0,
                                     {}});
        profile.kernels.push_back({name, "kernel"});
    }
    const nlohmann::json spans = spans_of(trace_of(profile));
    ASSERT_EQ(spans.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(spans[i].at("cname"), expected[i].second) << expected[i].first;
    }
    EXPECT_EQ(spans.back().at("name"), "unclassified");
}
