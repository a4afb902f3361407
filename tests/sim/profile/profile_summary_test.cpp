// SPDX-License-Identifier: Apache-2.0
// What is measured adds up, whatever the profile: sums over classes and streams, unions, overlap, idle time.
#include "profile_files.hpp"

#include <chokepoint/sim/profile_summary.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>

using namespace chokepoint;
using std::chrono::nanoseconds;

namespace {

const hw::KernelRules& rules() {
    static const hw::KernelRules loaded = hw::load_kernel_rules();
    return loaded;
}

template <typename Rows> nanoseconds sum_of(const Rows& rows) {
    nanoseconds sum{};
    for (const auto& row : rows) {
        sum += row.time.sum;
    }
    return sum;
}

const sim::ClassTime* find(const sim::ProfileSummary& summary, std::string_view id) {
    const auto found = std::ranges::find(summary.classes, id, &sim::ClassTime::id);
    return found == summary.classes.end() ? nullptr : &*found;
}

constexpr std::array<const char*, 4> kNames{"nvjet_tst_1", "ncclDevKernel_AllReduce_1", "mine",
                                            "flash_fwd_1"};

sim::Profile any_profile() {
    sim::Profile profile;
    for (const char* name : kNames) {
        profile.kernels.push_back({name, "kernel"});
    }
    profile.streams = {"7", "20"};
    const int count = *rc::gen::inRange(1, 20);
    for (int i = 0; i < count; ++i) {
        const nanoseconds start(*rc::gen::inRange(0, 60));
        profile.intervals.push_back({start, start + nanoseconds(*rc::gen::inRange(0, 20)),
                                     static_cast<std::uint32_t>(*rc::gen::inRange(0, 4)),
                                     static_cast<std::uint32_t>(*rc::gen::inRange(0, 2)), std::nullopt});
    }
    std::ranges::sort(profile.intervals, {}, &sim::GpuInterval::start);
    return profile;
}

/// Nanoseconds in which a kernel of the kinds runs, counted one by one.
nanoseconds counted(const sim::Profile& profile, bool compute, bool communication) {
    nanoseconds result{};
    for (nanoseconds at{}; at < nanoseconds(100); at += nanoseconds(1)) {
        bool computes = false;
        bool communicates = false;
        for (const sim::GpuInterval& interval : profile.intervals) {
            if (interval.start <= at && at < interval.end) {
                (interval.kernel == 1 ? communicates : computes) = true;
            }
        }
        result +=
            nanoseconds(computes >= compute && communicates >= communication && (computes || communicates));
    }
    return result;
}

} // namespace

TEST(ProfileSummary, OfTheSmallProfileIsWhatOneCountsByHand) {
    const sim::ProfileSummary summary = sim::summarize(sim::read_profile(test::small_profile()), rules());
    EXPECT_EQ(summary.span, nanoseconds(300'500));
    EXPECT_EQ(summary.all.busy, nanoseconds(282'750));
    EXPECT_EQ(summary.idle(), nanoseconds(17'750));
    EXPECT_EQ(summary.compute, nanoseconds(267'500));
    EXPECT_EQ(summary.communication, nanoseconds(150'500));
    EXPECT_EQ(summary.overlap, nanoseconds(140'250));
    ASSERT_NE(find(summary, "gemm bf16"), nullptr);
    EXPECT_EQ(find(summary, "gemm bf16")->time.sum, nanoseconds(180'125));
    EXPECT_EQ(find(summary, "all-reduce")->duty, hw::Duty::communication);
    EXPECT_EQ(find(summary, "copy engine")->duty, hw::Duty::copy);
    ASSERT_EQ(summary.unknown.size(), 1U);
    EXPECT_EQ(summary.unknown[0].kernel.name, "my_own_kernel");
    EXPECT_EQ(find(summary, "unclassified")->time, summary.unknown[0].time);
}

RC_GTEST_PROP(ProfileSummary, SumsOverClassesStreamsAndSegmentsAreTheWhole, ()) {
    const sim::ProfileSummary summary = sim::summarize(any_profile(), rules());
    RC_ASSERT(sum_of(summary.classes) == summary.all.sum);
    RC_ASSERT(sum_of(summary.streams) == summary.all.sum);
    RC_ASSERT(sum_of(summary.segments) == summary.all.sum);
}

RC_GTEST_PROP(ProfileSummary, UnionsAndOverlapAreThoseOfCountingEveryNanosecond, ()) {
    const sim::Profile profile = any_profile();
    const sim::ProfileSummary summary = sim::summarize(profile, rules());
    RC_ASSERT(summary.all.busy == counted(profile, false, false));
    RC_ASSERT(summary.compute == counted(profile, true, false));
    RC_ASSERT(summary.communication == counted(profile, false, true));
    RC_ASSERT(summary.overlap == counted(profile, true, true));
}

RC_GTEST_PROP(ProfileSummary, BusyAndIdleMakeTheSpanAndOverlapIsNoMoreThanEither, ()) {
    const sim::ProfileSummary summary = sim::summarize(any_profile(), rules());
    RC_ASSERT(summary.all.busy + summary.idle() == summary.span);
    RC_ASSERT(summary.idle() >= nanoseconds::zero());
    RC_ASSERT(summary.overlap <= std::min(summary.compute, summary.communication));
    RC_ASSERT(summary.compute + summary.communication - summary.overlap == summary.all.busy);
}

RC_GTEST_PROP(ProfileSummary, NothingIsBusyForLongerThanItsKernelsTake, ()) {
    const sim::ProfileSummary summary = sim::summarize(any_profile(), rules());
    for (const sim::ClassTime& row : summary.classes) {
        RC_ASSERT(row.time.busy <= row.time.sum);
        RC_ASSERT(row.time.busy <= summary.all.busy);
    }
}
