// SPDX-License-Identifier: Apache-2.0
// Turns the spans of actions into the phases that training logs report.
#include <chokepoint/sim/report.hpp>

#include <stdexcept>

namespace chokepoint::sim {

using hw::Seconds;
using work::ActionKind;

namespace {

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
        const Seconds duration = timeline.finish[i] - timeline.start[i];
        if (task.action >= 0) {
            busy.per_action[static_cast<std::size_t>(task.action)] += duration;
        } else {
            busy.after_last[static_cast<std::size_t>(task.rank)] += duration;
        }
    }
    return busy;
}

/// Seconds in which each rank reduces gradients, updates and gathers parameters. Its tasks run one after another; the
/// wait for other ranks' gradients between them is bubble, as any other wait for another rank.
std::vector<Seconds> optimizer_seconds(const work::TaskGraph& graph, const Timeline& timeline) {
    std::vector<Seconds> seconds(static_cast<std::size_t>(graph.ranks()));
    for (std::size_t i = 0; i < graph.tasks().size(); ++i) {
        const work::Task& task = graph.tasks()[i];
        if (task.action < 0 && task.kind != work::TaskKind::marker) {
            seconds[static_cast<std::size_t>(task.rank)] += timeline.finish[i] - timeline.start[i];
        }
    }
    return seconds;
}

} // namespace

std::vector<Phases> phases_per_rank(const work::TaskGraph& graph, const Timeline& timeline) {
    std::vector<Phases> ranks(static_cast<std::size_t>(graph.ranks()));
    const ComputeBusy busy = compute_busy(graph, timeline);
    for (std::size_t i = 0; i < graph.actions().size(); ++i) {
        const work::ActionSpan& span = graph.actions()[i];
        Phases& phases = ranks[static_cast<std::size_t>(index(span.rank))];
        const Seconds duration = timeline.finish[span.exit] - timeline.finish[span.entry];
        phase_of(phases, span.action.kind) += duration;
        phases.exposed_communication += duration - busy.per_action[i];
    }
    const std::vector<Seconds> optimizer = optimizer_seconds(graph, timeline);
    for (std::size_t r = 0; r < ranks.size(); ++r) {
        Phases& phases = ranks[r];
        phases.optimizer = optimizer[r];
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
