// SPDX-License-Identifier: Apache-2.0
// Which GPUs of a cluster live the same life, so that simulating one of each kind gives every GPU's times.
#pragma once

#include <chokepoint/sim/network.hpp>
#include <chokepoint/sim/timeline.hpp>
#include <chokepoint/workloads/rank_layout.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::sim {

enum class Fold {
    automatic, ///< as many classes as it takes for the answer to be that of `none`
    none,      ///< every GPU is simulated
    stage,     ///< one class for each pipeline rank, all of whose GPUs are taken to be alike
};
std::string_view name(Fold);
std::optional<Fold> fold_from(std::string_view);

/// What sets GPUs of a cluster apart. Absent entries: a GPU like all others.
struct Conditions {
    /// A link, and the GPUs whose network traffic crosses it.
    struct Shared {
        SharedLink link;
        std::vector<int> gpus;
        friend bool operator==(const Shared&, const Shared&) = default;
    };
    std::map<int, double> speed;                ///< by GPU: kernels run at this share of their rate
    std::map<int, CapacityProfile> nvlink, nic; ///< by GPU
    std::vector<Shared> rails; ///< network cards that carry several GPUs' traffic, sound or not; disjoint
    /// A level of switches.
    struct Tier {
        std::vector<int> place;    ///< by GPU: those of equal place reach each other below the tier's links
        std::vector<Shared> links; ///< disjoint; a GPU below none meets nobody else's traffic here
        friend bool operator==(const Tier&, const Tier&) = default;
    };
    std::vector<Tier> uplinks; ///< nearest the GPUs first; empty: nothing but ports slows a transfer
    /// By position in an expert group: the rows that the router sends there, as a multiple of the mean.
    /// Empty: every position gets as many.
    std::vector<double> load;
    /// What to call a GPU that conditions single out: "GPU 17 at 0.9 of its speed".
    std::map<int, std::string> remarks;
    friend bool operator==(const Conditions&, const Conditions&) = default;
};

/// GPUs that do the same at the same times.
struct GpuClass {
    work::Rank rank{0};     ///< pipeline rank of all of them
    int representative = 0; ///< the lowest of them
    int gpus = 1;
    std::string why; ///< what set them apart from the others of their rank; empty: they are the rest
};

/// A step with one rank for each class.
struct FoldedStep {
    work::TaskGraph graph;
    StepCosts costs;
    Network network;
    std::vector<GpuClass> classes; ///< by rank of `graph`, ascending pipeline rank, then representative
    std::vector<int> class_of;     ///< by GPU
};

/// Copies the step of one GPU per pipeline rank to one of each class: docs/folding.md says what joins whom.
/// @throws std::invalid_argument if `stage` is asked for although conditions set GPUs apart, or if conditions
/// name a GPU that the layout lacks.
/// @throws std::logic_error if ranks that share a group do not have the same number of transfers in it.
FoldedStep fold_step(work::TaskGraph, StepCosts, const work::RankLayout&, const Conditions&, Fold);

} // namespace chokepoint::sim
