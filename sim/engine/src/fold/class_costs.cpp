// SPDX-License-Identifier: Apache-2.0
// Scales kernels by speed and load, and splits network flows by how far they go.
#include "class_costs.hpp"

#include <chokepoint/sim/step_costs.hpp>

#include <algorithm>

namespace chokepoint::sim::folding {

namespace {

std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }

bool moves_tokens(work::TransferKind kind) {
    return kind == work::TransferKind::dispatch || kind == work::TransferKind::combine;
}

/// Rows go to their experts by dispatch and come back by combine: what a rank with more than its share
/// receives of the one, it sends of the other. What it sends of the first are its own tokens, as everybody's.
void split_ways(hw::TransferShape& shape, work::TransferKind kind, double load) {
    std::vector<hw::PortFlow> flows;
    for (const hw::PortFlow& flow : shape.flows) {
        for (const hw::Way way : {hw::Way::out, hw::Way::in}) {
            const bool routed = (way == hw::Way::in) == (kind == work::TransferKind::dispatch);
            hw::PortFlow one = flow;
            one.way = way;
            one.bytes = routed ? flow.bytes * load : flow.bytes;
            flows.push_back(one);
        }
    }
    shape.flows = std::move(flows);
}

void set_climbs(hw::PortFlow& flow, int climbs, int descends) {
    flow.climbs = static_cast<std::int8_t>(flow.way == hw::Way::in ? 0 : climbs);
    flow.descends = static_cast<std::int8_t>(flow.way == hw::Way::out ? 0 : descends);
}

/// Traffic that goes to all members alike: a flow for each distance, of its share of bytes and rate.
void spread(hw::TransferShape& shape, const Reach& reach) {
    std::vector<hw::PortFlow> flows;
    for (const hw::PortFlow& flow : shape.flows) {
        if (flow.port != hw::Port::nic || reach.remote == 0) {
            flows.push_back(flow);
            continue;
        }
        for (std::size_t climbs = 0; climbs < reach.members.size(); ++climbs) {
            if (reach.members[climbs] > 0) {
                const double share = static_cast<double>(reach.members[climbs]) / reach.remote;
                hw::PortFlow part = flow;
                part.bytes = flow.bytes * share;
                part.rate_cap = flow.rate_cap * share;
                set_climbs(part, static_cast<int>(climbs), static_cast<int>(climbs));
                flows.push_back(part);
            }
        }
    }
    shape.flows = std::move(flows);
}

} // namespace

ClassCosts::ClassCosts(const work::TaskGraph& graph, StepCosts costs, const Uplinks& uplinks,
                       const Conditions& conditions, const std::vector<std::vector<Reach>>& reach,
                       const std::vector<double>& load)
    : computes_(graph.computes().begin(), graph.computes().end()),
      transfers_(graph.transfers().begin(), graph.transfers().end()),
      costs_(std::move(costs)),
      uplinks_(uplinks),
      conditions_(conditions),
      reach_(reach),
      load_(load) {
    for (const work::ComputeWork& compute : computes_) {
        routed_.push_back(std::ranges::any_of(compute.operators,
                                              [](const hw::Operator& op) { return is_routed(op.kernel); }));
    }
}

double ClassCosts::speed(Gpu gpu) const {
    const auto found = conditions_.speed.find(gpu);
    return found == conditions_.speed.end() ? 1.0 : found->second;
}

double ClassCosts::load(Gpu gpu) const { return load_.empty() ? 1.0 : load_[index(gpu)]; }

std::int32_t ClassCosts::compute(std::int32_t work, Gpu gpu) {
    const double speed = this->speed(gpu);
    const double load = routed_[index(work)] ? this->load(gpu) : 1.0;
    if (speed == 1.0 && load == 1.0) {
        return work;
    }
    const auto [entry, is_new] =
        compute_.try_emplace({work, speed, load}, static_cast<std::int32_t>(computes_.size()));
    if (!is_new) {
        return entry->second;
    }
    const auto from = index(work);
    computes_.push_back(work::ComputeWork(computes_[from]));
    hw::Seconds time = costs_.compute[from];
    if (from < costs_.operator_seconds.size()) {
        std::vector<hw::Seconds> seconds = costs_.operator_seconds[from];
        for (std::size_t op = 0; op < seconds.size(); ++op) {
            const double rows = is_routed(computes_[from].operators[op].kernel) ? load : 1.0;
            time += seconds[op] * (rows - 1.0);
            seconds[op] *= rows / speed;
        }
        costs_.operator_seconds.push_back(std::move(seconds));
    }
    if (from < costs_.operator_sigma.size()) {
        costs_.operator_sigma.push_back(std::vector<double>(costs_.operator_sigma[from]));
    }
    if (from < costs_.host.size()) {
        costs_.host.push_back(hw::Seconds(costs_.host[from]));
    }
    if (from < costs_.beside.size()) {
        costs_.beside.push_back(double(costs_.beside[from]));
    }
    costs_.compute.push_back(time / speed);
    return entry->second;
}

std::int32_t ClassCosts::transfer(std::int32_t work, Gpu gpu, int relation) {
    const work::TransferKind kind = transfers_[index(work)].kind;
    const bool skewed = !load_.empty() && moves_tokens(kind);
    const bool far = uplinks_.matter_to(gpu);
    if (!skewed && !far) {
        return work;
    }
    hw::TransferShape shape = costs_.transfer[index(work)];
    if (skewed) {
        split_ways(shape, kind, load(gpu));
    }
    if (far) {
        const Reach& reach = reach_[index(relation)][index(gpu)];
        if (moves_tokens(kind)) {
            spread(shape, reach);
        } else {
            for (hw::PortFlow& flow : shape.flows) {
                if (flow.port == hw::Port::nic) {
                    set_climbs(flow, reach.to_next, reach.from_previous);
                }
            }
        }
    }
    return enter(work, std::move(shape));
}

std::int32_t ClassCosts::transfer_to_peer(std::int32_t work, Gpu gpu, Gpu peer) {
    const int climbs = uplinks_.climbs(gpu, peer);
    const int descends = uplinks_.climbs(peer, gpu);
    if (climbs == 0 && descends == 0) {
        return work;
    }
    hw::TransferShape shape = costs_.transfer[index(work)];
    for (hw::PortFlow& flow : shape.flows) {
        if (flow.port == hw::Port::nic) {
            set_climbs(flow, climbs, descends);
        }
    }
    return enter(work, std::move(shape));
}

std::int32_t ClassCosts::enter(std::int32_t work, hw::TransferShape shape) {
    std::vector<std::int32_t>& entries = transfer_[work];
    if (entries.empty()) {
        entries.push_back(work);
    }
    for (const std::int32_t entry : entries) {
        if (costs_.transfer[index(entry)] == shape) {
            return entry;
        }
    }
    entries.push_back(static_cast<std::int32_t>(transfers_.size()));
    transfers_.push_back(work::TransferWork(transfers_[index(work)]));
    costs_.straggler_wait.push_back(hw::Seconds(costs_.straggler_wait[index(work)]));
    costs_.transfer.push_back(std::move(shape));
    return entries.back();
}

} // namespace chokepoint::sim::folding
