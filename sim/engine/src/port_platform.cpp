// SPDX-License-Identifier: Apache-2.0
// Builds the platform of one simulation: one star of ports, and a table of routes where links count by
// weight.
#include "port_platform.hpp"

#include "index.hpp"
#include "to_simgrid.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chokepoint::sim {

namespace sg4 = simgrid::s4u;

namespace {

using Sharing = sg4::Link::SharingPolicy;

// SimGrid skips flows on routes without latency. The session's latency factor makes this one cost nothing.
constexpr double kTokenLatency = 1e-9;

std::size_t index(hw::Port port) { return port == hw::Port::nvlink ? 0 : 1; }

std::string_view name(hw::Port port) { return port == hw::Port::nvlink ? "nvlink" : "nic"; }

sg4::Host* add_host(sg4::NetZone& zone, const std::string& host) {
    // Nothing is ever computed on a host: compute tasks are timers.
    return zone.create_host(host, 1.0)->seal();
}

std::vector<sg4::LinkInRoute> route(const std::vector<sg4::Link*>& links) {
    return {links.begin(), links.end()};
}

const CapacityProfile& profile_of(const RankPorts& ports, hw::Port port) {
    return port == hw::Port::nvlink ? ports.nvlink : ports.nic;
}

bool carries(const PortPlatform::Lane& lane, const TimedFlow& flow) {
    return lane.port == flow.port && lane.rate == flow.rate && lane.way == flow.way &&
           lane.climbs == flow.climbs && lane.descends == flow.descends;
}

} // namespace

PortPlatform::PortPlatform(const work::TaskGraph& graph, const TimedWork& timed, const StepCosts& costs,
                           const Network& network)
    : costs_(costs),
      network_(network) {
    const auto counts = [](const Crossing& crossing) { return crossing.weight > 1; };
    any_weight_ = std::ranges::any_of(network.ranks, [&](const RankPorts& ports) {
        return std::ranges::any_of(ports.rail, counts) || std::ranges::any_of(ports.climb, counts);
    });
    find_lanes(graph, timed);
    star_ = sg4::create_star_zone("ports");
    for (const hw::Port port : {hw::Port::nvlink, hw::Port::nic}) {
        if (std::ranges::find(lanes_, port, &Lane::port) != lanes_.end()) {
            build_ports(graph.ranks(), port);
        }
    }
    build_shared_links();
    if (any_weight_) {
        pairwise_ = sg4::create_full_zone("pairs");
        pairwise_->set_parent(star_);
    }
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
        weighted(lanes_[lane]) ? build_pairs(lane) : build_lane(lane);
    }
    if (pairwise_ != nullptr) {
        pairwise_->seal();
    }
    star_->seal();
}

std::size_t PortPlatform::lane_of(const TimedFlow& flow) const {
    const auto found = std::ranges::find_if(lanes_, [&](const Lane& lane) { return carries(lane, flow); });
    return static_cast<std::size_t>(found - lanes_.begin());
}

const RankPorts& PortPlatform::ports(int rank) const {
    static const RankPorts kSound;
    return network_.ranks.empty() ? kSound : network_.ranks[index(rank)];
}

bool PortPlatform::weighted(const Lane& lane) const {
    // Rails and climbs are the NIC's.
    return any_weight_ && lane.port == hw::Port::nic;
}

/// Every lane that a task uses, and the ranks at its ends.
void PortPlatform::find_lanes(const work::TaskGraph& graph, const TimedWork& timed) {
    std::vector<std::vector<std::size_t>> lanes(timed.transfer.size());
    for (std::size_t work = 0; work < timed.transfer.size(); ++work) {
        for (const TimedFlow& flow : timed.transfer[work].flows) {
            const std::size_t lane = lane_of(flow);
            if (lane == lanes_.size()) {
                lanes_.push_back({flow.port, flow.rate, flow.way, flow.climbs, flow.descends, {}, {}, {}});
            }
            lanes[work].push_back(lane);
        }
    }
    for (Lane& lane : lanes_) {
        lane.senders.assign(index(graph.ranks()), nullptr);
        lane.receivers = lane.senders;
    }
    if (!any_weight_) {
        return;
    }
    for (const work::Task& task : graph.tasks()) {
        if (task.kind == work::TaskKind::transfer) {
            const auto work = static_cast<std::size_t>(task.work);
            const bool to_peer = graph.transfers()[work].kind == work::TransferKind::pipeline;
            for (const std::size_t lane : lanes[work]) {
                if (weighted(lanes_[lane])) {
                    lanes_[lane].pairs.emplace(task.rank, to_peer ? task.peer : task.rank);
                }
            }
        }
    }
}

sg4::Link* PortPlatform::add_link(const std::string& link, hw::BytesPerSecond rate, double latency,
                                  Sharing sharing, const CapacityProfile& profile) {
    double factor = 1.0;
    std::size_t now = 0;
    for (; now < profile.size() && profile[now].at <= hw::Seconds(0.0); ++now) {
        factor = profile[now].factor;
    }
    sg4::Link* added = star_->create_link(link, to_simgrid::bandwidth(rate * factor))
                           ->set_latency(latency)
                           ->set_sharing_policy(sharing)
                           ->seal();
    for (; now < profile.size(); ++now) {
        changes_.push_back({profile[now].at, added, rate * profile[now].factor});
    }
    return added;
}

void PortPlatform::apply(const Change& change) {
    change.link->set_bandwidth(to_simgrid::bandwidth(change.rate));
}

void PortPlatform::build_ports(int ranks, hw::Port port) {
    const hw::BytesPerSecond rate = port == hw::Port::nvlink ? costs_.nvlink : costs_.nic;
    Pair& pair = ports_[index(port)];
    for (int rank = 0; rank < ranks; ++rank) {
        const std::string at = fmt::format("{}.{}", name(port), rank);
        const CapacityProfile& profile = profile_of(ports(rank), port);
        pair.out.push_back(add_link(at + ".out", rate, kTokenLatency, Sharing::SHARED, profile));
        pair.in.push_back(add_link(at + ".in", rate, 0.0, Sharing::SHARED, profile));
    }
}

void PortPlatform::build_shared_links() {
    for (std::size_t i = 0; i < network_.links.size(); ++i) {
        const SharedLink& link = network_.links[i];
        const std::string at = fmt::format("shared.{}", i);
        shared_.out.push_back(add_link(at + ".up", link.capacity, 0.0, Sharing::SHARED, link.profile));
        shared_.in.push_back(add_link(at + ".down", link.capacity, 0.0, Sharing::SHARED, link.profile));
    }
}

void PortPlatform::cross(Links& way, const Links& shared, std::span<const Crossing> crossings) const {
    for (const Crossing& crossing : crossings) {
        // A link that a route names k times counts the flow k times: checked on SimGrid 3.32 in full zones;
        // star zones drop the repetitions.
        if (crossing.link >= 0) {
            way.insert(way.end(), index(crossing.weight), shared[index(crossing.link)]);
        }
    }
}

PortPlatform::Links PortPlatform::way_out(const Lane& lane, int rank, const std::string& name) {
    const RankPorts& own = ports(rank);
    const hw::BytesPerSecond port = lane.port == hw::Port::nvlink ? costs_.nvlink : costs_.nic;
    Links links;
    if (lane.way != hw::Way::in) {
        links.push_back(ports_[index(lane.port)].out[index(rank)]);
    }
    if (lane.rate < port || lane.way == hw::Way::in) {
        // Comm::set_rate has no effect on a flow between two hosts in SimGrid 3.32. A link on the route that
        // limits every flow by itself (FATPIPE) does what it should.
        links.push_back(add_link(name + ".cap", lane.rate, lane.way == hw::Way::in ? kTokenLatency : 0.0,
                                 Sharing::FATPIPE, profile_of(own, lane.port)));
    }
    if (lane.way != hw::Way::in && lane.port == hw::Port::nic) {
        cross(links, shared_.out, own.rail);
        cross(links, shared_.out, std::span(own.climb).first(std::min(index(lane.climbs), own.climb.size())));
    }
    return links;
}

PortPlatform::Links PortPlatform::way_in(const Lane& lane, int rank) const {
    const RankPorts& own = ports(rank);
    Links links;
    if (lane.way == hw::Way::out) {
        return links;
    }
    if (lane.port == hw::Port::nic) {
        cross(links, shared_.in,
              std::span(own.climb).first(std::min(index(lane.descends), own.climb.size())));
        cross(links, shared_.in, own.rail);
    }
    links.push_back(ports_[index(lane.port)].in[index(rank)]);
    return links;
}

void PortPlatform::build_lane(std::size_t number) {
    Lane& lane = lanes_[number];
    for (std::size_t rank = 0; rank < lane.senders.size(); ++rank) {
        const int at = static_cast<int>(rank);
        const std::string lane_name = fmt::format("{}.{}.{}", name(lane.port), rank, number);
        sg4::Host* sender = add_host(*star_, lane_name + ".sender");
        star_->add_route(sender->get_netpoint(), nullptr, nullptr, nullptr,
                         route(way_out(lane, at, lane_name)), false);
        lane.senders[rank] = sender;
    }
    const auto comes_in_alike = [&](const Lane& other) {
        return other.port == lane.port && other.descends == lane.descends &&
               (other.way == hw::Way::out) == (lane.way == hw::Way::out);
    };
    const auto twin =
        std::find_if(lanes_.begin(), lanes_.begin() + static_cast<std::ptrdiff_t>(number), comes_in_alike);
    if (twin != lanes_.begin() + static_cast<std::ptrdiff_t>(number)) {
        lane.receivers = twin->receivers;
        return;
    }
    for (std::size_t rank = 0; rank < lane.receivers.size(); ++rank) {
        sg4::Host* receiver =
            add_host(*star_, fmt::format("{}.{}.{}.receiver", name(lane.port), rank, number));
        star_->add_route(nullptr, receiver->get_netpoint(), nullptr, nullptr,
                         route(way_in(lane, static_cast<int>(rank))), false);
        lane.receivers[rank] = receiver;
    }
}

void PortPlatform::build_pairs(std::size_t number) {
    Lane& lane = lanes_[number];
    std::vector<Links> out(lane.senders.size());
    for (const auto& [from, to] : lane.pairs) {
        const auto end = [&](sg4::Host*& host, int rank, std::string_view role) {
            const std::string lane_name = fmt::format("{}.{}.{}", name(lane.port), rank, number);
            const bool is_new = host == nullptr;
            if (is_new) {
                host = add_host(*pairwise_, fmt::format("{}.{}", lane_name, role));
            }
            return is_new ? lane_name : std::string();
        };
        if (const std::string is_new = end(lane.senders[index(from)], from, "sender"); !is_new.empty()) {
            out[index(from)] = way_out(lane, from, is_new);
        }
        end(lane.receivers[index(to)], to, "receiver");
        Links links = out[index(from)];
        const Links in = way_in(lane, to);
        links.insert(links.end(), in.begin(), in.end());
        pairwise_->add_route(lane.senders[index(from)]->get_netpoint(),
                             lane.receivers[index(to)]->get_netpoint(), nullptr, nullptr, route(links),
                             false);
    }
}

} // namespace chokepoint::sim
