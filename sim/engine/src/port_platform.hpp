// SPDX-License-Identifier: Apache-2.0
// The ports of every rank and the links they share, as SimGrid links, hosts and routes.
#pragma once

#include "timed_work.hpp"

#include <simgrid/s4u/Host.hpp>
#include <simgrid/s4u/Link.hpp>
#include <simgrid/s4u/NetZone.hpp>

#include <array>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace chokepoint::sim {

/// A flow meets its sender's outgoing port, its receiver's incoming one, its own rate, and the shared links
/// that it crosses: behind those the fabric is non-blocking.
class PortPlatform {
public:
    /// Flows of the same port, rate and way over shared links; each rank sends them from a host of its own.
    struct Lane {
        hw::Port port = hw::Port::nvlink;
        hw::BytesPerSecond rate;
        hw::Way way = hw::Way::both;
        int climbs = 0;
        int descends = 0;
        std::vector<simgrid::s4u::Host*> senders, receivers; ///< by rank; null where no flow needs one
        std::set<std::pair<int, int>> pairs; ///< sender and receiver; only kept where links count by weight
    };
    /// A link's bandwidth from a moment on.
    struct Change {
        hw::Seconds at;
        simgrid::s4u::Link* link = nullptr;
        hw::BytesPerSecond rate;
    };

    PortPlatform(const work::TaskGraph&, const TimedWork&, const StepCosts&, const Network&);

    [[nodiscard]] const Lane& lane(std::size_t number) const { return lanes_[number]; }
    [[nodiscard]] std::size_t lane_of(const TimedFlow&) const;
    /// Those to come; whoever keeps the clock applies each at its time.
    [[nodiscard]] std::span<const Change> changes() const { return changes_; }
    static void apply(const Change&);

private:
    using Link = simgrid::s4u::Link;
    using Links = std::vector<Link*>;
    struct Pair {
        Links out, in; ///< by rank, or by shared link: up and down
    };

    [[nodiscard]] const RankPorts& ports(int rank) const;
    [[nodiscard]] bool weighted(const Lane&) const;
    void find_lanes(const work::TaskGraph&, const TimedWork&);
    Link* add_link(const std::string& name, hw::BytesPerSecond, double latency, Link::SharingPolicy,
                   const CapacityProfile&);
    void build_ports(int ranks, hw::Port);
    void build_shared_links();
    void build_lane(std::size_t number);
    void build_pairs(std::size_t number);
    void cross(Links& way, const Links& shared, std::span<const Crossing>) const;
    Links way_out(const Lane&, int rank, const std::string& name);
    [[nodiscard]] Links way_in(const Lane&, int rank) const;

    const StepCosts& costs_;
    const Network& network_;
    bool any_weight_ = false;
    simgrid::s4u::NetZone* star_ = nullptr; ///< every sender has one way out, every receiver one way in
    simgrid::s4u::NetZone* pairwise_ =
        nullptr;                ///< a route for each pair, in which a link may come repeatedly
    std::array<Pair, 2> ports_; ///< by port
    Pair shared_;
    std::vector<Lane> lanes_;
    std::vector<Change> changes_;
};

} // namespace chokepoint::sim
