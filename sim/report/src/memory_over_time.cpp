// SPDX-License-Identifier: Apache-2.0
// Adds up what forwards begin to hold and weight gradients let go.
#include <chokepoint/sim/memory_over_time.hpp>

#include <algorithm>

namespace chokepoint::sim {
namespace {

/// At one moment what is let go counts first: the next action starts when the one before has ended.
struct Change {
    hw::Seconds at;
    hw::Bytes bytes;
};

std::vector<MemoryLevel> levels(std::vector<Change> changes) {
    std::ranges::stable_sort(changes, [](const Change& a, const Change& b) {
        return a.at != b.at ? a.at < b.at : a.bytes < b.bytes;
    });
    std::vector<MemoryLevel> held{{hw::Seconds(), hw::Bytes()}};
    for (const Change& change : changes) {
        // Rounding may leave a hair below nothing.
        const hw::Bytes now = std::max(hw::Bytes(), held.back().bytes + change.bytes);
        if (held.back().at == change.at) {
            held.back().bytes = now;
        } else {
            held.push_back({change.at, now});
        }
    }
    return held;
}

/// What one action keeps from its start on, or frees at its end; a pair does both by steps.
void add_action(const work::Action& action, hw::Seconds start, hw::Seconds end,
                const work::ParallelPlan& plan, const std::vector<work::StageActivations>& stages,
                std::vector<Change>& changes) {
    using enum work::ActionKind;
    const auto of = [&](work::Stage stage) { return stages.at(static_cast<std::size_t>(index(stage))); };
    if (action.kind == overlapped) {
        const work::StageActivations forward = of(action.forward_stage);
        const work::StageActivations backward = of(action.backward_stage);
        const int steps = work::pair_steps(plan, forward, backward);
        const double share = 1.0 / steps;
        for (int step = 0; step < steps; ++step) {
            changes.push_back({start + (end - start) * (step * share), forward.kept * share});
            changes.push_back({start + (end - start) * ((step + 1) * share), backward.kept * -share});
        }
    } else if (action.kind == forward) {
        changes.push_back({start, of(action.forward_stage).kept});
    } else if (action.kind == backward || action.kind == weight_backward) {
        changes.push_back({end, -1.0 * of(action.backward_stage).kept});
    }
}

} // namespace

std::vector<std::vector<MemoryLevel>>
activations_over_time(const work::TaskGraph& graph, const Timeline& timeline, const work::ParallelPlan& plan,
                      const std::vector<work::StageActivations>& stages) {
    std::vector<std::vector<Change>> changes(static_cast<std::size_t>(graph.ranks()));
    for (const work::ActionSpan& span : graph.actions()) {
        add_action(span.action, timeline.finish[span.entry], timeline.finish[span.exit], plan, stages,
                   changes[static_cast<std::size_t>(index(span.rank))]);
    }
    std::vector<std::vector<MemoryLevel>> held;
    for (std::vector<Change>& own : changes) {
        held.push_back(levels(std::move(own)));
    }
    return held;
}

MemoryPeak peak_of(const std::vector<MemoryLevel>& held) {
    const auto most = std::ranges::max_element(held, {}, &MemoryLevel::bytes);
    if (most == held.end()) {
        return {};
    }
    const auto next = std::ranges::next(most);
    return {most->bytes, most->at, next == held.end() ? most->at : next->at};
}

} // namespace chokepoint::sim
