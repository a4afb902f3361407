// SPDX-License-Identifier: Apache-2.0
// The flows of a simulation: says when each has ended, and asks SimGrid wherever flows slow each other.
#pragma once

#include "port_load.hpp"
#include "port_platform.hpp"
#include "simgrid_session.hpp"

#include <simgrid/s4u/Comm.hpp>

#include <deque>
#include <functional>
#include <vector>

namespace chokepoint::sim {

/// Must be destroyed before the session.
class PortNetwork {
public:
    using Finished = std::function<void(work::TaskId, hw::Port)>;

    /// @param finished called once per flow, when it ends and never from within start(); it must not throw
    PortNetwork(SimgridSession&, const work::TaskGraph&, const TimedWork&, const StepCosts&, const Network&,
                Finished finished);
    PortNetwork(const PortNetwork&) = delete;
    PortNetwork& operator=(const PortNetwork&) = delete;

    /// Starts the `flow`-th flow of transfer work `work` for `task`.
    void start(work::TaskId task, std::int32_t work, std::size_t flow, int from_rank, int to_rank);

    /// Gives a link another bandwidth, under the flows that are on their way too.
    void apply(const PortPlatform::Change&);

    [[nodiscard]] const PortPlatform& platform() const { return platform_; }

private:
    struct Flow {
        std::size_t lane;
        hw::Bytes bytes;
    };
    /// While its ports have room for all that use them, a flow runs at its own rate and a timer ends it. Once
    /// they have not, SimGrid takes over what is left of it.
    struct LiveFlow : LoadingFlow {
        PortNetwork* network = nullptr;
        simgrid::s4u::CommPtr comm; ///< null while a timer is to end it
        simgrid::s4u::Host* sender = nullptr;
        simgrid::s4u::Host* receiver = nullptr;
        hw::Bytes bytes;
        hw::Seconds since;
        std::uint32_t timer = 0; ///< number of the slot's last timer: one that fires after it counts no more
        work::TaskId task = 0;
        hw::Port port = hw::Port::nvlink;
    };

    LiveFlow& free_slot();
    void end_by_timer(LiveFlow&, hw::Seconds delay);
    void hand_to_simgrid(LiveFlow&);
    static void on_completion(const simgrid::s4u::Activity&);
    static void send(LiveFlow&, std::uint64_t payload);
    void finish(LiveFlow&);

    SimgridSession& session_;
    PortPlatform platform_;
    PortLoad load_;
    std::vector<std::vector<Flow>> flows_; ///< by transfer work
    std::deque<LiveFlow> slots_;           ///< addresses stay valid while it grows
    std::vector<LiveFlow*> free_;
    simgrid::s4u::CommPtr last_finished_;
    std::vector<simgrid::s4u::CommPtr> replaced_; ///< cancelled when a bandwidth changed
    Finished finished_;
};

} // namespace chokepoint::sim
