// SPDX-License-Identifier: Apache-2.0
// One simulation's hold on SimGrid: its engine, every option we set, its clock and its timers.
#pragma once

#include "to_simgrid.hpp"

#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u/Engine.hpp>

#include <memory>
#include <utility>

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

    [[nodiscard]] hw::Seconds now() const {
        return to_simgrid::duration(simgrid::s4u::Engine::get_clock() - start_);
    }

    /// Calls `callback` after `delay`. It must not throw.
    template <class Callback> void after(hw::Seconds delay, Callback callback) {
        simgrid::kernel::timer::Timer::set(simgrid::s4u::Engine::get_clock() + to_simgrid::seconds(delay),
                                           std::move(callback));
    }

    /// Whether `delay` is too short to move the clock.
    [[nodiscard]] bool is_instant(hw::Seconds delay) const {
        const double clock = simgrid::s4u::Engine::get_clock();
        return !(clock + to_simgrid::seconds(delay) > clock);
    }

    /// Calls `begin` at time zero and returns when no timer or flow is left.
    template <class Callback> void run(Callback begin) {
        simgrid::kernel::timer::Timer::set(start_, std::move(begin));
        engine_->run();
    }

private:
    std::unique_ptr<simgrid::s4u::Engine> engine_;
    double start_ = 0.0; ///< SimGrid's clock at our time zero
};

} // namespace chokepoint::sim
