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

/// A schedule without actions in which stage s lives on rank s for every micro-batch.
Schedule empty_schedule(std::string id, int ranks, int micro_batches);

std::string fault_1f1b(int ranks, int micro_batches);
Schedule order_1f1b(int ranks, int micro_batches);

std::string fault_dualpipe(int ranks, int micro_batches);
/// The published order for at least two micro-batches per rank, else that of order_dualpipe_short.
Schedule order_dualpipe(int ranks, int micro_batches);
/// Stage s on rank s for the first half of the micro-batches and on rank ranks-1-s for the second.
Schedule empty_dualpipe(int ranks, int micro_batches);
/// The published order with the first micro-batches of each direction left out; `note` says so.
Schedule order_dualpipe_short(int ranks, int micro_batches);

} // namespace chokepoint::work
