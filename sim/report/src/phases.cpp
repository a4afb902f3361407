// SPDX-License-Identifier: Apache-2.0
// Turns the spans of actions into the phases that training logs report.
#include <chokepoint/sim/report.hpp>

#include <algorithm>
#include <array>
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

/// What the tasks of each action add up to, and of each rank after its last action (optimizer).
struct Work {
    std::vector<Seconds> compute;    ///< per action: busy seconds of the compute stream
    std::vector<Seconds> end;        ///< per action: when its last task but the pipeline sends was done
    std::vector<Seconds> after_last; ///< per rank: compute seconds
};

Work work_done(const work::TaskGraph& graph, const Timeline& timeline) {
    Work done{std::vector<Seconds>(graph.actions().size()), std::vector<Seconds>(graph.actions().size()),
              std::vector<Seconds>(static_cast<std::size_t>(graph.ranks()))};
    for (std::size_t i = 0; i < graph.actions().size(); ++i) {
        done.end[i] = timeline.finish[graph.actions()[i].entry];
    }
    for (std::size_t i = 0; i < graph.tasks().size(); ++i) {
        const work::Task& task = graph.tasks()[i];
        if (task.kind == work::TaskKind::marker) {
            continue;
        }
        const bool computes = task.kind == work::TaskKind::compute && task.stream == work::Stream::compute;
        const Seconds busy = computes ? timeline.finish[i] - timeline.start[i] : Seconds();
        if (task.action < 0) {
            done.after_last[static_cast<std::size_t>(task.rank)] += busy;
            continue;
        }
        const auto action = static_cast<std::size_t>(task.action);
        done.compute[action] += busy;
        if (task.stream != work::Stream::pipeline_send) {
            done.end[action] = std::max(done.end[action], timeline.finish[i]);
        }
    }
    return done;
}

struct Interval {
    Seconds from, to;
};

/// What the intervals cover together.
Seconds covered(std::vector<Interval> intervals) {
    std::ranges::sort(intervals, {}, &Interval::from);
    Seconds sum;
    Seconds until;
    for (const Interval& interval : intervals) {
        sum += std::max(Seconds(), interval.to - std::max(interval.from, until));
        until = std::max(until, interval.to);
    }
    return sum;
}

/// Seconds after each rank's last action in which it reduces gradients, updates and gathers parameters; what
/// host and GPU do side by side counts once. The wait for other ranks' gradients in between is bubble, as any
/// other wait for another rank. What runs beside actions costs the step nothing of its own.
std::vector<Seconds> optimizer_seconds(const work::TaskGraph& graph, const Timeline& timeline) {
    std::vector<std::vector<Interval>> busy(static_cast<std::size_t>(graph.ranks()));
    std::vector<Seconds> last_exit(busy.size());
    for (const work::ActionSpan& span : graph.actions()) {
        Seconds& last = last_exit[static_cast<std::size_t>(index(span.rank))];
        last = std::max(last, timeline.finish[span.exit]);
    }
    for (std::size_t i = 0; i < graph.tasks().size(); ++i) {
        const work::Task& task = graph.tasks()[i];
        if (task.action < 0 && task.kind != work::TaskKind::marker) {
            const auto rank = static_cast<std::size_t>(task.rank);
            const Seconds start = std::max(timeline.start[i], last_exit[rank]);
            if (timeline.finish[i] > start) {
                busy[rank].push_back({start, timeline.finish[i]});
            }
        }
    }
    std::vector<Seconds> seconds;
    for (std::vector<Interval>& intervals : busy) {
        seconds.push_back(covered(std::move(intervals)));
    }
    return seconds;
}

} // namespace

std::vector<Phases> phases_per_rank(const work::TaskGraph& graph, const Timeline& timeline) {
    std::vector<Phases> ranks(static_cast<std::size_t>(graph.ranks()));
    const Work done = work_done(graph, timeline);
    for (std::size_t i = 0; i < graph.actions().size(); ++i) {
        const work::ActionSpan& span = graph.actions()[i];
        Phases& phases = ranks[static_cast<std::size_t>(index(span.rank))];
        const Seconds entry = timeline.finish[span.entry];
        phase_of(phases, span.action.kind) += done.end[i] - entry;
        phases.exposed_communication += timeline.finish[span.exit] - entry - done.compute[i];
    }
    const std::vector<Seconds> optimizer = optimizer_seconds(graph, timeline);
    for (std::size_t r = 0; r < ranks.size(); ++r) {
        Phases& phases = ranks[r];
        phases.optimizer = optimizer[r];
        phases.exposed_communication += phases.optimizer - done.after_last[r];
        phases.bubble = timeline.makespan - phases.total();
    }
    return ranks;
}

namespace {

constexpr std::array kFields{&Phases::f,
                             &Phases::b,
                             &Phases::w,
                             &Phases::fb,
                             &Phases::bubble,
                             &Phases::optimizer,
                             &Phases::exposed_communication};

} // namespace

Phases mean(const std::vector<Phases>& ranks) {
    Phases sum;
    const double share = ranks.empty() ? 0.0 : 1.0 / static_cast<double>(ranks.size());
    for (const auto field : kFields) {
        for (const Phases& phases : ranks) {
            sum.*field += phases.*field;
        }
        sum.*field *= share;
    }
    return sum;
}

std::vector<Phases> per_pipeline_rank(const std::vector<Phases>& classes, const FoldReport& fold) {
    std::vector<Phases> ranks;
    std::vector<int> gpus;
    for (std::size_t c = 0; c < classes.size(); ++c) {
        const SimulatedClass& simulated = fold.classes[c];
        const auto rank = static_cast<std::size_t>(simulated.pipeline_rank);
        ranks.resize(std::max(ranks.size(), rank + 1));
        gpus.resize(ranks.size(), 0);
        const int together = gpus[rank] + simulated.gpus;
        const double weight = static_cast<double>(simulated.gpus) / together;
        for (const auto field : kFields) {
            // Exact where a rank has one class.
            ranks[rank].*field = ranks[rank].*field * (1.0 - weight) + classes[c].*field * weight;
        }
        gpus[rank] = together;
    }
    return ranks;
}

} // namespace chokepoint::sim
