// SPDX-License-Identifier: Apache-2.0
// One collective inside one node: what its algorithm moves, and how long a curve says that takes.
#include <chokepoint/hwmodels/collective.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

constexpr std::string_view kAnyPart = "any";
/// An architecture without measurements takes these curves: the middle generation of the three measured.
constexpr std::string_view kNearest = "hopper";

/// The operation whose kernels move data in the same way, where one was not measured itself.
Collective measured_as(Collective op) {
    switch (op) {
    case Collective::broadcast:
        return Collective::all_gather; // a ring that copies on, without its n sources
    case Collective::send_recv:
        return Collective::all_to_all; // which NCCL builds of sends and receives
    default:
        return op;
    }
}

Seconds latency_of(const CollectiveRegime& regime, const CollectiveTraffic& moved, const Node& node) {
    return regime.start + moved.hops * regime.per_hop * node.nvlink_latency;
}

Seconds moving_time(const CollectiveRegime& regime, const CollectiveTraffic& moved, const Node& node,
                    Bytes bytes) {
    Seconds time = bytes * moved.wire / (peer_link(node.gpu).rate / 2.0 * regime.share);
    if (regime.own > 0.0) {
        time += bytes * moved.own / (peer_link(node.gpu).rate / 2.0 * regime.own);
    }
    if (regime.memory > 0.0) {
        time += bytes * moved.own / (node.gpu.memory_bandwidth * regime.memory);
    }
    return time;
}

} // namespace

CollectiveTraffic traffic(Collective op, Algorithm algorithm, int ranks) {
    const double n = ranks;
    if (algorithm == Algorithm::nvls) {
        // The switch reduces and multicasts: a GPU's links carry its whole vector once, and the reduced part
        // that it is responsible for once more.
        return {.hops = 0.0, .wire = 1.0 + 1.0 / n, .own = 0.0, .piece = 1.0 / n};
    }
    const double wire = op == Collective::send_recv ? 1.0 : bus_factor(op, ranks);
    switch (op) {
    case Collective::all_reduce:
        return {.hops = 2.0 * (n - 1.0), .wire = wire, .own = 1.0 / n, .piece = 1.0 / n};
    case Collective::reduce_scatter:
    case Collective::all_gather:
    case Collective::all_to_all:
        return {.hops = n - 1.0, .wire = wire, .own = 1.0 / n, .piece = 1.0 / n};
    case Collective::broadcast:
        return {.hops = n - 1.0, .wire = wire, .own = 0.0, .piece = 1.0 / n};
    case Collective::send_recv:
        break;
    }
    return {.hops = 1.0, .wire = wire, .own = 0.0, .piece = 1.0};
}

const CollectiveCurve* find_curve(std::span<const CollectiveCurve> curves, std::string_view architecture,
                                  Collective op, Algorithm algorithm) {
    for (const std::string_view wanted : {kAnyPart, architecture, kNearest}) {
        const auto at = std::ranges::find_if(curves, [&](const CollectiveCurve& curve) {
            return curve.architecture == wanted && curve.op == measured_as(op) &&
                   curve.algorithm == algorithm;
        });
        if (at != curves.end()) {
            return &*at;
        }
    }
    return nullptr;
}

CollectivePoint evaluate(const CollectiveCurve& curve, Collective op, const Node& node, Bytes bytes,
                         int ranks) {
    if (ranks < 2) {
        throw std::invalid_argument(fmt::format("a collective over {} ranks; expected at least 2", ranks));
    }
    const CollectiveTraffic moved = traffic(op, curve.algorithm, ranks);
    const BytesPerSecond port = peer_link(node.gpu).rate / 2.0;
    Seconds floor; // what the largest size of an earlier protocol takes
    for (const CollectiveRegime& regime : curve.regimes) {
        const Seconds latency = latency_of(regime, moved, node);
        if (!regime.until || bytes * moved.piece / port <= *regime.until) {
            const Seconds moving = moving_time(regime, moved, node, bytes);
            return {regime.protocol, std::max(latency, floor - moving), moving};
        }
        const Bytes largest = *regime.until * port / moved.piece;
        floor = std::max(floor, latency + moving_time(regime, moved, node, largest));
    }
    throw std::logic_error(fmt::format("the {} curve of {} ends", name(curve.algorithm), name(curve.op)));
}

} // namespace chokepoint::hw
