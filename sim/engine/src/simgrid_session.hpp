// SPDX-License-Identifier: Apache-2.0
// One simulation's hold on SimGrid: its engine, every option we set, its clock and its timers.
#pragma once

#include "event_queue.hpp"
#include "to_simgrid.hpp"

#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u/Engine.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace chokepoint::sim {

/// SimGrid lives once per process: one session at a time, all on one thread. Time is counted from the
/// session's start. Each session slows all later ones by about 1%: SimGrid's virtual machine model registers
/// callbacks per engine and never removes them. A sweep of hundreds of steps belongs into several processes.
class SimgridSession {
public:
    /// @param horizon no event comes later than this
    /// @throws std::logic_error if a session is open already.
    explicit SimgridSession(hw::Seconds horizon);
    ~SimgridSession();
    SimgridSession(const SimgridSession&) = delete;
    SimgridSession& operator=(const SimgridSession&) = delete;

    [[nodiscard]] hw::Seconds now() const { return to_simgrid::duration(clock() - start_); }

    /// Calls `callback` after `delay`. It must not throw.
    void after(hw::Seconds delay, std::function<void()> callback) {
        events_.push(clock() + to_simgrid::seconds(delay), std::move(callback));
        if (!firing_) {
            wake();
        }
    }

    /// Calls `start`, which starts one flow of SimGrid's, at this moment: at once, or when its clock gets
    /// here.
    void start_flow(std::function<void()> start);
    /// Once for each flow started, when it is over.
    void flow_ended() { --flows_; }

    /// Whether `delay` is too short to move the clock.
    [[nodiscard]] bool is_instant(hw::Seconds delay) const {
        return !(clock() + to_simgrid::seconds(delay) > clock());
    }

    /// Calls `begin` at time zero and returns when no timer or flow is left.
    void run(std::function<void()> begin) {
        events_.push(start_, std::move(begin));
        wake();
        engine_->run();
    }

private:
    /// Where no flow of SimGrid's is under way nothing of ours depends on its clock, and each stop there
    /// costs more than an event does: events run ahead of it until a flow starts.
    [[nodiscard]] double clock() const { return std::max(ahead_, simgrid::s4u::Engine::get_clock()); }

    /// Sees to it that SimGrid's clock stops where it next has to.
    void wake();
    void fire();

    std::unique_ptr<simgrid::s4u::Engine> engine_;
    double start_ = 0.0; ///< SimGrid's clock at our time zero
    double ahead_ = 0.0;
    EventQueue events_;
    std::vector<std::function<void()>> starting_; ///< flows that wait for SimGrid's clock to get to `ahead_`
    int flows_ = 0;                               ///< started or starting, and not over
    simgrid::kernel::timer::Timer* wake_ = nullptr; ///< the one timer that SimGrid holds for us
    bool firing_ = false;
};

} // namespace chokepoint::sim
