// SPDX-License-Identifier: Apache-2.0
// Interleaved 1F1B: each rank holds several stages a whole pipeline apart, so that the bubble shrinks by
// their number. Sources: Narayanan et al., arXiv 2104.04473, section 2.2; the order, its micro-batch groups
// and what it accepts: Megatron-LM, megatron/core/pipeline_parallel/schedules.py, get_schedule_table and
// get_pp_rank_microbatches.
#include "orders.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::work {

namespace {

constexpr std::string_view kId = "interleaved-1f1b";

/// A micro-batch on one of a rank's stages.
struct Turn {
    int chunk = 0;
    int micro_batch = 0;
};

int group_of(const ScheduleSize& size) { return size.group.value_or(size.ranks); }

/// Forwards of any rank: a group of micro-batches on its first stage, the same group on its second, and so
/// on; then the next group. The last group may be a smaller one.
std::vector<Turn> turns(const ScheduleSize& size) {
    std::vector<Turn> list;
    for (int first = 0; first < size.micro_batches; first += group_of(size)) {
        const int end = std::min(first + group_of(size), size.micro_batches);
        for (int chunk = 0; chunk < size.virtual_stages; ++chunk) {
            for (int mb = first; mb < end; ++mb) {
                list.push_back({chunk, mb});
            }
        }
    }
    return list;
}

std::vector<Action> order_of_rank(const ScheduleSize& size, const std::vector<Turn>& turns, int rank) {
    const auto run_forward = [&](const Turn& turn) {
        return forward(turn.chunk * size.ranks + rank, turn.micro_batch);
    };
    const auto run_backward = [&](const Turn& turn) {
        const int chunk = size.virtual_stages - 1 - turn.chunk;
        return backward(ActionKind::backward, chunk * size.ranks + rank, turn.micro_batch);
    };
    const std::size_t wanted =
        static_cast<std::size_t>(2 * (size.ranks - 1 - rank)) +
        static_cast<std::size_t>(size.virtual_stages - 1) * static_cast<std::size_t>(group_of(size)) +
        (size.pairs ? 1 : 0); // get_pp_rank_microbatches
    const std::size_t warm_up = std::min(wanted, turns.size());
    std::vector<Action> order;
    for (std::size_t i = 0; i < turns.size() + warm_up; ++i) {
        if (size.pairs && i >= warm_up && i < turns.size()) {
            order.push_back(overlapped(run_forward(turns[i]), run_backward(turns[i - warm_up])));
            continue;
        }
        if (i < turns.size()) {
            order.push_back(run_forward(turns[i]));
        }
        if (i >= warm_up) {
            order.push_back(run_backward(turns[i - warm_up]));
        }
    }
    return order;
}

} // namespace

std::string fault_interleaved(const ScheduleSize& size) {
    ScheduleSize plain = size;
    plain.group.reset();
    plain.pairs = false;
    if (const std::string fault = fault_of_size(kId, plain, size.virtual_stages); !fault.empty()) {
        return fault;
    }
    if (size.virtual_stages < 2) {
        return fmt::format("{}: {} virtual stage; expected at least 2 stages on each rank", kId,
                           size.virtual_stages);
    }
    const int group = group_of(size);
    if (group < size.ranks || group > std::max(size.ranks, size.micro_batches)) {
        return fmt::format(
            "{}: a micro-batch group of {}; expected {} (pipeline ranks) to {} (micro-batches)", kId, group,
            size.ranks, std::max(size.ranks, size.micro_batches));
    }
    const int remainder = size.micro_batches % group;
    if (remainder != 0 && remainder < size.ranks) {
        return fmt::format("{}: {} micro-batches leave {} after groups of {}; expected none, or at least as "
                           "many as the {} pipeline ranks",
                           kId, size.micro_batches, remainder, group, size.ranks);
    }
    return {};
}

Schedule order_interleaved(const ScheduleSize& size) {
    refuse(fault_interleaved(size));
    Schedule schedule = empty_schedule(std::string(kId), size, loop_hosts(size.ranks, size.virtual_stages));
    const std::vector<Turn> all = turns(size);
    for (int rank = 0; rank < size.ranks; ++rank) {
        schedule.order[static_cast<std::size_t>(rank)] = order_of_rank(size, all, rank);
    }
    return schedule;
}

} // namespace chokepoint::work
