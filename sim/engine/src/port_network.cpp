// SPDX-License-Identifier: Apache-2.0
// Builds the platform and hands flows to SimGrid: the only file that knows hosts, links and communications.
#include "port_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace chokepoint::sim {

namespace sg4 = simgrid::s4u;

namespace {

// SimGrid skips flows on routes without latency. The session's latency factor makes this one cost nothing.
constexpr double kTokenLatency = 1e-9;

std::size_t index(hw::Port port) { return port == hw::Port::nvlink ? 0 : 1; }

std::string_view name(hw::Port port) { return port == hw::Port::nvlink ? "nvlink" : "nic"; }

sg4::Host* add_host(sg4::NetZone& zone, const std::string& host) {
    // Nothing is ever computed on a host: compute tasks are timers.
    return zone.create_host(host, 1.0)->seal();
}

sg4::Link* add_link(sg4::NetZone& zone, const std::string& link, hw::BytesPerSecond rate, double latency,
                    sg4::Link::SharingPolicy sharing) {
    return zone.create_link(link, to_simgrid::bandwidth(rate))
        ->set_latency(latency)
        ->set_sharing_policy(sharing)
        ->seal();
}

std::vector<sg4::LinkInRoute> route(const std::vector<sg4::Link*>& links) {
    return {links.begin(), links.end()};
}

} // namespace

PortNetwork::PortNetwork(int ranks, const TimedWork& timed, hw::BytesPerSecond nvlink, hw::BytesPerSecond nic,
                         Finished finished)
    : finished_(std::move(finished)) {
    static const bool registered = [] {
        sg4::Activity::on_completion_cb(&PortNetwork::on_completion);
        return true;
    }();
    static_cast<void>(registered);

    flows_.resize(timed.transfer.size());
    for (std::size_t work = 0; work < timed.transfer.size(); ++work) {
        for (const TimedFlow& flow : timed.transfer[work].flows) {
            flows_[work].push_back({lane_of(flow), to_simgrid::payload(flow.bytes)});
        }
    }
    sg4::NetZone* zone = sg4::create_star_zone("ports");
    build_port(*zone, ranks, hw::Port::nvlink, nvlink);
    build_port(*zone, ranks, hw::Port::nic, nic);
    zone->seal();
}

std::size_t PortNetwork::lane_of(const TimedFlow& flow) {
    const auto found = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& lane) {
        return lane.port == flow.port && lane.rate == flow.rate;
    });
    if (found != lanes_.end()) {
        return static_cast<std::size_t>(found - lanes_.begin());
    }
    lanes_.push_back({flow.port, flow.rate, {}});
    return lanes_.size() - 1;
}

void PortNetwork::build_port(sg4::NetZone& zone, int ranks, hw::Port port, hw::BytesPerSecond rate) {
    using Sharing = sg4::Link::SharingPolicy;
    for (int rank = 0; rank < ranks; ++rank) {
        const std::string at = fmt::format("{}.{}", name(port), rank);
        sg4::Link* out = add_link(zone, at + ".out", rate, kTokenLatency, Sharing::SHARED);
        sg4::Link* in = add_link(zone, at + ".in", rate, 0.0, Sharing::SHARED);
        sg4::Host* receiver = add_host(zone, at + ".receiver");
        zone.add_route(nullptr, receiver->get_netpoint(), nullptr, nullptr, route({in}), false);
        receivers_[index(port)].push_back(receiver);
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            Lane& lane = lanes_[i];
            if (lane.port != port) {
                continue;
            }
            const std::string lane_name = fmt::format("{}.{}", at, i);
            std::vector<sg4::Link*> links{out};
            if (lane.rate < rate) {
                // Comm::set_rate has no effect on a flow between two hosts in SimGrid 3.32. A link on the
                // route that limits every flow by itself (FATPIPE) does what it should.
                links.push_back(add_link(zone, lane_name + ".cap", lane.rate, 0.0, Sharing::FATPIPE));
            }
            sg4::Host* sender = add_host(zone, lane_name + ".sender");
            zone.add_route(sender->get_netpoint(), nullptr, nullptr, nullptr, route(links), false);
            lane.senders.push_back(sender);
        }
    }
}

void PortNetwork::start(work::TaskId task, std::int32_t work, std::size_t flow, int from_rank, int to_rank) {
    const Flow& wanted = flows_[static_cast<std::size_t>(work)][flow];
    const Lane& lane = lanes_[wanted.lane];
    if (free_.empty()) {
        free_.push_back(&slots_.emplace_back());
    }
    LiveFlow& live = *free_.back();
    free_.pop_back();
    live.network = this;
    live.task = task;
    live.port = lane.port;
    live.comm = sg4::Comm::sendto_init(lane.senders[static_cast<std::size_t>(from_rank)],
                                       receivers_[index(lane.port)][static_cast<std::size_t>(to_rank)]);
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
