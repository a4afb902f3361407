// SPDX-License-Identifier: Apache-2.0
// From a scenario to its report: builds the step, costs it, simulates it, and adds campaign and dollars.
#pragma once

#include <chokepoint/sim/engine.hpp>
#include <chokepoint/sim/fold.hpp>
#include <chokepoint/sim/report.hpp>
#include <chokepoint/sim/scenario.hpp>
#include <chokepoint/sim/step_cache.hpp>

#include <string>
#include <unordered_map>

namespace chokepoint::sim {

class PreparedSteps;

struct RunOptions {
    /// Called with a phase ("build", "simulate", "campaign") and the share of it that is done.
    std::function<void(std::string_view, double)> progress;
    /// Shares simulated steps with other runs of the process; without one, a run shares them with itself.
    StepCache* cache = nullptr;
    Fold fold = Fold::automatic;
    /// Inputs as drawn instead of as they are, for run_headline(); steps come from `prepared`.
    const Draw* draw = nullptr;
    PreparedSteps* prepared = nullptr;
};

/// What kernels take on the scenario's part, by the model that it asks for.
/// Fit files are kept in the library, if one is given.
std::unique_ptr<hw::CostModel> cost_model(const Scenario&, hw::FitLibrary* library = nullptr);
/// The same at a clock that no power limit lowers: never slower, and the same for every plan of a scenario.
std::unique_ptr<hw::CostModel> full_clock_cost_model(const Scenario&);

/// One simulated step with what it was made from.
struct StepRun {
    work::TaskGraph graph;
    StepCosts costs;
    Timeline timeline;
    std::string schedule_note;
    Network network;
    Fold fold = Fold::automatic;
    std::vector<GpuClass> classes; ///< by rank of the graph
};

/// Builds and simulates one step of `plan` (the scenario's own, or a variant of it).
StepRun run_step(const Scenario&, const work::ParallelPlan&, const RunOptions& = {});

/// The same of one overlapped forward and backward of `layers` MoE layers: work::build_pair.
/// @throws std::invalid_argument as that does.
StepRun run_pair(const Scenario&, int layers);

/// What all tasks of the busiest rank take their host to start: no step is shorter.
hw::Seconds busiest_host(const StepRun&);

/// How the step answers to inputs that are not exact: the chains of tasks that are critical with all of them
/// at their best values, and with what is most apart (arithmetic, transfers, waits for the slowest rank, the
/// host) one and two standard deviations off. Each is found in one pass over the graph.
/// @param architecture of the part: parts of one share the errors of its kernels
StepResponse step_response(const StepRun&, const std::string& architecture);

/// How well the step's time is known.
Percentiles step_percentiles(const Scenario&, const StepRun&);

/// The classes of a run, as reports and traces name them.
FoldReport fold_report(const StepRun&);

/// Activations of every class of a run.
std::vector<std::vector<MemoryLevel>> activations_over_time(const Scenario&, const StepRun&);

/// Steps built and priced, to be simulated again with costs as drawn.
class PreparedSteps {
public:
    /// Of a scenario's plan or a variant of it: from `options`' fold where nothing equal was asked for.
    const StepRun& step(const Scenario&, const work::ParallelPlan&, Fold);

private:
    std::unordered_map<std::string, StepRun> steps_; ///< by content
};

/// Everything the scenario asks for.
RunReport run(const Scenario&, const RunOptions& = {});
/// The report of a step already simulated; `run` is run_step followed by this.
RunReport report(const Scenario&, const StepRun&, const RunOptions& = {});

/// Of the report only step time, phases, campaign, energy and dollars: what a comparison asks of many
/// scenarios, and a Monte-Carlo of many draws.
RunReport run_headline(const Scenario&, const RunOptions& = {});

} // namespace chokepoint::sim
