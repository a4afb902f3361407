// SPDX-License-Identifier: Apache-2.0
// Starts flows as timers or as SimGrid communications, and keeps those alive for as long as SimGrid uses
// them.
#include "port_network.hpp"

#include <cmath>
#include <utility>

namespace chokepoint::sim {

namespace sg4 = simgrid::s4u;

PortNetwork::PortNetwork(SimgridSession& session, const work::TaskGraph& graph, const TimedWork& timed,
                         const StepCosts& costs, const Network& network, Finished finished)
    : session_(session),
      platform_(graph, timed, costs, network),
      load_(graph.ranks(), costs, network),
      finished_(std::move(finished)) {
    static const bool registered = [] {
        sg4::Activity::on_completion_cb(&PortNetwork::on_completion);
        return true;
    }();
    static_cast<void>(registered);

    flows_.resize(timed.transfer.size());
    for (std::size_t work = 0; work < timed.transfer.size(); ++work) {
        for (const TimedFlow& flow : timed.transfer[work].flows) {
            flows_[work].push_back({platform_.lane_of(flow), flow.bytes});
        }
    }
}

PortNetwork::LiveFlow& PortNetwork::free_slot() {
    if (free_.empty()) {
        free_.push_back(&slots_.emplace_back());
    }
    LiveFlow& live = *free_.back();
    free_.pop_back();
    return live;
}

void PortNetwork::start(work::TaskId task, std::int32_t work, std::size_t flow, int from_rank, int to_rank) {
    const Flow& wanted = flows_[static_cast<std::size_t>(work)][flow];
    const PortPlatform::Lane& lane = platform_.lane(wanted.lane);
    LiveFlow& live = free_slot();
    live.network = this;
    live.task = task;
    live.port = lane.port;
    live.sender = lane.senders[static_cast<std::size_t>(from_rank)];
    live.receiver = lane.receivers[static_cast<std::size_t>(to_rank)];
    live.bytes = wanted.bytes;
    live.since = session_.now();
    load_.place(live, lane, from_rank, to_rank);
    load_.add(live);
    const bool crowded = load_.is_crowded(live);
    const hw::Seconds alone = live.bytes / live.rate;
    if (live.predictable && !crowded && !session_.is_instant(alone)) {
        end_by_timer(live, alone);
        return;
    }
    hand_to_simgrid(live);
    if (crowded) {
        for (LoadingFlow* other : load_.crowd(live)) {
            auto& flow_beside = static_cast<LiveFlow&>(*other);
            if (flow_beside.comm == nullptr) {
                hand_to_simgrid(flow_beside);
            }
        }
    }
}

void PortNetwork::end_by_timer(LiveFlow& live, hw::Seconds delay) {
    session_.after(delay, [&live, timer = ++live.timer] {
        if (live.timer == timer) {
            live.network->finish(live);
        }
    });
}

void PortNetwork::hand_to_simgrid(LiveFlow& live) {
    ++live.timer;
    const hw::Bytes left = live.bytes - live.rate * (session_.now() - live.since);
    send(live, to_simgrid::payload(left));
}

void PortNetwork::send(LiveFlow& live, std::uint64_t payload) {
    live.comm = sg4::Comm::sendto_init(live.sender, live.receiver);
    live.comm->set_payload_size(payload);
    live.comm->set_data(&live);
    live.network->session_.start_flow([comm = live.comm.get()] { comm->vetoable_start(); });
}

void PortNetwork::apply(const PortPlatform::Change& change) {
    PortPlatform::apply(change);
    // SimGrid 3.32 bounds a flow by the narrowest link that it found when it started, for good: one that
    // started on a degraded link would stay slow after the link is sound again. So flows start anew with what
    // is left of them. None of them waits for SimGrid's clock: changes were scheduled before anything else,
    // so that they come first at their moment.
    for (LiveFlow& live : slots_) {
        if (live.comm == nullptr) {
            continue;
        }
        const auto left = static_cast<std::uint64_t>(std::llround(live.comm->get_remaining()));
        if (left == 0) {
            continue; // it ends at this very moment
        }
        live.comm->set_data(nullptr);
        live.comm->cancel();
        session_.flow_ended();
        replaced_.push_back(std::move(live.comm));
        send(live, left);
    }
}

void PortNetwork::on_completion(const sg4::Activity& activity) {
    // Cancelled flows complete too; they belong to nobody.
    auto* live = activity.get_data<LiveFlow>();
    if (live != nullptr) {
        // SimGrid holds no reference to a flow and still uses it after this callback: keep it until the next
        // one ends.
        live->network->last_finished_ = std::move(live->comm);
        live->network->session_.flow_ended();
        live->network->finish(*live);
    }
}

void PortNetwork::finish(LiveFlow& live) {
    load_.remove(live);
    const work::TaskId task = live.task;
    const hw::Port port = live.port;
    free_.push_back(&live);
    finished_(task, port);
}

} // namespace chokepoint::sim
