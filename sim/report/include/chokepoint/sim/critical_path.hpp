// SPDX-License-Identifier: Apache-2.0
// Which resource each second of the step waited for.
#pragma once

#include <chokepoint/sim/timeline.hpp>

#include <string>
#include <vector>

namespace chokepoint::sim {

enum class Resource {
    tensor_core,
    attention,
    memory,
    nvlink,
    nic,
    latency,
    slowest_rank,
    optimizer,
    host,
    launch
};
std::string_view name(Resource);

struct PathStep {
    work::TaskId task = 0;
    hw::Seconds start, finish;
};

struct CriticalPath {
    /// First to last, contiguous from 0 to the makespan; markers and other tasks without duration are left
    /// out.
    std::vector<PathStep> steps;
    /// Largest first, those with a share only; adds up to the makespan.
    std::vector<std::pair<Resource, hw::Seconds>> by_resource;
};

/// Walks back from the last task to finish, each time to the predecessor that finished last. A compute task's
/// time is split over its operators (by `operator_seconds`), a transfer's over waiting, latency and the port
/// that ended last.
/// @param operator_seconds per ComputeWork, the seconds of each of its operators in order
/// @throws std::invalid_argument if timeline or operator times are not those of the graph: of another size,
/// or a task on the path that does not start when its last predecessor ends.
CriticalPath critical_path(const work::TaskGraph&, const StepCosts&, const Timeline&,
                           const std::vector<std::vector<hw::Seconds>>& operator_seconds);

/// How much later each task could finish without lengthening the step, every other task taking as long as it
/// did, in the graph's numbering.
/// @throws std::invalid_argument if the timeline is of another size than the graph.
std::vector<hw::Seconds> slack(const work::TaskGraph&, const Timeline&);

} // namespace chokepoint::sim
