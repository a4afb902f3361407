// SPDX-License-Identifier: Apache-2.0
// Turns the spans of actions into the phases that training logs report.
#include <chokepoint/sim/report.hpp>

#include <algorithm>
#include <stdexcept>

namespace chokepoint::sim {

using hw::Seconds;
using work::ActionKind;

namespace {

Seconds at(const std::vector<Seconds>& times, std::size_t index) {
    return times[index];
}

Seconds& phase_of(Phases& phases, ActionKind kind) {
    switch (kind) {
    case ActionKind::forward:
        return phases.f;
    case ActionKind::backward:
    case ActionKind::input_backward:
        return phases.b;
    case ActionKind::weight_backward:
        return phases.w;
    case ActionKind::overlapped:
        return phases.fb;
    }
    throw std::logic_error("action of unknown kind");
}

/// Compute seconds of every action, and of each rank after its last action (optimizer).
struct ComputeBusy {
    std::vector<Seconds> per_action;
    std::vector<Seconds> after_last; ///< per rank
};

ComputeBusy compute_busy(const work::TaskGraph& graph, const Timeline& timeline) {
    ComputeBusy busy{std::vector<Seconds>(graph.actions().size()),
                     std::vector<Seconds>(static_cast<std::size_t>(graph.ranks()))};
    for (std::size_t i = 0; i < graph.tasks().size(); ++i) {
        const work::Task& task = graph.tasks()[i];
        if (task.kind != work::TaskKind::compute) {
            continue;
        }
        const Seconds duration = at(timeline.finish, i) - at(timeline.start, i);
        if (task.action >= 0) {
            busy.per_action[static_cast<std::size_t>(task.action)] += duration;
        } else {
            busy.after_last[static_cast<std::size_t>(task.rank)] += duration;
        }
    }
    return busy;
}

/// When each rank's gradient reduction begins and ends; equal if it has none.
std::vector<std::pair<Seconds, Seconds>> optimizer_windows(const work::TaskGraph& graph, const Timeline& timeline) {
    std::vector<std::pair<Seconds, Seconds>> windows(static_cast<std::size_t>(graph.ranks()),
                                                     {timeline.makespan, Seconds{}});
    for (std::size_t i = 0; i < graph.tasks().size(); ++i) {
        const work::Task& task = graph.tasks()[i];
        if (task.action >= 0 || task.kind == work::TaskKind::marker) {
            continue;
        }
        auto& [begin, end] = windows[static_cast<std::size_t>(task.rank)];
        begin = std::min(begin, at(timeline.start, i));
        end = std::max(end, at(timeline.finish, i));
    }
    for (auto& [begin, end] : windows) {
        end = std::max(begin, end);
    }
    return windows;
}

} // namespace

std::vector<Phases> phases_per_rank(const work::TaskGraph& graph, const Timeline& timeline) {
    std::vector<Phases> ranks(static_cast<std::size_t>(graph.ranks()));
    const ComputeBusy busy = compute_busy(graph, timeline);
    for (std::size_t i = 0; i < graph.actions().size(); ++i) {
        const work::ActionSpan& span = graph.actions()[i];
        Phases& phases = ranks[static_cast<std::size_t>(index(span.rank))];
        const Seconds duration = at(timeline.finish, span.exit) - at(timeline.finish, span.entry);
        phase_of(phases, span.action.kind) += duration;
        phases.exposed_communication += duration - busy.per_action[i];
    }
    const auto windows = optimizer_windows(graph, timeline);
    for (std::size_t r = 0; r < ranks.size(); ++r) {
        Phases& phases = ranks[r];
        phases.optimizer = windows[r].second - windows[r].first;
        phases.exposed_communication += phases.optimizer - busy.after_last[r];
        phases.bubble = timeline.makespan - phases.total();
    }
    return ranks;
}

Phases mean(const std::vector<Phases>& ranks) {
    Phases sum;
    for (const Phases& p : ranks) {
        sum.f += p.f;
        sum.b += p.b;
        sum.w += p.w;
        sum.fb += p.fb;
        sum.bubble += p.bubble;
        sum.optimizer += p.optimizer;
        sum.exposed_communication += p.exposed_communication;
    }
    const double share = ranks.empty() ? 0.0 : 1.0 / static_cast<double>(ranks.size());
    for (Seconds* field : {&sum.f, &sum.b, &sum.w, &sum.fb, &sum.bubble, &sum.optimizer,
                           &sum.exposed_communication}) {
        *field *= share;
    }
    return sum;
}

} // namespace chokepoint::sim
