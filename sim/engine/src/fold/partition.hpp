// SPDX-License-Identifier: Apache-2.0
// The coarsest division of a cluster's GPUs under which equal GPUs meet equal others in equal numbers.
#pragma once

#include "reach.hpp"

namespace chokepoint::sim::folding {

struct Partition {
    std::vector<GpuClass> classes; ///< ascending pipeline rank, then representative
    std::vector<int> class_of;     ///< by GPU
};

/// One class for each pipeline rank.
Partition by_stage(const work::RankLayout&, int ranks);
/// One class for each GPU.
Partition one_by_one(const work::RankLayout&, int ranks);
/// Colour refinement. GPUs of one class have equal conditions; their groups of each kind hold equally many of
/// each class; their counterparts on each partner rank are of one class; and so are the numbers of each class
/// below the links above them.
/// @param reach by group relation, then GPU; empty where no uplink binds
/// @param load by GPU; empty: alike
Partition refine(const work::RankLayout&, const Relations&, const Uplinks&, const Conditions&,
                 const std::vector<std::vector<Reach>>& reach, const std::vector<double>& load);

/// Whether nothing tells the GPUs of a pipeline rank apart.
bool symmetric(const Conditions&, hw::BytesPerSecond nic);

} // namespace chokepoint::sim::folding
