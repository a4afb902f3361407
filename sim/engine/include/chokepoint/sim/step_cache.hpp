// SPDX-License-Identifier: Apache-2.0
// Steps already simulated: the phases and ramps of campaigns ask for the same configuration again and again.
#pragma once

#include <chokepoint/hwmodels/fit.hpp>
#include <chokepoint/sim/report.hpp>
#include <chokepoint/workloads/task_graph.hpp>

#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

namespace chokepoint::sim {

/// What a campaign needs of a step.
struct StepOutcome {
    hw::Seconds seconds;
    Phases phases; ///< mean over pipeline ranks
    std::string schedule_note;
};

/// What a step is known by: all that the scenario resolved to, but for its title, campaign and money.
std::string step_content(const Scenario&, const work::ParallelPlan&);

class StepCache {
public:
    /// The outcome of a step of `plan`, from `simulate` if nothing equal was asked for before.
    const StepOutcome& outcome(const Scenario&, const work::ParallelPlan&,
                               const std::function<StepOutcome()>& simulate);
    /// The step's graph, a copy of the one that a run of the same plan built lately.
    work::TaskGraph graph(const Scenario&, const work::ParallelPlan&, const work::Schedule&);
    /// Fit files, read once.
    hw::FitLibrary& fits() { return fits_; }
    /// Steps that had to be simulated.
    [[nodiscard]] std::size_t simulated() const { return outcomes_.size(); }

private:
    struct Built {
        work::ModelArch model;
        work::ParallelPlan plan;
        work::Schedule schedule;
        int gpus_per_node;
        work::TaskGraph graph;
    };
    std::unordered_map<std::string, StepOutcome> outcomes_; ///< by content
    std::deque<Built> built_;                               ///< the latest last
    hw::FitLibrary fits_;
};

} // namespace chokepoint::sim
