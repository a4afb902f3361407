// SPDX-License-Identifier: Apache-2.0
// The flows of a simulation: hands them to SimGrid and says when each has ended.
#pragma once

#include "port_platform.hpp"
#include "simgrid_session.hpp"

#include <simgrid/s4u/Comm.hpp>

#include <deque>
#include <functional>
#include <vector>

namespace chokepoint::sim {

/// Must be destroyed before the session it was made in.
class PortNetwork {
public:
    using Finished = std::function<void(work::TaskId, hw::Port)>;

    /// @param finished called once per flow, when it ends; it must not throw
    PortNetwork(const work::TaskGraph&, const TimedWork&, const StepCosts&, const Network&,
                Finished finished);
    PortNetwork(const PortNetwork&) = delete;
    PortNetwork& operator=(const PortNetwork&) = delete;

    /// Starts the `flow`-th flow of transfer work `work` for `task`.
    void start(work::TaskId task, std::int32_t work, std::size_t flow, int from_rank, int to_rank);

    [[nodiscard]] const PortPlatform& platform() const { return platform_; }

private:
    struct Flow {
        std::size_t lane;
        std::uint64_t payload;
    };
    struct LiveFlow {
        PortNetwork* network = nullptr;
        simgrid::s4u::CommPtr comm;
        work::TaskId task = 0;
        hw::Port port = hw::Port::nvlink;
    };

    static void on_completion(const simgrid::s4u::Activity&);
    void finish(LiveFlow&);

    PortPlatform platform_;
    std::vector<std::vector<Flow>> flows_; ///< by transfer work
    std::deque<LiveFlow> slots_;           ///< addresses stay valid while it grows
    std::vector<LiveFlow*> free_;
    simgrid::s4u::CommPtr last_finished_;
    Finished finished_;
};

} // namespace chokepoint::sim
