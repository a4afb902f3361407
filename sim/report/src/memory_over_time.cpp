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

} // namespace

std::vector<std::vector<MemoryLevel>> activations_over_time(const work::TaskGraph& graph,
                                                            const Timeline& timeline,
                                                            const std::vector<hw::Bytes>& stage_bytes) {
    const auto of = [&](work::Stage stage) { return stage_bytes.at(static_cast<std::size_t>(index(stage))); };
    std::vector<std::vector<Change>> changes(static_cast<std::size_t>(graph.ranks()));
    for (const work::ActionSpan& span : graph.actions()) {
        std::vector<Change>& own = changes[static_cast<std::size_t>(index(span.rank))];
        using enum work::ActionKind;
        const work::ActionKind kind = span.action.kind;
        if (kind == forward || kind == overlapped) {
            own.push_back({timeline.finish[span.entry], of(span.action.forward_stage)});
        }
        if (kind == backward || kind == weight_backward || kind == overlapped) {
            own.push_back({timeline.finish[span.exit], -1.0 * of(span.action.backward_stage)});
        }
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
