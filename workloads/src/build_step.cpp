// SPDX-License-Identifier: Apache-2.0
// Expands a schedule into the tasks of one optimizer step, rank by rank in the order in which they can run.
#include "schedules/orders.hpp"
#include "step/schedule_runner.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

namespace chokepoint::work {

TaskGraph build_step(const ModelArch& model, const ParallelPlan& plan, const Schedule& schedule,
                     int gpus_per_node) {
    if (const auto faults = check(schedule); !faults.empty()) {
        throw std::invalid_argument(
            fmt::format("schedule '{}' cannot run: {}", schedule.id, fmt::join(faults, "; ")));
    }
    const std::vector<Blocks> stages = split_stages(model, plan, schedule.stages);
    StepBuilder builder(model, plan, gpus_per_node, rank_parameters(model, plan, schedule, stages));
    run_schedule(schedule, stages, builder);
    builder.finish();
    return TaskGraph(builder.take());
}

TaskGraph build_pair(const ModelArch& model, const ParallelPlan& plan, int layers, int gpus_per_node) {
    if (layers < 1) {
        throw std::invalid_argument(fmt::format("a pair of {} layers; expected at least 1", layers));
    }
    if (model.moe.experts == 0) {
        throw std::invalid_argument(fmt::format("a pair of MoE layers: {} has no experts", model.id));
    }
    Blocks blocks; // of layers with experts, however few the model has
    for (int layer = 0; std::ssize(blocks) < layers; layer = (layer + 1) % model.layers) {
        if (has_experts(model, layer)) {
            blocks.push_back({BlockKind::moe_layer, layer});
        }
    }
    StepBuilder builder(model, plan, gpus_per_node, std::vector<RankParameters>(1));
    builder.run(Rank{0}, overlapped(forward(0, 0), backward(ActionKind::backward, 0, 1)), blocks, blocks, {},
                {});
    return TaskGraph(builder.take());
}

} // namespace chokepoint::work
