// SPDX-License-Identifier: Apache-2.0
// A longest-path pass over a schedule in whole numbers, independent of anything the program does with one.
#include "unit_execution.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace chokepoint::work::test {

namespace {

/// When each stage finished each micro-batch.
class Finished {
public:
    explicit Finished(const Schedule& s)
        : when_(static_cast<std::size_t>(s.stages),
                std::vector<std::optional<int>>(static_cast<std::size_t>(s.micro_batches))) {}
    std::optional<int>& at(int stage, int micro_batch) {
        return when_.at(static_cast<std::size_t>(stage)).at(static_cast<std::size_t>(micro_batch));
    }

private:
    std::vector<std::vector<std::optional<int>>> when_;
};

bool has_forward(ActionKind k) { return k == ActionKind::forward || k == ActionKind::overlapped; }
bool has_gradient(ActionKind k) { return k != ActionKind::forward && k != ActionKind::weight_backward; }

} // namespace

int ActionCosts::of(ActionKind kind) const {
    switch (kind) {
    case ActionKind::forward:
        return forward;
    case ActionKind::backward:
        return backward();
    case ActionKind::input_backward:
        return input;
    case ActionKind::weight_backward:
        return weight;
    case ActionKind::overlapped:
        return overlapped;
    }
    throw std::logic_error("unknown action kind");
}

Execution execute(const Schedule& schedule, const ActionCosts& costs) {
    Finished forwards(schedule);
    Finished gradients(schedule);
    const auto ranks = static_cast<std::size_t>(schedule.ranks);
    std::vector<std::size_t> done(ranks, 0);
    std::vector<int> free_at(ranks, 0);
    Execution run{0, std::vector<int>(ranks, 0), std::vector<int>(ranks, 0), {}};
    const auto start_of = [&](std::size_t rank, const Action& a) -> std::optional<int> {
        int start = free_at[rank];
        const auto wait_for = [&](const std::optional<int>& input) {
            start = input ? std::max(start, *input) : start;
            return input.has_value();
        };
        if (has_forward(a.kind) && index(a.forward_stage) > 0 &&
            !wait_for(forwards.at(index(a.forward_stage) - 1, a.forward_micro_batch))) {
            return std::nullopt;
        }
        if (has_gradient(a.kind)) {
            const bool is_last = index(a.backward_stage) + 1 == schedule.stages;
            auto& source = is_last ? forwards.at(index(a.backward_stage), a.backward_micro_batch)
                                   : gradients.at(index(a.backward_stage) + 1, a.backward_micro_batch);
            if (!wait_for(source)) {
                return std::nullopt;
            }
        }
        return start;
    };
    for (bool moved = true; moved;) {
        moved = false;
        for (std::size_t rank = 0; rank < ranks; ++rank) {
            while (done[rank] < schedule.order[rank].size()) {
                const Action& action = schedule.order[rank][done[rank]];
                const std::optional<int> start = start_of(rank, action);
                if (!start) {
                    break;
                }
                run.first[rank] = done[rank] == 0 ? *start : run.first[rank];
                free_at[rank] = *start + costs.of(action.kind);
                run.busy[rank] += costs.of(action.kind);
                if (has_forward(action.kind)) {
                    forwards.at(index(action.forward_stage), action.forward_micro_batch) = free_at[rank];
                }
                if (has_gradient(action.kind)) {
                    gradients.at(index(action.backward_stage), action.backward_micro_batch) = free_at[rank];
                }
                ++done[rank];
                moved = true;
            }
        }
    }
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        if (done[rank] < schedule.order[rank].size()) {
            throw std::logic_error("rank " + std::to_string(rank) + " cannot run " +
                                   to_text(schedule.order[rank][done[rank]]));
        }
        run.makespan = std::max(run.makespan, free_at[rank]);
    }
    run.last = free_at;
    return run;
}

int count(const Schedule& schedule, ActionKind kind) {
    int total = 0;
    for (const auto& order : schedule.order) {
        total += static_cast<int>(std::ranges::count(order, kind, &Action::kind));
    }
    return total;
}

} // namespace chokepoint::work::test
