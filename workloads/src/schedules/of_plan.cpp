// SPDX-License-Identifier: Apache-2.0
// The schedule that a plan asks for, from the table or from the user's own file.
#include "orders.hpp"

#include <chokepoint/workloads/plan.hpp>

#include <fmt/format.h>

namespace chokepoint::work {

namespace {

ScheduleSize size_of(const ParallelPlan& plan, int micro_batches) {
    return {.ranks = plan.pipeline,
            .micro_batches = micro_batches,
            .virtual_stages = plan.virtual_stages,
            .group = plan.micro_batch_group,
            .pairs = plan.overlap_expert};
}

/// A given order fits one size only.
std::string fault_of_own(const ParallelPlan& plan, int micro_batches) {
    const Schedule& own = *plan.own_schedule;
    const int stages_per_rank = own.ranks > 0 ? own.stages / own.ranks : 0;
    if (own.ranks != plan.pipeline) {
        return fmt::format("{}: orders {} ranks; expected the {} of pipeline", own.id, own.ranks,
                           plan.pipeline);
    }
    if (own.micro_batches != micro_batches) {
        return fmt::format("{}: orders {} micro-batches; expected {}", own.id, own.micro_batches,
                           micro_batches);
    }
    return fault_of_size(own.id, size_of(plan, micro_batches), stages_per_rank);
}

} // namespace

std::string schedule_fault(const ParallelPlan& plan, int micro_batches) {
    if (plan.own_schedule) {
        return fault_of_own(plan, micro_batches);
    }
    const ScheduleKind* kind = find_schedule(plan.schedule);
    return kind == nullptr ? fmt::format("no schedule is called '{}'", plan.schedule)
                           : kind->fault(size_of(plan, micro_batches));
}

Schedule make_schedule(const ParallelPlan& plan) {
    const int micro_batches = plan.micro_batches();
    refuse(schedule_fault(plan, micro_batches));
    return plan.own_schedule ? *plan.own_schedule
                             : find_schedule(plan.schedule)->make(size_of(plan, micro_batches));
}

} // namespace chokepoint::work
