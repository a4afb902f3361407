// SPDX-License-Identifier: Apache-2.0
// A step time that no simulation of a scenario undercuts, a hundred times quicker to know than the
// simulation.
#pragma once

#include <chokepoint/sim/scenario.hpp>

#include <chokepoint/hwmodels/cost_model.hpp>

namespace chokepoint::sim {

struct StepBound {
    hw::Seconds work;      ///< kernels alone, in the schedule's order, with nothing between them
    hw::Seconds bandwidth; ///< tokens on their way to experts and back, on the busiest port alone
    hw::Bytes memory;      ///< of the fullest GPU: no bound, but what the plan needs
    [[nodiscard]] hw::Seconds seconds() const { return std::max(work, bandwidth); }
};

/// Bounds scenarios one after another, and keeps the cost model of a part for the next that has it.
class StepBounder {
public:
    StepBounder();
    ~StepBounder();
    StepBounder(const StepBounder&) = delete;
    StepBounder& operator=(const StepBounder&) = delete;
    StepBound bound(const Scenario&);

private:
    struct Models;
    std::unique_ptr<Models> models_;
};

/// What a stage's kernels take for one micro-batch.
struct StageSeconds {
    hw::Seconds forward;
    hw::Seconds input_gradient; ///< that the stage before waits for
    hw::Seconds weight_gradient;
    hw::Seconds head_gradient; ///< of the loss, which may be taken as early as behind the forward
};
/// When the last rank is done if every action took its stage's seconds and its results were there at once: an
/// output after its forward kernels, a gradient after those of the input gradient; a rank's kernels run one
/// after another.
/// @throws std::logic_error if the schedule deadlocks.
hw::Seconds scheduled_seconds(const work::Schedule&, std::span<const StageSeconds>);

} // namespace chokepoint::sim
