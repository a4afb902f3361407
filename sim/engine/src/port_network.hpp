// SPDX-License-Identifier: Apache-2.0
// The ports of one representative GPU per pipeline rank as a SimGrid platform, and the flows that share them.
#pragma once

#include "simgrid_session.hpp"
#include "timed_work.hpp"

#include <simgrid/s4u/Comm.hpp>
#include <simgrid/s4u/Host.hpp>
#include <simgrid/s4u/NetZone.hpp>

#include <array>
#include <deque>
#include <functional>
#include <vector>

namespace chokepoint::sim {

/// Behind each port sits a non-blocking switch: a flow meets only its sender's outgoing port, its receiver's
/// incoming one, and its own rate. Must be destroyed before the session it was made in.
class PortNetwork {
public:
    using Finished = std::function<void(work::TaskId, hw::Port)>;

    /// @param finished called once per flow, when it ends; it must not throw
    PortNetwork(int ranks, const TimedWork&, hw::BytesPerSecond nvlink, hw::BytesPerSecond nic,
                Finished finished);
    PortNetwork(const PortNetwork&) = delete;
    PortNetwork& operator=(const PortNetwork&) = delete;

    /// Starts the `flow`-th flow of transfer work `work` for `task`.
    void start(work::TaskId task, std::int32_t work, std::size_t flow, int from_rank, int to_rank);

private:
    /// Flows that leave by the same port at the same rate; each rank sends them from a host of its own.
    struct Lane {
        hw::Port port;
        hw::BytesPerSecond rate;
        std::vector<simgrid::s4u::Host*> senders; ///< by rank
    };
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
    std::size_t lane_of(const TimedFlow&);
    void build_port(simgrid::s4u::NetZone&, int ranks, hw::Port, hw::BytesPerSecond);

    std::vector<Lane> lanes_;
    std::vector<std::vector<Flow>> flows_;                      ///< by transfer work
    std::array<std::vector<simgrid::s4u::Host*>, 2> receivers_; ///< by port and rank
    std::deque<LiveFlow> slots_;                                ///< addresses stay valid while it grows
    std::vector<LiveFlow*> free_;
    simgrid::s4u::CommPtr last_finished_;
    Finished finished_;
};

} // namespace chokepoint::sim
