// SPDX-License-Identifier: Apache-2.0
// Steps already simulated: the phases and ramps of campaigns ask for the same configuration again and again.
#pragma once

#include <chokepoint/sim/report.hpp>

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
    /// Steps that had to be simulated.
    [[nodiscard]] std::size_t simulated() const { return outcomes_.size(); }

private:
    std::unordered_map<std::string, StepOutcome> outcomes_; ///< by content
};

} // namespace chokepoint::sim
