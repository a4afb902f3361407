// SPDX-License-Identifier: Apache-2.0
// Gathers perturbations by GPU: several may hit the same one.
#include "conditions.hpp"

#include "capacity_windows.hpp"
#include "uplinks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

namespace chokepoint::sim {

namespace {

std::string span_text(const Perturbation& perturbation) {
    return fmt::format("{}{}",
                       perturbation.from ? fmt::format(" from {}", hw::to_text(*perturbation.from)) : "",
                       perturbation.to ? fmt::format(" to {}", hw::to_text(*perturbation.to)) : "");
}

class ConditionsBuilder {
public:
    ConditionsBuilder(const hw::Cluster& cluster, const work::ParallelPlan& plan)
        : cluster_(cluster),
          plan_(plan) {}

    void add(const Perturbation& perturbation) {
        if (perturbation.speed) {
            for (const int gpu : hit(perturbation)) {
                const auto entry = conditions_.speed.try_emplace(gpu, 1.0).first;
                entry->second *= *perturbation.speed;
                remark(gpu, fmt::format("GPU {} at {:g} of its speed", gpu, *perturbation.speed));
            }
        } else if (perturbation.link) {
            add_link(perturbation);
        } else if (perturbation.nic) {
            failed_[*perturbation.node].insert(*perturbation.nic);
        } else if (perturbation.routing && plan_.expert > 1) {
            conditions_.load = loads(perturbation.expert_share);
        }
    }

    Conditions take() {
        for (const auto& [gpu, windows] : nvlink_) {
            conditions_.nvlink[gpu] = profile_of(windows);
        }
        for (const auto& [node, cards] : failed_) {
            fail_cards(node, cards);
        }
        for (const auto& [gpu, windows] : nic_) {
            conditions_.nic[gpu] = profile_of(windows);
        }
        return std::move(conditions_);
    }

private:
    void remark(int gpu, std::string text) {
        std::string& known = conditions_.remarks[gpu];
        known += known.empty() ? text : "; " + text;
    }

    [[nodiscard]] std::vector<int> hit(const Perturbation& perturbation) const {
        if (perturbation.gpu) {
            return {*perturbation.gpu};
        }
        std::vector<int> gpus;
        const int first = perturbation.node.value_or(0) * cluster_.node.gpus;
        for (int gpu = first; perturbation.node && gpu < first + cluster_.node.gpus; ++gpu) {
            gpus.push_back(gpu);
        }
        return gpus;
    }

    void add_link(const Perturbation& perturbation) {
        const CapacityWindow window = window_of(perturbation);
        auto& windows = *perturbation.link == PerturbedLink::nvlink ? nvlink_ : nic_;
        for (const int gpu : hit(perturbation)) {
            windows[gpu].push_back(window);
            remark(gpu, fmt::format("GPU {} with {} at {:g}{}", gpu,
                                    *perturbation.link == PerturbedLink::nvlink ? "NVLink" : "its NIC",
                                    window.factor, span_text(perturbation)));
        }
    }

    [[nodiscard]] std::vector<double> loads(const std::vector<double>& expert_share) const {
        const std::size_t ranks = static_cast<std::size_t>(plan_.expert);
        std::vector<double> loads(ranks, 0.0);
        for (std::size_t expert = 0; expert < expert_share.size(); ++expert) {
            loads[expert * ranks / expert_share.size()] += expert_share[expert] * plan_.expert;
        }
        return loads;
    }

    /// Cards that a GPU's port is made of, or the one that it is a share of.
    [[nodiscard]] std::vector<int> cards_of(int gpu_of_node) const {
        const int gpus = cluster_.node.gpus;
        const int first = gpu_of_node * cluster_.node.nics / gpus;
        const int last = std::max(first + 1, (gpu_of_node + 1) * cluster_.node.nics / gpus);
        std::vector<int> cards;
        for (int card = first; card < last; ++card) {
            cards.push_back(card);
        }
        return cards;
    }

    /// A GPU with some of its cards left uses those; one with none shares the port of the next that has any.
    void fail_cards(int node, const std::set<int>& failed) {
        const int gpus = cluster_.node.gpus;
        const auto left = [&](int gpu) {
            const std::vector<int> cards = cards_of(gpu);
            return static_cast<int>(
                std::ranges::count_if(cards, [&](int card) { return !failed.contains(card); }));
        };
        std::map<int, std::vector<int>> adopted; // by the first card of those that carry it on
        for (int gpu = 0; gpu < gpus; ++gpu) {
            int host = gpu;
            while (left(host) == 0) {
                host = (host + 1) % gpus;
            }
            const int global = node * gpus + gpu;
            if (host != gpu) {
                remark(global, fmt::format("GPU {} without its NIC", global));
            } else if (const auto own = static_cast<int>(cards_of(gpu).size()); left(gpu) < own) {
                nic_[global].push_back({{},
                                        hw::Seconds(std::numeric_limits<double>::infinity()),
                                        static_cast<double>(left(gpu)) / own});
                remark(global, fmt::format("GPU {} with {} of its {} NICs", global, left(gpu), own));
            }
            adopted[cards_of(host).front()].push_back(global);
        }
        for (auto& [card, sharers] : adopted) {
            const int own = static_cast<int>(std::ranges::count_if(
                sharers, [&](int gpu) { return cards_of(gpu % gpus).front() == card; }));
            if (own < static_cast<int>(sharers.size())) {
                const double cards = left(host_of(card));
                conditions_.rails.push_back(
                    {{fmt::format("NIC {} of node {}", card, node), cluster_.node.nic * cards, {}}, sharers});
            }
        }
    }

    [[nodiscard]] int host_of(int card) const {
        int gpu = 0;
        while (cards_of(gpu).front() != card) {
            ++gpu;
        }
        return gpu;
    }

    const hw::Cluster& cluster_;
    const work::ParallelPlan& plan_;
    Conditions conditions_;
    std::map<int, std::vector<CapacityWindow>> nvlink_, nic_;
    std::map<int, std::set<int>> failed_; ///< network cards by node
};

} // namespace

Conditions make_conditions(std::span<const Perturbation> perturbations, const hw::Cluster& cluster,
                           const work::ParallelPlan& plan) {
    ConditionsBuilder builder(cluster, plan);
    for (const Perturbation& perturbation : perturbations) {
        builder.add(perturbation);
    }
    Conditions conditions = builder.take();
    conditions.uplinks = uplink_tiers(cluster, perturbations);
    return conditions;
}

} // namespace chokepoint::sim
