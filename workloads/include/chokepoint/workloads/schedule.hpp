// SPDX-License-Identifier: Apache-2.0
// The order in which each pipeline rank runs its micro-batches: what a schedule is, and every schedule we
// know.
#pragma once

#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::work {

enum class Rank : int {};  ///< pipeline rank, 0 = first
enum class Stage : int {}; ///< piece of the model, 0 holds the embedding
constexpr int index(Rank r) { return static_cast<int>(r); }
constexpr int index(Stage s) { return static_cast<int>(s); }

enum class ActionKind {
    forward,
    backward,       ///< full: input and weight gradients
    input_backward, ///< input gradient only; its weight gradient comes later as weight_backward
    weight_backward,
    overlapped, ///< forward of one micro-batch interleaved with the full backward of another
};
std::string_view name(ActionKind);

/// One piece of work: a stage on a micro-batch. `overlapped` has both pairs, the others only the first that
/// applies: forward uses `forward_*`; backward, input_backward and weight_backward use `backward_*`.
struct Action {
    ActionKind kind = ActionKind::forward;
    Stage forward_stage{0};
    int forward_micro_batch = -1;
    Stage backward_stage{0};
    int backward_micro_batch = -1;
    friend bool operator==(const Action&, const Action&) = default;
};
/// "stage 3 F17", "stage 3 F17 & stage 12 B4": for errors and timelines.
std::string to_text(const Action&);

/// Actions of every rank in order. Micro-batches are numbered 0..micro_batches-1 over the whole replica.
/// Under dualpipe the first half enters at rank 0 and the second half at the last rank, whose stages run
/// mirrored: a stage then lives on two ranks, and `host` says which one serves a micro-batch.
struct Schedule {
    std::string id;
    int ranks = 0;
    int stages = 0;
    int micro_batches = 0;
    std::vector<std::vector<Action>> order; ///< [rank]
    std::vector<std::vector<Rank>> hosts;   ///< [stage][micro_batch]
    int replicas_per_stage = 1; ///< ranks of one pipeline that hold a copy of a stage's parameters
    std::string note;           ///< how the order was made when the published one does not apply
    friend bool operator==(const Schedule&, const Schedule&) = default;
    [[nodiscard]] Rank host(Stage s, int micro_batch) const {
        return hosts[static_cast<std::size_t>(index(s))][static_cast<std::size_t>(micro_batch)];
    }
};

/// What a schedule is made for.
struct ScheduleSize {
    int ranks = 0;
    int micro_batches = 0;
    /// Stages of one rank, where the schedule leaves that open; 1: as the schedule has it.
    int virtual_stages = 1;
    /// Micro-batches that a rank runs on one of its stages before it turns to the next, where the schedule
    /// interleaves stages; absent: one per rank.
    std::optional<int> group = std::nullopt;
    /// Whether each forward of the steady state is one action with the backward behind it, with one more
    /// forward in the warm-up, as Megatron-Core overlaps them (combined_1f1b.py).
    bool pairs = false;
};

/// A schedule as the table of schedules lists it.
struct ScheduleKind {
    std::string_view id;
    std::string_view summary;
    /// Why this size cannot be ordered, or nothing.
    std::string (*fault)(const ScheduleSize&);
    Schedule (*make)(const ScheduleSize&);
};
/// Every schedule, in the order the documentation lists them.
std::span<const ScheduleKind> schedule_kinds();
const ScheduleKind* find_schedule(std::string_view id);

/// What is wrong with a schedule, and where: a rank, and which of its actions.
struct ScheduleFault {
    std::string message; ///< names the place too
    std::optional<int> rank, action;
};
/// Every fault of the schedule: an action missing, doubled or on the wrong rank; a forward before its
/// predecessor's; a deadlock (naming rank, action and micro-batch). Empty if it is sound.
std::vector<ScheduleFault> find_faults(const Schedule&);
/// The messages of find_faults.
std::vector<std::string> check(const Schedule&);

/// The largest number of micro-batches whose activations rank r holds at one time, counting each stage
/// separately.
std::vector<int> peak_in_flight(const Schedule&);

} // namespace chokepoint::work
