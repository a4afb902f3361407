// SPDX-License-Identifier: Apache-2.0
// What the schedules share: short constructors for actions and hosts, and each schedule's entry points for
// the table.
#pragma once

#include <chokepoint/workloads/schedule.hpp>

#include <string>

namespace chokepoint::work {

inline Action forward(int stage, int micro_batch) {
    return {.kind = ActionKind::forward, .forward_stage = Stage{stage}, .forward_micro_batch = micro_batch};
}
/// `kind` is backward, input_backward or weight_backward.
inline Action backward(ActionKind kind, int stage, int micro_batch) {
    return {.kind = kind, .backward_stage = Stage{stage}, .backward_micro_batch = micro_batch};
}
inline Action overlapped(const Action& forward, const Action& backward) {
    return {ActionKind::overlapped, forward.forward_stage, forward.forward_micro_batch,
            backward.backward_stage, backward.backward_micro_batch};
}

constexpr bool runs_forward(ActionKind k) { return k == ActionKind::forward || k == ActionKind::overlapped; }
/// True if the action produces the gradient of its stage's input.
constexpr bool runs_input_gradient(ActionKind k) {
    return k == ActionKind::backward || k == ActionKind::input_backward || k == ActionKind::overlapped;
}
/// True if the action produces the gradients of its stage's weights, after which the activations can go.
constexpr bool runs_weight_gradient(ActionKind k) {
    return k == ActionKind::backward || k == ActionKind::weight_backward || k == ActionKind::overlapped;
}

/// Ranks of stages laid round and round: stage s on rank s mod ranks.
std::vector<Rank> loop_hosts(int ranks, int stages_per_rank);
/// Ranks of two stages each laid down and back up: stage s on rank s, then on 2 x ranks - 1 - s.
std::vector<Rank> v_hosts(int ranks);
/// A schedule without actions in which stage s lives on rank stage_hosts[s] for every micro-batch.
Schedule empty_schedule(std::string id, const ScheduleSize&, const std::vector<Rank>& stage_hosts);

/// What every schedule refuses: nothing to run, or a choice that a schedule with `stages_per_rank` does not
/// offer. An empty text if there is nothing to refuse.
std::string fault_of_size(std::string_view id, const ScheduleSize&, int stages_per_rank);
/// @throws std::invalid_argument with the fault, if there is one.
void refuse(const std::string& fault);

std::string fault_gpipe(const ScheduleSize&);
Schedule order_gpipe(const ScheduleSize&);

std::string fault_1f1b(const ScheduleSize&);
Schedule order_1f1b(const ScheduleSize&);

std::string fault_interleaved(const ScheduleSize&);
Schedule order_interleaved(const ScheduleSize&);

std::string fault_zb_h1(const ScheduleSize&);
Schedule order_zb_h1(const ScheduleSize&);

std::string fault_zb_v(const ScheduleSize&);
Schedule order_zb_v(const ScheduleSize&);

std::string fault_dualpipe(const ScheduleSize&);
/// The published order for at least two micro-batches per rank, else that of order_dualpipe_short.
Schedule order_dualpipe(const ScheduleSize&);
/// Stage s on rank s for the first half of the micro-batches and on rank ranks-1-s for the second.
Schedule empty_dualpipe(const ScheduleSize&);
/// The published order with the first micro-batches of each direction left out; `note` says so.
Schedule order_dualpipe_short(const ScheduleSize&);

std::string fault_dualpipev(const ScheduleSize&);
Schedule order_dualpipev(const ScheduleSize&);

} // namespace chokepoint::work
