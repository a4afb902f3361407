// SPDX-License-Identifier: Apache-2.0
// Every SimGrid option we use, and the guards that keep its process-wide habits from our callers.
#include "simgrid_session.hpp"

#include <fmt/format.h>
#include <xbt/log.h>

#include <array>
#include <cmath>
#include <csignal>
#include <exception>
#include <limits>
#include <stdexcept>

namespace chokepoint::sim {

namespace {

/// SimGrid's constructor takes SIGINT, SIGSEGV, SIGBUS, the signal stack and the terminate handler for
/// itself, and its SIGINT handler calls exit(). This puts the caller's back.
class HandlerGuard {
public:
    HandlerGuard() : terminate_(std::get_terminate()) {
        for (Saved& saved : saved_) {
            sigaction(saved.signal, nullptr, &saved.action);
        }
        sigaltstack(nullptr, &stack_);
    }
    ~HandlerGuard() {
        for (const Saved& saved : saved_) {
            sigaction(saved.signal, &saved.action, nullptr);
        }
        sigaltstack(&stack_, nullptr);
        std::set_terminate(terminate_);
    }
    HandlerGuard(const HandlerGuard&) = delete;
    HandlerGuard& operator=(const HandlerGuard&) = delete;

private:
    struct Saved {
        int signal;
        struct sigaction action;
    };
    std::array<Saved, 3> saved_{{{SIGINT, {}}, {SIGSEGV, {}}, {SIGBUS, {}}}};
    stack_t stack_{};
    std::terminate_handler terminate_;
};

/// Options outlive an engine and some may not change once a platform exists, so they are set once per
/// process.
void configure_once() {
    static const bool configured = [] {
        // Plain max-min sharing: size / share, without the TCP corrections of the default model (LV08), which
        // is off by 3% on a single flow and by much more on small ones.
        simgrid::s4u::Engine::set_config("network/model:CM02");
        // No window limit, and no acknowledgements that load the way back.
        simgrid::s4u::Engine::set_config("network/TCP-gamma:1e30");
        simgrid::s4u::Engine::set_config("network/crosstraffic:0");
        // Latency is a timer of ours. Routes keep a token latency, since SimGrid never finishes a flow
        // without one; the factor zero makes it take no time and gives all flows the same weight, where
        // SimGrid's own go as 1/latency.
        simgrid::s4u::Engine::set_config("network/latency-factor:0");
        return true;
    }();
    static_cast<void>(configured);
}

/// SimGrid finishes a flow early by up to this much; below the clock's own resolution it would miss events.
void set_time_precision(double latest_clock) {
    const double resolution =
        std::nextafter(latest_clock, std::numeric_limits<double>::infinity()) - latest_clock;
    simgrid::s4u::Engine::set_config(fmt::format("surf/precision:{:.17g}", 4.0 * resolution));
}

/// SimGrid's clock never restarts in a process. Sessions start at whole seconds, the first at 1024: from
/// there to 2048 doubles are evenly spaced (0.2 ps), so every session rounds alike and repeats the same run
/// bit for bit.
double next_start() {
    constexpr double kFirstStart = 1024.0;
    return std::max(kFirstStart, std::ceil(simgrid::s4u::Engine::get_clock()));
}

} // namespace

SimgridSession::SimgridSession(hw::Seconds horizon) {
    if (simgrid::s4u::Engine::has_instance()) {
        throw std::logic_error(
            "a simulation was started while another runs in this process; SimGrid allows one");
    }
    // Before the engine, whose constructor already logs.
    xbt_log_control_set("root.thres:error");
    {
        const HandlerGuard guard;
        engine_ = std::make_unique<simgrid::s4u::Engine>("chokepoint");
    }
    configure_once();
    start_ = next_start();
    set_time_precision(start_ + to_simgrid::seconds(horizon));
}

SimgridSession::~SimgridSession() = default;

void SimgridSession::start_flow(std::function<void()> start) {
    ++flows_;
    if (ahead_ > simgrid::s4u::Engine::get_clock()) {
        starting_.push_back(std::move(start));
    } else {
        start();
    }
}

void SimgridSession::wake() {
    const std::optional<double> next = starting_.empty() ? events_.next() : ahead_;
    if (!next || (wake_ != nullptr && wake_->get_date() <= *next)) {
        return;
    }
    if (wake_ != nullptr) {
        wake_->remove();
    }
    wake_ = simgrid::kernel::timer::Timer::set(*next, [this] { fire(); });
}

void SimgridSession::fire() {
    wake_ = nullptr; // SimGrid deletes a timer that has fired
    firing_ = true;
    for (const std::function<void()>& start : std::exchange(starting_, {})) {
        start();
    }
    for (auto next = events_.next(); next && (*next <= clock() || flows_ == 0); next = events_.next()) {
        ahead_ = std::max(ahead_, *next);
        events_.run_next();
    }
    firing_ = false;
    wake();
}

} // namespace chokepoint::sim
