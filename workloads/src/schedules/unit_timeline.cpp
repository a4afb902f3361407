// SPDX-License-Identifier: Apache-2.0
// A longest-path pass over a schedule's actions, which knows nothing of the tasks they expand into.
#include "orders.hpp"

#include <chokepoint/workloads/unit_timeline.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace chokepoint::work {

namespace {

/// When each stage finished each micro-batch.
class Finished {
public:
    explicit Finished(const Schedule& s)
        : micro_batches_(static_cast<std::size_t>(s.micro_batches)),
          when_(static_cast<std::size_t>(s.stages) * micro_batches_) {}
    std::optional<double>& at(int stage, int micro_batch) {
        return when_.at(static_cast<std::size_t>(stage) * micro_batches_ +
                        static_cast<std::size_t>(micro_batch));
    }

private:
    std::size_t micro_batches_;
    std::vector<std::optional<double>> when_;
};

class Player {
public:
    Player(const Schedule& schedule, const ActionTimes& times)
        : schedule_(schedule),
          times_(times),
          forwards_(schedule),
          gradients_(schedule) {
        const std::size_t ranks = schedule.order.size();
        line_.start.resize(ranks);
        for (auto* list : {&line_.first, &line_.last, &line_.busy}) {
            list->resize(ranks, 0.0);
        }
    }

    UnitTimeline play() {
        for (bool moved = true; moved;) {
            moved = false;
            for (std::size_t rank = 0; rank < schedule_.order.size(); ++rank) {
                while (run_next(rank)) {
                    moved = true;
                }
            }
        }
        for (std::size_t rank = 0; rank < schedule_.order.size(); ++rank) {
            if (line_.start[rank].size() < schedule_.order[rank].size()) {
                throw std::logic_error(fmt::format("schedule '{}': rank {} cannot run {}", schedule_.id, rank,
                                                   to_text(schedule_.order[rank][line_.start[rank].size()])));
            }
            line_.makespan = std::max(line_.makespan, line_.last[rank]);
        }
        return std::move(line_);
    }

private:
    bool run_next(std::size_t rank) {
        auto& starts = line_.start[rank];
        if (starts.size() == schedule_.order[rank].size()) {
            return false;
        }
        const Action& action = schedule_.order[rank][starts.size()];
        const std::optional<double> start = start_of(rank, action);
        if (!start) {
            return false;
        }
        const double duration = times_.of(action.kind);
        if (starts.empty()) {
            line_.first[rank] = *start;
        }
        starts.push_back(*start);
        line_.last[rank] = *start + duration;
        line_.busy[rank] += duration;
        if (runs_forward(action.kind)) {
            forwards_.at(index(action.forward_stage), action.forward_micro_batch) = line_.last[rank];
        }
        if (runs_input_gradient(action.kind)) {
            gradients_.at(index(action.backward_stage), action.backward_micro_batch) = line_.last[rank];
        }
        return true;
    }

    /// Nothing while an input is missing.
    std::optional<double> start_of(std::size_t rank, const Action& a) {
        double start = line_.last[rank];
        const auto wait_for = [&](const std::optional<double>& input) {
            start = input ? std::max(start, *input) : start;
            return input.has_value();
        };
        if (runs_forward(a.kind) && index(a.forward_stage) > 0 &&
            !wait_for(forwards_.at(index(a.forward_stage) - 1, a.forward_micro_batch))) {
            return std::nullopt;
        }
        if (runs_input_gradient(a.kind)) {
            const int stage = index(a.backward_stage);
            auto& source = stage + 1 == schedule_.stages ? forwards_.at(stage, a.backward_micro_batch)
                                                         : gradients_.at(stage + 1, a.backward_micro_batch);
            if (!wait_for(source)) {
                return std::nullopt;
            }
        }
        return start;
    }

    const Schedule& schedule_;
    const ActionTimes& times_;
    Finished forwards_, gradients_;
    UnitTimeline line_;
};

} // namespace

double ActionTimes::of(ActionKind kind) const {
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
    throw std::logic_error(fmt::format("action kind {} has no duration", static_cast<int>(kind)));
}

double UnitTimeline::bubble_share() const {
    const double worked = std::accumulate(busy.begin(), busy.end(), 0.0);
    const double all = makespan * static_cast<double>(busy.size());
    return all > 0.0 ? 1.0 - worked / all : 0.0;
}

UnitTimeline unit_timeline(const Schedule& schedule, const ActionTimes& times) {
    return Player(schedule, times).play();
}

} // namespace chokepoint::work
