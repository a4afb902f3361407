// SPDX-License-Identifier: Apache-2.0
// Where the time of a profile went: by operator class, by stream, by annotated segment, and what ran beside
// what.
#pragma once

#include <chokepoint/sim/profile.hpp>

#include <chokepoint/hwmodels/kernel_rules.hpp>

namespace chokepoint::sim {

struct ProfiledTime {
    std::int64_t launches = 0;
    ProfileTime sum{};  ///< of all durations
    ProfileTime busy{}; ///< while at least one ran
    friend bool operator==(const ProfiledTime&, const ProfiledTime&) = default;
};

struct ClassTime {
    std::string id; ///< "unclassified" for what no rule knows
    hw::Duty duty = hw::Duty::compute;
    ProfiledTime time;
    friend bool operator==(const ClassTime&, const ClassTime&) = default;
};

struct StreamTime {
    std::string stream;
    ProfiledTime time;
    friend bool operator==(const StreamTime&, const StreamTime&) = default;
};

struct SegmentTime {
    std::string name; ///< empty: launched outside every annotation
    std::int64_t count = 0;
    ProfiledTime time;
    ProfileTime compute{}, communication{}; ///< busy, as in the whole profile
    friend bool operator==(const SegmentTime&, const SegmentTime&) = default;
};

struct UnknownKernel {
    ProfiledKernel kernel;
    ProfiledTime time;
    friend bool operator==(const UnknownKernel&, const UnknownKernel&) = default;
};

struct ProfileSummary {
    ProfileTime span{}; ///< from the first start to the last end
    ProfiledTime all;
    ProfileTime compute{}, communication{}; ///< busy; kernels that no rule knows count as compute
    ProfileTime overlap{};                  ///< both at a time
    std::vector<ClassTime> classes;         ///< most time first, here and below
    std::vector<StreamTime> streams;
    std::vector<SegmentTime> segments;
    std::vector<UnknownKernel> unknown;
    [[nodiscard]] ProfileTime idle() const { return span - all.busy; }
    friend bool operator==(const ProfileSummary&, const ProfileSummary&) = default;
};

ProfileSummary summarize(const Profile&, const hw::KernelRules&);

/// While at least one kernel of these classes ran. `ids` are those of a table that fits the rules.
ProfileTime busy_time(const Profile&, const hw::KernelRules&, const std::vector<std::string>& ids);

} // namespace chokepoint::sim
