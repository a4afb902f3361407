// SPDX-License-Identifier: Apache-2.0
// Which plan.framework_overhead measured runs ask for: what training adds to the time that kernels take
// alone.
#pragma once

#include <chokepoint/sim/validation.hpp>

#include <chokepoint/hwmodels/catalog.hpp>

namespace chokepoint::sim {

/// One software and release on one architecture.
struct StackOverhead {
    std::string architecture, stack;
    int runs = 0;
    double ratio = 0.0;    ///< median of measured over predicted seconds without overhead
    double overhead = 0.0; ///< median over its runs of the share that makes a run's step as measured
    /// Median absolute error of its runs under the overhead that the architecture's other stacks ask for;
    /// nothing without others.
    std::optional<double> left_out;
};

struct ArchitectureOverhead {
    std::string architecture;
    int stacks = 0;
    double overhead = 0.0; ///< median over stacks, so that each has one vote
};

struct Overheads {
    std::vector<StackOverhead> stacks;               ///< by architecture and name
    std::vector<ArchitectureOverhead> architectures; ///< by name
    double overhead = 0.0;                           ///< median over all stacks
    /// Over stacks: median and mean of what they are off when left out. Nothing without a stack that can be.
    std::optional<double> left_out_median, left_out_mean;
};

/// The overhead that trial predictions were made with; steps are taken as linear in it.
constexpr double kTrialOverhead = 0.2;
/// The runs with this overhead, whatever they say of it; only those that publish a step time.
std::vector<PublishedRun> with_overhead(std::span<const PublishedRun>, double overhead);
/// Of predictions with overhead 0 and kTrialOverhead, one for each run and in its order. Leaves out runs
/// without a prediction, of parts that the catalog lacks, and those whose step hardly has kernels in it.
Overheads overheads(std::span<const PublishedRun>, std::span<const Prediction> without,
                    std::span<const Prediction> trial, const hw::Catalog&);

std::string to_text(const Overheads&);

} // namespace chokepoint::sim
