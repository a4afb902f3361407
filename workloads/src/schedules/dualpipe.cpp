// SPDX-License-Identifier: Apache-2.0
// DualPipe: micro-batches enter at both ends of the pipeline; each rank holds two stages, one per direction,
// and runs the forward of one direction together with the backward of the other. Source of the order:
// github.com/deepseek-ai/DualPipe, dualpipe/dualpipe.py, DualPipe.step, eight steps; DeepSeek-V3 report
// (arXiv 2412.19437), section 3.2.1 and figure 5.
#include "orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>

namespace chokepoint::work {

namespace {

/// The published code's two phases on one rank: `near` is the direction that enters at the closer end of the
/// pipeline, `far` the one that enters at the other. Half a pipeline is the mirror image of the other half.
enum Phase { near = 0, far = 1 };

/// Writes one rank's actions, numbering the micro-batches of each direction as they come.
class RankOrder {
public:
    RankOrder(int rank, int ranks, int micro_batches)
        : rank_(rank),
          ranks_(ranks),
          half_(micro_batches / 2),
          second_half_of_ranks_(rank >= ranks / 2) {}

    void run_forward(Phase phase) { actions_.push_back(next_forward(phase)); }
    void run_backward(Phase phase) { actions_.push_back(next_backward(phase, ActionKind::backward)); }
    void run_input_backward(Phase phase) {
        actions_.push_back(next_backward(phase, ActionKind::input_backward));
        waiting_weights_.push_back(actions_.back());
    }
    /// Weight gradients leave in the order they were put off, as the published WeightGradStore does.
    void run_weights() {
        actions_.push_back(waiting_weights_.front());
        actions_.back().kind = ActionKind::weight_backward;
        waiting_weights_.pop_front();
    }
    void run_overlapped(Phase forward_phase, Phase backward_phase) {
        const Action ahead = next_forward(forward_phase);
        actions_.push_back(overlapped(ahead, next_backward(backward_phase, ActionKind::backward)));
    }
    std::vector<Action> take() { return std::move(actions_); }

private:
    /// Direction 0 runs from rank 0 up and carries the first half of the micro-batches, direction 1 the
    /// second half.
    [[nodiscard]] std::size_t direction(Phase phase) const {
        return static_cast<std::size_t>((phase == far) != second_half_of_ranks_);
    }
    [[nodiscard]] int stage(std::size_t direction) const {
        return direction == 0 ? rank_ : ranks_ - 1 - rank_;
    }
    [[nodiscard]] int micro_batch(std::size_t direction, int number) const {
        return static_cast<int>(direction) * half_ + number;
    }
    Action next_forward(Phase phase) {
        const std::size_t d = direction(phase);
        return forward(stage(d), micro_batch(d, forwards_[d]++));
    }
    Action next_backward(Phase phase, ActionKind kind) {
        const std::size_t d = direction(phase);
        return backward(kind, stage(d), micro_batch(d, backwards_[d]++));
    }

    int rank_, ranks_, half_;
    bool second_half_of_ranks_;
    std::array<int, 2> forwards_{}, backwards_{};
    std::deque<Action> waiting_weights_;
    std::vector<Action> actions_;
};

/// Steps 1 to 3: fill the pipeline from both ends.
void warm_up(RankOrder& rank, int from_middle, int from_end) {
    for (int i = 0; i < 2 * from_middle; ++i) {
        rank.run_forward(near);
    }
    for (int i = 0; i < from_end + 1; ++i) {
        rank.run_forward(near);
        rank.run_forward(far);
    }
    for (int i = 0; i < from_middle; ++i) {
        rank.run_input_backward(far);
        rank.run_weights();
        rank.run_forward(far);
    }
}

/// Steps 4 and 5: overlapped pairs. The two middle ranks keep their first pair apart, which shortens the
/// bubble.
void steady_state(RankOrder& rank, int from_middle, int pairs) {
    for (int i = 0; i < pairs; ++i) {
        if (i == 0 && from_middle == 0) {
            rank.run_forward(near);
            rank.run_backward(far);
        } else {
            rank.run_overlapped(near, far);
        }
        rank.run_overlapped(far, near);
    }
    for (int i = 0; i < from_middle; ++i) {
        rank.run_backward(far);
        rank.run_overlapped(far, near);
    }
}

/// Steps 6 to 8: drain; from the middle of step 6 on, weight gradients are put off to fill the bubble.
void cool_down(RankOrder& rank, int from_middle, int from_end) {
    const int backward_pairs = from_end + 1;
    for (int i = 0; i < 2 * backward_pairs; ++i) {
        const Phase phase = i % 2 == 0 ? far : near;
        if (i <= from_end) {
            rank.run_backward(phase);
        } else {
            rank.run_input_backward(phase);
        }
    }
    for (int i = 0; i < from_middle; ++i) {
        rank.run_weights();
        rank.run_input_backward(near);
    }
    for (int i = 0; i < backward_pairs; ++i) {
        rank.run_weights();
    }
}

} // namespace

std::string fault_dualpipe(const ScheduleSize& size) {
    if (size.ranks < 2 || size.ranks % 2 != 0) {
        return fmt::format("dualpipe: {} pipeline ranks; expected an even number, since stages pair up",
                           size.ranks);
    }
    if (size.micro_batches < 2 || size.micro_batches % 2 != 0) {
        return fmt::format(
            "dualpipe: {} micro-batches; expected an even number, half for each end of the pipeline",
            size.micro_batches);
    }
    return fault_of_size("dualpipe", size, 1);
}

Schedule empty_dualpipe(const ScheduleSize& size) {
    Schedule schedule = empty_schedule("dualpipe", size, loop_hosts(size.ranks, 1));
    schedule.replicas_per_stage = 2;
    for (int stage = 0; stage < size.ranks; ++stage) {
        auto& hosts = schedule.hosts[static_cast<std::size_t>(stage)];
        std::fill(hosts.begin() + size.micro_batches / 2, hosts.end(), Rank{size.ranks - 1 - stage});
    }
    return schedule;
}

Schedule order_dualpipe(const ScheduleSize& size) {
    refuse(fault_dualpipe(size));
    const int ranks = size.ranks;
    const int micro_batches = size.micro_batches;
    if (micro_batches < 2 * ranks) {
        return order_dualpipe_short(size);
    }
    Schedule schedule = empty_dualpipe(size);
    for (int r = 0; r < ranks; ++r) {
        const int from_end = std::min(r, ranks - 1 - r);
        const int from_middle = ranks / 2 - 1 - from_end;
        RankOrder rank(r, ranks, micro_batches);
        warm_up(rank, from_middle, from_end);
        steady_state(rank, from_middle, micro_batches / 2 - ranks + from_end + 1);
        cool_down(rank, from_middle, from_end);
        schedule.order[static_cast<std::size_t>(r)] = rank.take();
    }
    return schedule;
}

} // namespace chokepoint::work
