// SPDX-License-Identifier: Apache-2.0
// Simulates a configuration, or simulates it again with other costs.
#include "step_outcome.hpp"

namespace chokepoint::sim {

namespace {

StepOutcome outcome_of(const StepRun& step, const Timeline& timeline) {
    const std::vector<Phases> classes = phases_per_rank(step.graph, timeline);
    return {timeline.makespan, mean(per_pipeline_rank(classes, fold_report(step))), step.schedule_note};
}

} // namespace

StepOutcome outcome_of(const StepRun& step) { return outcome_of(step, step.timeline); }

StepOutcome simulate_outcome(const Scenario& scenario, const work::ParallelPlan& plan,
                             const RunOptions& options) {
    if (options.draw == nullptr) {
        return outcome_of(
            run_step(scenario, plan, {.progress = {}, .cache = options.cache, .fold = options.fold}));
    }
    PreparedSteps own;
    PreparedSteps& prepared = options.prepared != nullptr ? *options.prepared : own;
    const StepRun& step = prepared.step(scenario, plan, options.fold);
    const StepCosts costs =
        drawn(step.graph, step.costs, scenario.cluster().node.gpu.architecture, *options.draw);
    return outcome_of(step, simulate(step.graph, costs, step.network));
}

const StepRun& PreparedSteps::step(const Scenario& scenario, const work::ParallelPlan& plan, Fold fold) {
    const std::string key = step_content(scenario, plan);
    const auto found = steps_.find(key);
    return found != steps_.end()
               ? found->second
               : steps_.emplace(key, run_step(scenario, plan, {.progress = {}, .fold = fold})).first->second;
}

} // namespace chokepoint::sim
