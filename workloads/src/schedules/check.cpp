// SPDX-License-Identifier: Apache-2.0
// Proves a schedule sound before anything is built from it: complete, on the right ranks, in a possible
// order.
#include "orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace chokepoint::work {

namespace {

/// The three things every stage owes every micro-batch.
enum class Part { forward, input_gradient, weight_gradient };
constexpr std::array kParts{Part::forward, Part::input_gradient, Part::weight_gradient};

std::string_view name(Part part) {
    constexpr std::array<std::string_view, 3> kNames{"forward", "input gradient", "weight gradient"};
    return kNames[static_cast<std::size_t>(part)];
}

bool runs(const Action& action, Part part) {
    switch (part) {
    case Part::forward:
        return runs_forward(action.kind);
    case Part::input_gradient:
        return runs_input_gradient(action.kind);
    case Part::weight_gradient:
        return runs_weight_gradient(action.kind);
    }
    return false;
}

struct Need {
    Part part = Part::forward;
    int stage = 0;
    int micro_batch = 0;
};

std::string to_text(const Need& need) {
    return fmt::format("{} of stage {} for micro-batch {}", name(need.part), need.stage, need.micro_batch);
}

Need made(const Action& action, Part part) {
    return part == Part::forward ? Need{part, index(action.forward_stage), action.forward_micro_batch}
                                 : Need{part, index(action.backward_stage), action.backward_micro_batch};
}

/// What must have run before `action`: at most a forward and a gradient for its input, and its own earlier
/// part.
std::vector<Need> needs(const Action& action, int stages) {
    std::vector<Need> list;
    if (runs_forward(action.kind) && index(action.forward_stage) > 0) {
        list.push_back({Part::forward, index(action.forward_stage) - 1, action.forward_micro_batch});
    }
    const int stage = index(action.backward_stage);
    if (runs_input_gradient(action.kind)) {
        list.push_back({Part::forward, stage, action.backward_micro_batch});
        if (stage + 1 < stages) {
            list.push_back({Part::input_gradient, stage + 1, action.backward_micro_batch});
        }
    } else if (action.kind == ActionKind::weight_backward) {
        list.push_back({Part::input_gradient, stage, action.backward_micro_batch});
    }
    return list;
}

/// Where each part of each stage and micro-batch runs.
class Census {
public:
    struct Place {
        int rank = -1;
        int position = 0;
    };
    explicit Census(const Schedule& schedule)
        : micro_batches_(schedule.micro_batches),
          places_(kParts.size() * static_cast<std::size_t>(schedule.stages * schedule.micro_batches)) {}

    Place& at(const Need& need) { return places_[slot(need)]; }

private:
    [[nodiscard]] std::size_t slot(const Need& need) const {
        return static_cast<std::size_t>((need.stage * micro_batches_ + need.micro_batch)) * kParts.size() +
               static_cast<std::size_t>(need.part);
    }
    int micro_batches_;
    std::vector<Place> places_;
};

std::vector<ScheduleFault> shape_faults(const Schedule& s) {
    std::vector<ScheduleFault> faults;
    if (static_cast<int>(s.order.size()) != s.ranks) {
        faults.push_back({fmt::format("order lists {} ranks; expected {}", s.order.size(), s.ranks)});
    }
    if (static_cast<int>(s.hosts.size()) != s.stages) {
        faults.push_back({fmt::format("hosts lists {} stages; expected {}", s.hosts.size(), s.stages)});
    }
    for (std::size_t stage = 0; stage < s.hosts.size(); ++stage) {
        if (static_cast<int>(s.hosts[stage].size()) != s.micro_batches) {
            faults.push_back({fmt::format("hosts of stage {} lists {} micro-batches; expected {}", stage,
                                          s.hosts[stage].size(), s.micro_batches)});
        }
    }
    return faults;
}

bool in_range(const Need& need, const Schedule& s) {
    return need.stage >= 0 && need.stage < s.stages && need.micro_batch >= 0 &&
           need.micro_batch < s.micro_batches;
}

/// Enters every action into the census; reports what is out of range, misplaced or doubled.
void take_census(const Schedule& s, Census& census, std::vector<ScheduleFault>& faults) {
    for (int rank = 0; rank < s.ranks; ++rank) {
        const auto& order = s.order[static_cast<std::size_t>(rank)];
        for (int position = 0; position < static_cast<int>(order.size()); ++position) {
            const Action& action = order[static_cast<std::size_t>(position)];
            const auto blame = [&](std::string_view what) {
                faults.push_back(
                    {fmt::format("rank {}, action {} ({}): {}", rank, position, to_text(action), what), rank,
                     position});
            };
            for (const Part part : kParts) {
                if (!runs(action, part)) {
                    continue;
                }
                const Need need = made(action, part);
                if (!in_range(need, s)) {
                    blame(fmt::format(
                        "no such stage or micro-batch; expected stages 0 to {}, micro-batches 0 to {}",
                        s.stages - 1, s.micro_batches - 1));
                    break;
                }
                if (const int host = index(s.host(Stage{need.stage}, need.micro_batch)); host != rank) {
                    blame(fmt::format("stage {} of micro-batch {} lives on rank {}", need.stage,
                                      need.micro_batch, host));
                }
                auto& place = census.at(need);
                if (place.rank >= 0) {
                    blame(fmt::format("{} ran before, on rank {}, action {}", to_text(need), place.rank,
                                      place.position));
                }
                place = {rank, position};
            }
        }
    }
}

void report_missing(const Schedule& s, Census& census, std::vector<ScheduleFault>& faults) {
    for (int stage = 0; stage < s.stages; ++stage) {
        for (int mb = 0; mb < s.micro_batches; ++mb) {
            for (const Part part : kParts) {
                if (census.at({part, stage, mb}).rank < 0) {
                    const int host = index(s.host(Stage{stage}, mb));
                    faults.push_back({fmt::format("{} is missing; expected on rank {}",
                                                  to_text(Need{part, stage, mb}), host),
                                      host, std::nullopt});
                }
            }
        }
    }
}

/// An action that needs something its own rank does only later, or in the same action.
void report_order(const Schedule& s, Census& census, std::vector<ScheduleFault>& faults) {
    for (int rank = 0; rank < s.ranks; ++rank) {
        const auto& order = s.order[static_cast<std::size_t>(rank)];
        for (int position = 0; position < static_cast<int>(order.size()); ++position) {
            const Action& action = order[static_cast<std::size_t>(position)];
            for (const Need& need : needs(action, s.stages)) {
                const auto place = census.at(need);
                if (place.rank == rank && place.position >= position) {
                    faults.push_back(
                        {fmt::format("rank {}, action {} ({}): runs before the {}, which is action {}", rank,
                                     position, to_text(action), to_text(need), place.position),
                         rank, position});
                }
            }
        }
    }
}

/// Runs the ranks until none can go on; what is then left can never run.
void report_deadlock(const Schedule& s, Census& census, std::vector<ScheduleFault>& faults) {
    std::vector<int> done(static_cast<std::size_t>(s.ranks), 0);
    const auto missing = [&](const Action& action) -> std::optional<Need> {
        for (const Need& need : needs(action, s.stages)) {
            const auto place = census.at(need);
            if (done[static_cast<std::size_t>(place.rank)] <= place.position) {
                return need;
            }
        }
        return std::nullopt;
    };
    for (bool moved = true; moved;) {
        moved = false;
        for (std::size_t rank = 0; rank < done.size(); ++rank) {
            const auto& order = s.order[rank];
            while (done[rank] < static_cast<int>(order.size()) &&
                   !missing(order[static_cast<std::size_t>(done[rank])])) {
                ++done[rank];
                moved = true;
            }
        }
    }
    for (std::size_t rank = 0; rank < done.size(); ++rank) {
        if (done[rank] < static_cast<int>(s.order[rank].size())) {
            const Action& action = s.order[rank][static_cast<std::size_t>(done[rank])];
            const Need need = *missing(action);
            faults.push_back(
                {fmt::format("deadlock: rank {} waits forever at action {} ({}) for the {} on rank {}", rank,
                             done[rank], to_text(action), to_text(need), census.at(need).rank),
                 static_cast<int>(rank), done[rank]});
        }
    }
}

} // namespace

std::vector<ScheduleFault> find_faults(const Schedule& schedule) {
    std::vector<ScheduleFault> faults = shape_faults(schedule);
    if (!faults.empty()) {
        return faults;
    }
    Census census(schedule);
    take_census(schedule, census, faults);
    report_missing(schedule, census, faults);
    if (!faults.empty()) {
        return faults; // what follows needs every part in one place
    }
    report_order(schedule, census, faults);
    if (faults.empty()) {
        report_deadlock(schedule, census, faults);
    }
    return faults;
}

std::vector<std::string> check(const Schedule& schedule) {
    std::vector<std::string> messages;
    for (ScheduleFault& fault : find_faults(schedule)) {
        messages.push_back(std::move(fault.message));
    }
    return messages;
}

std::vector<int> peak_in_flight(const Schedule& schedule) {
    std::vector<int> peaks;
    for (const auto& order : schedule.order) {
        int held = 0;
        int peak = 0;
        for (const Action& action : order) {
            // A pair holds both micro-batches: the forward's activations grow while the backward still reads
            // its own.
            held += runs_forward(action.kind) ? 1 : 0;
            peak = std::max(peak, held);
            held -= runs_weight_gradient(action.kind) ? 1 : 0;
        }
        peaks.push_back(peak);
    }
    return peaks;
}

} // namespace chokepoint::work
