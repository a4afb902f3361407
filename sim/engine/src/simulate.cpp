// SPDX-License-Identifier: Apache-2.0
// The engine's loop: integer counters decide what may start, SimGrid decides when it ends.
#include "compute_streams.hpp"
#include "host_clock.hpp"
#include "port_network.hpp"
#include "simgrid_session.hpp"

#include <chokepoint/sim/engine.hpp>

#include <boost/range/iterator_range.hpp>
#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <stdexcept>

namespace chokepoint::sim {

namespace {

auto successors(const work::TaskGraph& graph, work::TaskId task) {
    return boost::make_iterator_range(boost::adjacent_vertices(task, graph.dag()));
}

class Simulation {
public:
    Simulation(const work::TaskGraph& graph, const StepCosts& costs, const Network& network,
               const SimulateOptions& options)
        : graph_(graph),
          tasks_(graph.tasks()),
          options_(options),
          timed_(timed_work(graph, costs)),
          host_(graph.ranks(), timed_),
          horizon_(horizon(graph, timed_, network)),
          session_(horizon_),
          network_(session_, graph, timed_, costs, network,
                   [this](work::TaskId task, hw::Port port) { flow_ended(task, port); }),
          streams_(session_, graph.ranks(),
                   [this](work::TaskId task, hw::Seconds lost) { compute_ended(task, lost); }),
          unfinished_(tasks_.size(), 0) {
        timeline_.start.assign(tasks_.size(), hw::Seconds(0.0));
        timeline_.finish.assign(tasks_.size(), hw::Seconds(0.0));
        timeline_.last_port.assign(tasks_.size(), hw::Port::nvlink);
        timeline_.order.reserve(tasks_.size());
        timeline_.lost.assign(tasks_.size(), hw::Seconds(0.0));
        for (work::TaskId task = 0; task < tasks_.size(); ++task) {
            for (const work::TaskId next : successors(graph_, task)) {
                ++unfinished_[next];
            }
        }
    }

    Timeline run() {
        session_.run([this] {
            schedule_changes();
            guarded([this] { seed(); });
        });
        if (error_) {
            std::rethrow_exception(error_);
        }
        check_all_done();
        timeline_.makespan = makespan_;
        return std::move(timeline_);
    }

private:
    /// Runs `step` and whatever becomes ready by it. SimGrid's loop is no place for an exception to pass
    /// through: the first one stops all starts, so that the loop runs dry, and run() throws it.
    template <class Step> void guarded(Step step) noexcept {
        if (error_) {
            return;
        }
        try {
            step();
            while (!ready_.empty()) {
                start_ready();
            }
        } catch (...) {
            error_ = std::current_exception();
        }
    }

    static hw::Seconds horizon(const work::TaskGraph& graph, const TimedWork& timed, const Network& network) {
        check_network(graph, network);
        return serial_time(graph, timed) * worst_slowdown(timed, network);
    }

    void schedule_changes() {
        for (const PortPlatform::Change& change : network_.platform().changes()) {
            if (change.at < horizon_) {
                session_.after(change.at, [this, &change] {
                    if (done_ < tasks_.size()) {
                        network_.apply(change);
                    }
                });
            }
        }
    }

    void seed() {
        for (work::TaskId task = 0; task < tasks_.size(); ++task) {
            if (unfinished_[task] == 0) {
                ready_.push_back(task);
            }
        }
    }

    /// First come, first served, and without recursion: instant tasks may form chains of any length.
    void start_ready() {
        starting_.swap(ready_);
        for (const work::TaskId task : starting_) {
            start(task);
        }
        starting_.clear();
    }

    void start(work::TaskId id) {
        const work::Task& task = tasks_[id];
        timeline_.start[id] = session_.now();
        timeline_.order.push_back(id);
        switch (task.kind) {
        case work::TaskKind::marker:
            finish(id);
            break;
        case work::TaskKind::compute:
            start_compute(id);
            break;
        case work::TaskKind::transfer:
            if (graph_.transfers()[static_cast<std::size_t>(task.work)].host_waits) {
                host_.wait(task, session_.now());
            }
            after<&Simulation::start_flows>(timed_.transfer[static_cast<std::size_t>(task.work)].delay, id);
            break;
        }
    }

    void start_compute(work::TaskId id) {
        const work::Task& task = tasks_[id];
        const hw::Seconds duration = host_.duration(task, session_.now());
        if (task.stream != work::Stream::compute || session_.is_instant(duration)) {
            after<&Simulation::finish>(duration, id);
            return;
        }
        ++timeline_.engine.activities;
        const auto work = static_cast<std::size_t>(task.work);
        streams_.start(id, task.rank, timed_.compute[work], timed_.beside[work], duration);
    }

    void compute_ended(work::TaskId id, hw::Seconds lost) {
        guarded([this, id, lost] {
            timeline_.lost[id] = lost;
            finish(id);
        });
    }

    template <void (Simulation::*step)(work::TaskId)> void after(hw::Seconds delay, work::TaskId id) {
        if (session_.is_instant(delay)) {
            (this->*step)(id);
            return;
        }
        ++timeline_.engine.activities;
        session_.after(delay, [this, id] { guarded([this, id] { (this->*step)(id); }); });
    }

    void start_flows(work::TaskId id) {
        const work::Task& task = tasks_[id];
        const auto work = static_cast<std::size_t>(task.work);
        const std::size_t flows = timed_.transfer[work].flows.size();
        if (flows == 0) {
            finish(id);
            return;
        }
        if (holds_sms(task)) {
            streams_.hold(task.rank);
        }
        const bool to_peer = graph_.transfers()[work].kind == work::TransferKind::pipeline;
        unfinished_[id] = static_cast<std::uint32_t>(flows);
        timeline_.engine.flows += static_cast<std::int64_t>(flows);
        timeline_.engine.activities += static_cast<std::int64_t>(flows);
        for (std::size_t flow = 0; flow < flows; ++flow) {
            network_.start(id, task.work, flow, task.rank, to_peer ? task.peer : task.rank);
        }
    }

    /// Reductions and gatherings over data-parallel ranks run beside whatever computes. Other collectives
    /// have kernels of their own time beside them, or none.
    static bool holds_sms(const work::Task& task) { return task.stream == work::Stream::data_comm; }

    void flow_ended(work::TaskId id, hw::Port port) {
        guarded([this, id, port] {
            if (--unfinished_[id] == 0) {
                timeline_.last_port[id] = port;
                if (holds_sms(tasks_[id])) {
                    streams_.release(tasks_[id].rank);
                }
                finish(id);
            }
        });
    }

    void finish(work::TaskId id) {
        const hw::Seconds now = session_.now();
        timeline_.finish[id] = now;
        makespan_ = now;
        for (const work::TaskId next : successors(graph_, id)) {
            if (--unfinished_[next] == 0) {
                ready_.push_back(next);
            }
        }
        ++done_;
        if (options_.progress && done_ * kProgressSteps >= next_progress_ * tasks_.size()) {
            options_.progress(static_cast<double>(done_) / static_cast<double>(tasks_.size()));
            next_progress_ = done_ * kProgressSteps / tasks_.size() + 1;
        }
    }

    void check_all_done() const {
        if (done_ == tasks_.size()) {
            return;
        }
        for (work::TaskId task = 0; task < tasks_.size(); ++task) {
            if (unfinished_[task] != 0) {
                throw std::logic_error(
                    fmt::format("task {} ({}) never became ready or never ended: it waits for {} more; "
                                "{} of {} tasks were done",
                                task, graph_.describe(task), unfinished_[task], done_, tasks_.size()));
            }
        }
        throw std::logic_error(fmt::format(
            "a compute task or a latency never ended; {} of {} tasks were done", done_, tasks_.size()));
    }

    static constexpr std::size_t kProgressSteps = 100;

    const work::TaskGraph& graph_;
    std::span<const work::Task> tasks_;
    const SimulateOptions& options_;
    TimedWork timed_;
    HostClock host_;
    hw::Seconds horizon_;
    SimgridSession session_;
    PortNetwork network_;
    ComputeStreams streams_;
    std::vector<std::uint32_t> unfinished_; ///< per task: predecessors and then flows that it still waits for
    std::vector<work::TaskId> ready_, starting_;
    std::size_t done_ = 0;
    std::size_t next_progress_ = 1;
    hw::Seconds makespan_;
    Timeline timeline_;
    std::exception_ptr error_;
};

} // namespace

Timeline simulate(const work::TaskGraph& graph, const StepCosts& costs, const SimulateOptions& options) {
    return simulate(graph, costs, Network{}, options);
}

Timeline simulate(const work::TaskGraph& graph, const StepCosts& costs, const Network& network,
                  const SimulateOptions& options) {
    const auto wall_start = std::chrono::steady_clock::now();
    Timeline timeline = Simulation(graph, costs, network, options).run();
    timeline.engine.wall_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_start).count();
    return timeline;
}

} // namespace chokepoint::sim
