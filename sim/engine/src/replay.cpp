// SPDX-License-Identifier: Apache-2.0
// One pass over the graph in the order in which its tasks started.
#include "replay.hpp"

#include <boost/range/iterator_range.hpp>

#include <algorithm>
#include <limits>
#include <numeric>

namespace chokepoint::sim {

namespace {

constexpr work::TaskId kNone = std::numeric_limits<work::TaskId>::max();

/// Standard deviations: beyond them lies a twentieth of what is drawn.
constexpr double kFar = 2.0;

/// What one pass finds out of a task.
struct Passed {
    double ready = 0.0; ///< when the last of its predecessors ended
    double finish = 0.0;
    work::TaskId last = kNone; ///< that predecessor; of a task that its host held up, where the host began
    bool held_up = false;
};

/// How far the host of a rank has come.
struct Host {
    double issued = 0.0;
    work::TaskId since = kNone; ///< the predecessor whose end it waited for
};

} // namespace

Replay::Replay(const StepRun& step, const SlicedWork& work)
    : step_(step),
      work_(work),
      slowdown_(step.graph.tasks().size(), 1.0) {
    for (work::TaskId id = 0; id < step.timeline.lost.size(); ++id) {
        if (const hw::Seconds lost = step.timeline.lost[id]; lost > hw::Seconds(0.0)) {
            slowdown_[id] += lost / step.costs.compute[static_cast<std::size_t>(step.graph.tasks()[id].work)];
        }
    }
}

Chain Replay::critical_chain(const std::vector<double>& factors) const {
    const work::TaskGraph& graph = step_.graph;
    const StepCosts& costs = step_.costs;
    std::vector<double> compute(graph.computes().size());
    for (std::size_t i = 0; i < compute.size(); ++i) {
        for (const auto& [slice, share] : work_.compute(i)) {
            compute[i] += costs.compute[i].value() * share * factors[slice];
        }
    }
    const auto waited = [&](work::TaskId id, std::size_t work) {
        const hw::Seconds taken = step_.timeline.finish[id] - step_.timeline.start[id];
        return std::pair(std::min(costs.straggler_wait[work], taken).value(), taken.value());
    };
    std::vector<Passed> passed(graph.tasks().size());
    std::vector<Host> hosts(static_cast<std::size_t>(graph.ranks()));
    work::TaskId end = kNone;
    for (const work::TaskId id : step_.timeline.order) {
        const work::Task& task = graph.tasks()[id];
        const auto work = static_cast<std::size_t>(task.work);
        Passed& here = passed[id];
        double time = 0.0;
        if (task.kind == work::TaskKind::compute) {
            time = compute[work] * slowdown_[id];
            if (with_host() && task.stream == work::Stream::compute) {
                Host& host = hosts[static_cast<std::size_t>(task.rank)];
                host.issued += costs.host[work].value() * factors[work_.host()];
                if (host.issued > here.ready + time) {
                    time = host.issued - here.ready;
                    here.held_up = true;
                    here.last = host.since;
                }
            }
        } else if (task.kind == work::TaskKind::transfer) {
            const auto [wait, taken] = waited(id, work);
            time = wait * factors[work_.waiting()] + (taken - wait) * factors[work_.transfer(work)];
            if (graph.transfers()[work].host_waits) {
                Host& host = hosts[static_cast<std::size_t>(task.rank)];
                if (here.ready > host.issued) {
                    host = {here.ready, here.last};
                }
            }
        }
        here.finish = here.ready + time;
        if (end == kNone || here.finish > passed[end].finish) {
            end = id;
        }
        for (const work::TaskId next :
             boost::make_iterator_range(boost::adjacent_vertices(id, graph.dag()))) {
            Passed& after = passed[next];
            if (after.last == kNone || here.finish > after.ready) {
                after.ready = here.finish;
                after.last = id;
            }
        }
    }
    Chain chain(work_.slices(), 0.0);
    for (work::TaskId id = end; id != kNone; id = passed[id].last) {
        const work::Task& task = graph.tasks()[id];
        const auto work = static_cast<std::size_t>(task.work);
        if (passed[id].held_up) {
            const double from = passed[id].last == kNone ? 0.0 : passed[passed[id].last].finish;
            chain[work_.host()] += (passed[id].finish - from) / factors[work_.host()];
        } else if (task.kind == work::TaskKind::compute) {
            for (const auto& [slice, share] : work_.compute(work)) {
                chain[slice] += costs.compute[work].value() * slowdown_[id] * share;
            }
        } else if (task.kind == work::TaskKind::transfer) {
            const auto [wait, taken] = waited(id, work);
            chain[work_.waiting()] += wait;
            chain[work_.transfer(work)] += taken - wait;
        }
    }
    return chain;
}

StepResponse step_response(const StepRun& step, const std::string& architecture) {
    StepResponse response{SlicedWork(step.graph, step.costs, architecture), {}};
    const SlicedWork& work = response.work;
    const Replay replay(step, work);
    const auto probe = [&](const std::vector<double>& deviates) {
        Chain chain = replay.critical_chain(work.factors(deviates));
        if (std::ranges::find(response.chains, chain) == response.chains.end()) {
            response.chains.push_back(std::move(chain));
        }
    };
    probe(std::vector(work.variables().size(), 0.0));
    // A single kernel's error moves little, so that the chains of the others tell what it does.
    for (const Scales scales : {Scales::all_compute, Scales::transfers, Scales::waiting, Scales::host}) {
        for (const double deviate : {-kFar, -1.0, 1.0, kFar}) {
            std::vector<double> deviates(work.variables().size());
            std::ranges::transform(work.variables(), deviates.begin(), [&](const Variable& variable) {
                return variable.scales == scales ? deviate : 0.0;
            });
            probe(deviates);
        }
    }
    return response;
}

} // namespace chokepoint::sim
