// SPDX-License-Identifier: Apache-2.0
// Checks of the schedule, and of how the model is cut into its stages.
#include "reading.hpp"

#include <chokepoint/workloads/layer.hpp>

#include <fmt/format.h>

#include <numeric>

namespace chokepoint::sim::loader {
namespace {

/// The keys that say which layers a stage holds, of those given.
std::vector<std::string_view> placements(const work::ParallelPlan& plan) {
    std::vector<std::string_view> keys;
    if (!plan.split.empty()) {
        keys.emplace_back("plan.split");
    }
    if (!plan.layout.empty()) {
        keys.emplace_back("plan.layout");
    }
    if (plan.account_for_embedding) {
        keys.emplace_back("plan.account_for_embedding");
    } else if (plan.account_for_loss) {
        keys.emplace_back("plan.account_for_loss");
    }
    return keys;
}

bool placed_by_program(const work::ParallelPlan& plan) { return placements(plan).empty(); }

void check_placements(Reading& reading) {
    const std::vector<std::string_view> given = placements(reading.draft.plan);
    for (std::size_t i = 1; i < given.size(); ++i) {
        reading.fault(given[i], fmt::format("{} beside {}: both say which layers a stage holds; expected one",
                                            label(given[i]), label(given[0])));
    }
}

void check_split(Reading& reading, const work::Schedule& schedule) {
    const std::vector<int>& split = reading.draft.plan.split;
    if (split.empty() || !reading.sound({"plan.split", "model.layers"})) {
        return;
    }
    if (static_cast<int>(split.size()) != schedule.stages) {
        reading.fault("plan.split",
                      fmt::format("split has {} stages; expected the {} of {} on {} pipeline ranks",
                                  split.size(), schedule.stages, schedule.id, schedule.ranks));
    }
    const std::int64_t sum = std::accumulate(split.begin(), split.end(), std::int64_t{0});
    if (sum != reading.draft.model.layers) {
        reading.fault("plan.split", fmt::format("split adds up to {} layers; expected {}", sum,
                                                reading.draft.model.layers));
    }
}

/// What has no key of its own to check first: a layout, or embedding and head as layers.
void check_cut(Reading& reading, const work::Schedule& schedule) {
    const work::ParallelPlan& plan = reading.draft.plan;
    const std::vector<std::string_view> given = placements(plan);
    if (given.size() != 1 || given[0] == "plan.split" || !reading.sound({given[0], "model.layers"}) ||
        !reading.faults.empty()) {
        return;
    }
    try {
        work::split_stages(reading.draft.model, plan, schedule.stages);
    } catch (const std::invalid_argument& error) {
        reading.fault(given[0], error.what());
    }
}

/// A layout's own faults need no schedule.
void check_layout(Reading& reading) {
    const work::ParallelPlan& plan = reading.draft.plan;
    if (plan.layout.empty() || !reading.sound({"plan.layout", "model.layers", "model.mtp_modules"})) {
        return;
    }
    try {
        work::parse_layout(reading.draft.model, plan.layout);
    } catch (const std::invalid_argument& error) {
        reading.fault("plan.layout", error.what());
    }
}

} // namespace

void check_stages(Reading& reading, int micro_batches) {
    const work::ParallelPlan& plan = reading.draft.plan;
    check_placements(reading);
    check_layout(reading);
    const bool free = placed_by_program(plan);
    if (free && reading.sound({"plan.pipeline", "model.layers"}) &&
        plan.pipeline > work::most_stages(reading.draft.model)) {
        reading.fault("plan.pipeline",
                      fmt::format("pipeline ({}) exceeds the {} layers; plan.split or plan.layout may leave "
                                  "stages without layers",
                                  plan.pipeline, reading.draft.model.layers));
    }
    if (micro_batches == 0 || !reading.sound({"plan.pipeline", "plan.schedule", "plan.virtual_stages",
                                              "plan.micro_batch_group", "plan.overlap_expert"})) {
        return;
    }
    const std::string reason = work::schedule_fault(plan, micro_batches);
    if (!reason.empty()) {
        reading.fault("plan.schedule", reason);
        return;
    }
    const work::Schedule schedule = work::make_schedule(plan);
    if (free && schedule.stages > plan.pipeline && reading.sound({"model.layers"}) &&
        schedule.stages > work::most_stages(reading.draft.model)) {
        reading.fault(plan.virtual_stages > 1 ? "plan.virtual_stages" : "plan.schedule",
                      fmt::format("{} splits the model into {} stages ({} on each of {} ranks), more than "
                                  "the {} layers; plan.split or plan.layout may leave stages without layers",
                                  schedule.id, schedule.stages, schedule.stages / schedule.ranks,
                                  schedule.ranks, reading.draft.model.layers));
        return;
    }
    check_split(reading, schedule);
    check_cut(reading, schedule);
}

} // namespace chokepoint::sim::loader
