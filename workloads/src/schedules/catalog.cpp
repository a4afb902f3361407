// SPDX-License-Identifier: Apache-2.0
// Every schedule, in the order the documentation lists them; and the words for actions.
#include "orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace chokepoint::work {

namespace {

constexpr std::array kSchedules{
    ScheduleKind{"gpipe", "all forwards, then all backwards", &fault_gpipe, &order_gpipe},
    ScheduleKind{"1f1b", "one forward, one backward; the baseline", &fault_1f1b, &order_1f1b},
    ScheduleKind{"interleaved-1f1b", "1F1B over several stages on each rank, which divide the bubble",
                 &fault_interleaved, &order_interleaved},
    ScheduleKind{"zb-h1", "1F1B with weight gradients put off into the bubble, in the same memory",
                 &fault_zb_h1, &order_zb_h1},
    ScheduleKind{"zb-v", "two stages on each rank in a V and split backwards: no bubble if passes are even",
                 &fault_zb_v, &order_zb_v},
    ScheduleKind{"dualpipe",
                 "two streams of micro-batches entering at both ends and overlapping where they meet",
                 &fault_dualpipe, &order_dualpipe},
    ScheduleKind{"dualpipev", "dualpipe cut in half: both streams in one V over half the ranks",
                 &fault_dualpipev, &order_dualpipev},
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

std::vector<Rank> loop_hosts(int ranks, int stages_per_rank) {
    std::vector<Rank> hosts;
    for (int stage = 0; stage < ranks * stages_per_rank; ++stage) {
        hosts.push_back(Rank{stage % ranks});
    }
    return hosts;
}

std::vector<Rank> v_hosts(int ranks) {
    std::vector<Rank> hosts;
    for (int stage = 0; stage < 2 * ranks; ++stage) {
        hosts.push_back(Rank{std::min(stage, 2 * ranks - 1 - stage)});
    }
    return hosts;
}

Schedule empty_schedule(std::string id, const ScheduleSize& size, const std::vector<Rank>& stage_hosts) {
    Schedule schedule;
    schedule.id = std::move(id);
    schedule.ranks = size.ranks;
    schedule.stages = static_cast<int>(stage_hosts.size());
    schedule.micro_batches = size.micro_batches;
    schedule.order.resize(static_cast<std::size_t>(size.ranks));
    for (const Rank host : stage_hosts) {
        schedule.hosts.emplace_back(static_cast<std::size_t>(size.micro_batches), host);
    }
    return schedule;
}

std::string fault_of_size(std::string_view id, const ScheduleSize& size, int stages_per_rank) {
    if (size.ranks < 1) {
        return fmt::format("{}: {} pipeline ranks; expected at least 1", id, size.ranks);
    }
    if (size.micro_batches < 1) {
        return fmt::format("{}: {} micro-batches; expected at least 1", id, size.micro_batches);
    }
    if (size.virtual_stages != 1 && size.virtual_stages != stages_per_rank) {
        return fmt::format(
            "{}: {} virtual stages; it has {} on each rank whatever is asked for; as many as asked has "
            "interleaved-1f1b",
            id, size.virtual_stages, stages_per_rank);
    }
    if (size.pairs) {
        return fmt::format("{}: pairs of a forward and a backward (overlap_expert); expected 1f1b or "
                           "interleaved-1f1b",
                           id);
    }
    if (size.group) {
        return fmt::format("{}: a micro-batch group of {}; only interleaved-1f1b runs in groups", id,
                           *size.group);
    }
    return {};
}

void refuse(const std::string& fault) {
    if (!fault.empty()) {
        throw std::invalid_argument(fault);
    }
}

} // namespace chokepoint::work
