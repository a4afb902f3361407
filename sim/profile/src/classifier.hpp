// SPDX-License-Identifier: Apache-2.0
// The class of each interval of a profile, by a table of kernel names.
#pragma once

#include <chokepoint/hwmodels/kernel_rules.hpp>
#include <chokepoint/sim/profile.hpp>

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace chokepoint::sim {

inline constexpr std::string_view kUnclassified = "unclassified";

/// Class of every (kernel, stream) pair, looked up once.
class Classifier {
public:
    Classifier(const Profile& profile, const hw::KernelRules& rules) : profile_(profile), rules_(rules) {}

    std::optional<std::size_t> operator()(const GpuInterval& interval) {
        const auto [found, added] = known_.try_emplace({interval.kernel, interval.stream});
        if (added) {
            const ProfiledKernel& kernel = profile_.kernels[interval.kernel];
            found->second = rules_.classify(kernel.name, kernel.category, profile_.streams[interval.stream]);
        }
        return found->second;
    }
    hw::Duty duty(std::optional<std::size_t> of_class) const {
        return of_class ? rules_.classes[*of_class].duty : hw::Duty::compute;
    }
    std::string id(std::optional<std::size_t> of_class) const {
        return of_class ? rules_.classes[*of_class].id : std::string(kUnclassified);
    }

private:
    const Profile& profile_;
    const hw::KernelRules& rules_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::optional<std::size_t>> known_;
};

} // namespace chokepoint::sim
