// SPDX-License-Identifier: Apache-2.0
// Every schedule, in the order the documentation lists them; and the words for actions.
#include "orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace chokepoint::work {

namespace {

constexpr std::array kSchedules{
    ScheduleKind{"1f1b", "one forward, one backward; the baseline", &fault_1f1b, &order_1f1b},
    ScheduleKind{"dualpipe",
                 "two streams of micro-batches entering at both ends and overlapping where they meet",
                 &fault_dualpipe, &order_dualpipe},
};

std::string forward_text(const Action& action) {
    return fmt::format("stage {} F{}", index(action.forward_stage), action.forward_micro_batch);
}

std::string backward_text(const Action& action, char letter) {
    return fmt::format("stage {} {}{}", index(action.backward_stage), letter, action.backward_micro_batch);
}

} // namespace

std::string_view name(ActionKind kind) {
    switch (kind) {
    case ActionKind::forward:
        return "forward";
    case ActionKind::backward:
        return "backward";
    case ActionKind::input_backward:
        return "input_backward";
    case ActionKind::weight_backward:
        return "weight_backward";
    case ActionKind::overlapped:
        return "overlapped";
    }
    throw std::logic_error(fmt::format("action kind {} has no name", static_cast<int>(kind)));
}

std::string to_text(const Action& action) {
    switch (action.kind) {
    case ActionKind::forward:
        return forward_text(action);
    case ActionKind::backward:
        return backward_text(action, 'B');
    case ActionKind::input_backward:
        return backward_text(action, 'I');
    case ActionKind::weight_backward:
        return backward_text(action, 'W');
    case ActionKind::overlapped:
        return forward_text(action) + " & " + backward_text(action, 'B');
    }
    throw std::logic_error(fmt::format("action kind {} has no text", static_cast<int>(action.kind)));
}

std::span<const ScheduleKind> schedule_kinds() { return kSchedules; }

const ScheduleKind* find_schedule(std::string_view id) {
    const auto found = std::ranges::find(kSchedules, id, &ScheduleKind::id);
    return found == kSchedules.end() ? nullptr : &*found;
}

Schedule empty_schedule(std::string id, int ranks, int micro_batches) {
    Schedule schedule;
    schedule.id = std::move(id);
    schedule.ranks = ranks;
    schedule.stages = ranks;
    schedule.micro_batches = micro_batches;
    schedule.order.resize(static_cast<std::size_t>(ranks));
    for (int stage = 0; stage < ranks; ++stage) {
        schedule.hosts.emplace_back(static_cast<std::size_t>(micro_batches), Rank{stage});
    }
    return schedule;
}

} // namespace chokepoint::work
