// SPDX-License-Identifier: Apache-2.0
// What a scenario says of the work that a profile recorded, and both side by side.
#pragma once

#include <chokepoint/sim/profile_summary.hpp>
#include <chokepoint/sim/scenario.hpp>

#include <map>

namespace chokepoint::sim {

/// Which part of the scenario a profile shows.
struct ProfileScope {
    std::optional<int> pair_layers; ///< one overlapped forward and backward of so many MoE layers, not a step
    std::optional<int> rank;        ///< pipeline rank; without it the mean over ranks
    int count = 1;                  ///< steps, or pairs, in the profile
};

/// Times of one GPU: those of a scope's `count` steps or pairs together.
struct PredictedProfile {
    std::map<std::string, hw::Seconds>
        works; ///< by operator ("gemm fp8", "norm_fwd") or transfer ("dispatch")
    hw::Seconds span, compute, communication, overlap; ///< as in ProfileSummary
};

/// @throws std::invalid_argument if the scenario has no such rank, or no experts where a pair is asked for.
PredictedProfile predict_profile(const Scenario&, const ProfileScope&);

/// Classes and works that can only be compared together: a name that fits two works joins them.
struct ComparedRow {
    std::vector<std::string> classes; ///< of the profile; none: nothing there is counted under such a class
    std::vector<std::string> works;   ///< of the scenario; none: it models nothing of the kind
    ProfileTime measured{};           ///< while at least one of the classes ran
    hw::Seconds predicted;
};

/// Most measured time first.
std::vector<ComparedRow> compare_profile(const Profile&, const hw::KernelRules&, const PredictedProfile&);

} // namespace chokepoint::sim
