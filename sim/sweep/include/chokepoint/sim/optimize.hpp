// SPDX-License-Identifier: Apache-2.0
// The best plan among very many: those that cannot be it are dropped by a bound, the others are simulated,
// the most promising first.
#pragma once

#include <chokepoint/sim/grid.hpp>
#include <chokepoint/sim/step_bound.hpp>
#include <chokepoint/sim/workers.hpp>

#include <map>

namespace chokepoint::sim {

/// What a plan is judged by: time of a token, or what a trillion tokens take in GPU-hours or dollars, at the
/// full batch.
enum class Objective { step, gpu_hours, usd };
std::optional<Objective> objective_from(std::string_view);
std::string_view name(Objective);

/// The value of a step that takes so long: seconds of the reference's step for `step`, else per trillion
/// tokens.
/// @throws std::invalid_argument if dollars are asked for and the scenario has no price
double value_of(Objective, const Scenario&, const Scenario& reference, hw::Seconds step);

/// The axis of "plan.tensor", with the values that the cluster and the model leave room for, or of
/// "plan.tensor=1,2,4" as given.
/// @throws ScenarioError, or std::invalid_argument if the key has no such values of its own
Axis vary_axis(const ScenarioTemplate&, const Scenario& given, const std::string& text);
/// Likewise of several. "plan.schedule" brings along the virtual stages that each schedule runs with, unless
/// they vary by themselves: the scenario's, or two, of schedules that ask for some.
std::vector<Axis> vary_axes(const ScenarioTemplate&, const Scenario& given,
                            const std::vector<std::string>& texts);

struct Candidate {
    std::int64_t position = 0; ///< in the grid
    StepBound bound;
    double value_bound = 0.0;
    std::optional<hw::Seconds> step; ///< simulated
    double value = 0.0;              ///< of it
};

struct OptimizeOptions {
    Objective objective = Objective::step;
    std::optional<hw::Bytes> max_memory;
    bool whole_front = false; ///< go on until the front of time against memory is known
    std::function<void(std::string_view phase, double share)> progress;
    std::function<bool()> stop;
};

struct OptimizeOutcome {
    std::int64_t plans = 0; ///< of the grid
    std::int64_t infeasible = 0;
    std::map<std::string, std::int64_t> reasons; ///< of infeasible plans, without their numbers
    std::int64_t too_large = 0;                  ///< above max_memory
    std::vector<Candidate> candidates;           ///< the feasible rest, best bound first
    std::int64_t simulated = 0, failed = 0;
    std::string failure; ///< of the first that failed
    std::optional<Candidate> best;
    hw::Seconds given;        ///< the given plan's step
    double given_value = 0.0; ///< and its value
    /// No plan that was not simulated is better than this; none: all were.
    std::optional<double> rest_bound;
    std::vector<Candidate> front; ///< simulated plans that no other beats in both value and memory, by value
    bool stopped = false;
    hw::Seconds bounding, simulating; ///< wall time
};

/// What optimize()'s workers do. @param source must outlive them
Work optimize_work(const ScenarioTemplate& source);

/// @param workers of optimize_work
/// @throws std::runtime_error if the plan of the scenario itself cannot be simulated
OptimizeOutcome optimize(const Grid&, Workers&, const OptimizeOptions&);

} // namespace chokepoint::sim
