// SPDX-License-Identifier: Apache-2.0
// Starts flows as SimGrid communications and keeps each alive for as long as SimGrid uses it.
#include "port_network.hpp"

#include <utility>

namespace chokepoint::sim {

namespace sg4 = simgrid::s4u;

PortNetwork::PortNetwork(const work::TaskGraph& graph, const TimedWork& timed, const StepCosts& costs,
                         const Network& network, Finished finished)
    : platform_(graph, timed, costs, network),
      finished_(std::move(finished)) {
    static const bool registered = [] {
        sg4::Activity::on_completion_cb(&PortNetwork::on_completion);
        return true;
    }();
    static_cast<void>(registered);

    flows_.resize(timed.transfer.size());
    for (std::size_t work = 0; work < timed.transfer.size(); ++work) {
        for (const TimedFlow& flow : timed.transfer[work].flows) {
            flows_[work].push_back({platform_.lane_of(flow), to_simgrid::payload(flow.bytes)});
        }
    }
}

void PortNetwork::start(work::TaskId task, std::int32_t work, std::size_t flow, int from_rank, int to_rank) {
    const Flow& wanted = flows_[static_cast<std::size_t>(work)][flow];
    const PortPlatform::Lane& lane = platform_.lane(wanted.lane);
    if (free_.empty()) {
        free_.push_back(&slots_.emplace_back());
    }
    LiveFlow& live = *free_.back();
    free_.pop_back();
    live.network = this;
    live.task = task;
    live.port = lane.port;
    live.comm = sg4::Comm::sendto_init(lane.senders[static_cast<std::size_t>(from_rank)],
                                       lane.receivers[static_cast<std::size_t>(to_rank)]);
    live.comm->set_payload_size(wanted.payload);
    live.comm->set_data(&live);
    live.comm->vetoable_start();
}

void PortNetwork::on_completion(const sg4::Activity& activity) {
    auto* live = activity.get_data<LiveFlow>();
    if (live != nullptr) {
        live->network->finish(*live);
    }
}

void PortNetwork::finish(LiveFlow& live) {
    // SimGrid holds no reference to a flow and still uses it after this callback: keep it until the next one
    // ends.
    last_finished_ = std::move(live.comm);
    const work::TaskId task = live.task;
    const hw::Port port = live.port;
    free_.push_back(&live);
    finished_(task, port);
}

} // namespace chokepoint::sim
