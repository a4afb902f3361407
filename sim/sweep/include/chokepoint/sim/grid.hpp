// SPDX-License-Identifier: Apache-2.0
// Every combination of the positions of some axes, numbered: the last axis moves fastest.
#pragma once

#include <chokepoint/sim/scenario_template.hpp>

#include <cstdint>

namespace chokepoint::sim {

class Grid {
public:
    /// @throws std::invalid_argument if an axis is empty or a key is on two axes; std::length_error if there
    /// are more points than `most`, saying how many there are.
    Grid(std::vector<Axis> axes, std::int64_t most);
    [[nodiscard]] const std::vector<Axis>& axes() const { return axes_; }
    [[nodiscard]] std::int64_t points() const { return points_; }
    /// Where on each axis a point lies.
    [[nodiscard]] std::vector<std::size_t> coordinates(std::int64_t point) const;
    /// "plan.expert=32", one for each key.
    [[nodiscard]] std::vector<std::string> overrides(std::int64_t point) const;

private:
    std::vector<Axis> axes_;
    std::int64_t points_ = 1;
};

/// So many points are run without being asked twice.
inline constexpr std::int64_t kMostPoints = 100'000;

} // namespace chokepoint::sim
