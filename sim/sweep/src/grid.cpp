// SPDX-License-Identifier: Apache-2.0
// Numbers the points of a grid.
#include <chokepoint/sim/grid.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace chokepoint::sim {

Grid::Grid(std::vector<Axis> axes, std::int64_t most) : axes_(std::move(axes)) {
    std::set<std::string> keys;
    double points = 1.0; // may be more than an integer holds
    std::vector<std::string> lengths;
    for (const Axis& axis : axes_) {
        if (axis.positions.empty()) {
            throw std::invalid_argument(fmt::format("the axis {} is empty", axis.name()));
        }
        for (const std::string& key : axis.keys) {
            if (!keys.insert(key).second) {
                throw std::invalid_argument(fmt::format("the key {} is on two axes", key));
            }
        }
        points *= static_cast<double>(axis.positions.size());
        lengths.push_back(fmt::format("{}", axis.positions.size()));
    }
    if (points > static_cast<double>(most)) {
        throw std::length_error(fmt::format("the axes span {} = {} points, more than the {} allowed",
                                            fmt::join(lengths, " x "), hw::group_digits(points),
                                            hw::group_digits(static_cast<double>(most))));
    }
    points_ = static_cast<std::int64_t>(points);
}

std::vector<std::size_t> Grid::coordinates(std::int64_t point) const {
    std::vector<std::size_t> at(axes_.size());
    for (std::size_t i = axes_.size(); i-- > 0;) {
        const auto length = static_cast<std::int64_t>(axes_[i].positions.size());
        at[i] = static_cast<std::size_t>(point % length);
        point /= length;
    }
    return at;
}

std::vector<std::string> Grid::overrides(std::int64_t point) const {
    std::vector<std::string> overrides;
    const std::vector<std::size_t> at = coordinates(point);
    for (std::size_t i = 0; i < axes_.size(); ++i) {
        for (std::size_t k = 0; k < axes_[i].keys.size(); ++k) {
            overrides.push_back(fmt::format("{}={}", axes_[i].keys[k], axes_[i].positions[at[i]][k].text));
        }
    }
    return overrides;
}

} // namespace chokepoint::sim
