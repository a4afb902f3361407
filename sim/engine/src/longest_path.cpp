// SPDX-License-Identifier: Apache-2.0
// The step without contention, in one pass over the graph: a bound for the engine and a yardstick for its
// speed.
#include "host_clock.hpp"

#include <chokepoint/sim/engine.hpp>

#include <boost/range/iterator_range.hpp>

#include <algorithm>
#include <chrono>

namespace chokepoint::sim {

Timeline longest_path(const work::TaskGraph& graph, const StepCosts& costs) {
    const auto wall_start = std::chrono::steady_clock::now();
    const TimedWork timed = timed_work(graph, costs);
    HostClock host(graph.ranks(), timed);
    const std::span<const work::Task> tasks = graph.tasks();
    Timeline timeline;
    timeline.start.assign(tasks.size(), hw::Seconds(0.0));
    timeline.finish.assign(tasks.size(), hw::Seconds(0.0));
    timeline.last_port.assign(tasks.size(), hw::Port::nvlink);
    for (const work::TaskId id : graph.order()) {
        const work::Task& task = tasks[id];
        hw::Seconds time{0.0};
        if (task.kind == work::TaskKind::compute) {
            time = host.duration(task, timeline.start[id]); // never waiting: that depends on contention
        } else if (task.kind == work::TaskKind::transfer) {
            const TimedTransfer& transfer = timed.transfer[static_cast<std::size_t>(task.work)];
            time = transfer.alone;
            timeline.last_port[id] = transfer.last_port;
        }
        const hw::Seconds finish = timeline.start[id] + time;
        timeline.finish[id] = finish;
        timeline.makespan = std::max(timeline.makespan, finish);
        for (const work::TaskId next :
             boost::make_iterator_range(boost::adjacent_vertices(id, graph.dag()))) {
            timeline.start[next] = std::max(timeline.start[next], finish);
        }
    }
    timeline.engine = count_activities(graph, timed);
    timeline.engine.wall_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_start).count();
    return timeline;
}

} // namespace chokepoint::sim
