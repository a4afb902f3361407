// SPDX-License-Identifier: Apache-2.0
// The compute tasks that run on each rank, which take longer while a collective holds SMs of its GPU.
#pragma once

#include "simgrid_session.hpp"

#include <chokepoint/workloads/task_graph.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace chokepoint::sim {

/// A task's remaining work shrinks by the time that passes, or by less of it while SMs are held. Each change
/// sets another timer; a timer that fires after it counts no more.
class ComputeStreams {
public:
    using Finished = std::function<void(work::TaskId, hw::Seconds lost)>;

    /// @param finished called once per task, with what it lost to collectives; it must not throw
    ComputeStreams(SimgridSession& session, int ranks, Finished finished)
        : session_(session),
          ranks_(static_cast<std::size_t>(ranks)),
          finished_(std::move(finished)) {}

    /// @param alone how long the task takes with all SMs
    /// @param beside how many times as long with those that collectives leave
    /// @param host not before so much time has passed, however fast the kernels are; at least `alone`
    void start(work::TaskId task, int rank, hw::Seconds alone, double beside, hw::Seconds host) {
        const std::uint32_t slot = free_slot();
        const hw::Seconds now = session_.now();
        Running& running = slots_[slot];
        running = {.task = task,
                   .rank = rank,
                   .timer = running.timer,
                   .beside = beside,
                   .left = alone,
                   .since = now,
                   .earliest = now + host};
        of(rank).running.push_back(slot);
        set_timer(slot);
    }

    /// A collective begins, or ends, to hold SMs of the rank's GPUs.
    void hold(int rank) { change_held(rank, 1); }
    void release(int rank) { change_held(rank, -1); }

private:
    struct Running {
        work::TaskId task = 0;
        int rank = 0;
        std::uint32_t timer = 0; ///< number of the slot's last one
        double beside = 1.0;
        hw::Seconds left;     ///< with all SMs, at `since`
        hw::Seconds since;    ///< start, or last change
        hw::Seconds earliest; ///< end without collectives
    };
    struct OfRank {
        int held = 0;                       ///< collectives under way
        std::vector<std::uint32_t> running; ///< slots; usually one
    };

    OfRank& of(int rank) { return ranks_[static_cast<std::size_t>(rank)]; }

    std::uint32_t free_slot() {
        if (free_.empty()) {
            slots_.emplace_back();
            return static_cast<std::uint32_t>(slots_.size() - 1);
        }
        const std::uint32_t slot = free_.back();
        free_.pop_back();
        return slot;
    }

    void set_timer(std::uint32_t slot) {
        Running& running = slots_[slot];
        const double slowdown = of(running.rank).held > 0 ? running.beside : 1.0;
        const hw::Seconds delay = std::max(running.left * slowdown, running.earliest - session_.now());
        const std::uint64_t key = (static_cast<std::uint64_t>(slot) << 32U) | ++running.timer;
        session_.after(std::max(delay, hw::Seconds(0.0)), [this, key] { fire(key); });
    }

    void fire(std::uint64_t key) {
        const auto slot = static_cast<std::uint32_t>(key >> 32U);
        const Running running = slots_[slot];
        if (running.timer != static_cast<std::uint32_t>(key)) {
            return;
        }
        ++slots_[slot].timer;
        std::erase(of(running.rank).running, slot);
        free_.push_back(slot);
        finished_(running.task, std::max(session_.now() - running.earliest, hw::Seconds(0.0)));
    }

    void change_held(int rank, int by) {
        OfRank& own = of(rank);
        const bool before = own.held > 0;
        own.held += by;
        if (before == (own.held > 0)) {
            return;
        }
        const hw::Seconds now = session_.now();
        for (const std::uint32_t slot : own.running) {
            Running& running = slots_[slot];
            const double slowdown = before ? running.beside : 1.0;
            running.left = std::max(running.left - (now - running.since) / slowdown, hw::Seconds(0.0));
            running.since = now;
            if (running.beside > 1.0) {
                set_timer(slot);
            }
        }
    }

    SimgridSession& session_;
    std::vector<OfRank> ranks_;
    std::vector<Running> slots_;
    std::vector<std::uint32_t> free_;
    Finished finished_;
};

} // namespace chokepoint::sim
