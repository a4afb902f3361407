// SPDX-License-Identifier: Apache-2.0
// DualPipe for fewer than two micro-batches per rank, where the published order is undefined and a batch ramp
// starts.
//
// Each direction runs the published order of 2 x ranks micro-batches as if its first ones had been skipped;
// of a pair with one half skipped the other half runs alone. Leaving actions out of a sound order cannot
// deadlock it or raise its peak of held activations. Skipping the first ones, rather than the last, keeps the
// most overlapped pairs: 24 micro-batches on 16 ranks keep 7.25 pairs per rank instead of 5.1. A greedy list
// scheduler within the same memory bound (ranks + 1) found 4.75 pairs, and steps 1% shorter with F = I = W =
// 1 and F&B = 3, 5% longer with F&B = 2.5, 9% longer with I = 1.2 and W = 0.7 besides.
#include "orders.hpp"

#include <fmt/format.h>

#include <optional>

namespace chokepoint::work {

namespace {

/// Numbers of the short schedule for those of the full one.
class Renumbering {
public:
    Renumbering(int ranks, int micro_batches) : full_half_(ranks), half_(micro_batches / 2) {}
    /// Nothing if the micro-batch is skipped.
    [[nodiscard]] std::optional<int> operator()(int full) const {
        const int direction = full / full_half_;
        const int number = full % full_half_ - (full_half_ - half_);
        return number < 0 ? std::nullopt : std::optional(direction * half_ + number);
    }

private:
    int full_half_, half_;
};

std::optional<Action> shortened(const Action& action, const Renumbering& renumber) {
    const std::optional<int> ahead =
        runs_forward(action.kind) ? renumber(action.forward_micro_batch) : std::nullopt;
    const std::optional<int> back =
        action.kind == ActionKind::forward ? std::nullopt : renumber(action.backward_micro_batch);
    if (ahead && back) {
        return overlapped(forward(index(action.forward_stage), *ahead),
                          backward(ActionKind::backward, index(action.backward_stage), *back));
    }
    if (ahead) {
        return forward(index(action.forward_stage), *ahead);
    }
    if (back) {
        const bool was_pair = action.kind == ActionKind::overlapped;
        return backward(was_pair ? ActionKind::backward : action.kind, index(action.backward_stage), *back);
    }
    return std::nullopt;
}

} // namespace

Schedule order_dualpipe_short(const ScheduleSize& size) {
    const int ranks = size.ranks;
    const int micro_batches = size.micro_batches;
    const Schedule full = order_dualpipe({.ranks = ranks, .micro_batches = 2 * ranks});
    const Renumbering renumber(ranks, micro_batches);
    Schedule schedule = empty_dualpipe(size);
    for (std::size_t rank = 0; rank < full.order.size(); ++rank) {
        for (const Action& action : full.order[rank]) {
            if (const std::optional<Action> kept = shortened(action, renumber)) {
                schedule.order[rank].push_back(*kept);
            }
        }
    }
    schedule.note = fmt::format(
        "{} micro-batches are fewer than the {} that DualPipe's published order needs on {} ranks: "
        "it runs that order with the first {} of each direction left out",
        micro_batches, 2 * ranks, ranks, ranks - micro_batches / 2);
    return schedule;
}

} // namespace chokepoint::work
