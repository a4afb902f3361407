// SPDX-License-Identifier: Apache-2.0
// Cuts a model into pipeline stages: as the plan says, evenly, or so that the costliest is as cheap as can
// be.
#include "block_counts.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>

namespace chokepoint::work {
namespace {

/// Layers in order, and behind them what only the last stage can hold; in shares of the model's FLOPs.
struct Costs {
    std::vector<double> before; ///< sum over the layers in front of index i
    double tail = 0.0;

    [[nodiscard]] int layers() const { return static_cast<int>(before.size()) - 1; }
    [[nodiscard]] double of(int first, int last, bool last_stage) const {
        return before[static_cast<std::size_t>(last)] - before[static_cast<std::size_t>(first)] +
               (last_stage ? tail : 0.0);
    }
};

Costs costs(const ModelArch& model, const ParallelPlan& plan) {
    const auto flops = [&](const Block& block) {
        return block_training_flops(model, plan.sequence, true, block).value();
    };
    const auto layer_flops = [&](int layer) { return flops({layer_kind(model, layer), layer}); };
    Costs costs;
    costs.before.push_back(0.0);
    for (int layer = 0; layer < model.layers; ++layer) {
        costs.before.push_back(costs.before.back() + layer_flops(layer));
    }
    costs.tail = flops({BlockKind::head});
    costs.tail += model.mtp_modules *
                  (flops({BlockKind::mtp_projection}) + layer_flops(model.layers) + flops({BlockKind::head}));
    const double all = costs.before.back() + costs.tail;
    std::ranges::for_each(costs.before, [all](double& cost) { cost /= all; });
    costs.tail /= all;
    return costs;
}

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kTolerance = 1e-9; // shares closer than this are equal

/// Layer counts per stage that minimise the sum (or maximum) of a stage cost. Only the last stage may have no
/// layer: it has the head. Among equals earlier stages get more.
template <typename StageCost, typename Join>
std::pair<double, std::vector<int>> best_split(const Costs& costs, int stages, StageCost stage_cost,
                                               Join join) {
    const int layers = costs.layers();
    const auto at = [layers](int stage, int first) {
        return static_cast<std::size_t>(stage) * static_cast<std::size_t>(layers + 1) +
               static_cast<std::size_t>(first);
    };
    // best[stage, first]: the stages from `stage` on, when they hold the layers from `first` on.
    std::vector<double> best(at(stages, 0), kInfinite);
    std::vector<int> count(best.size(), 0);
    for (int first = 0; first <= layers; ++first) {
        best[at(stages - 1, first)] = stage_cost(costs.of(first, layers, true));
        count[at(stages - 1, first)] = layers - first;
    }
    for (int stage = stages - 2; stage >= 0; --stage) {
        for (int first = 0; first < layers; ++first) {
            for (int last = first + 1; last <= layers; ++last) {
                const double cost = join(stage_cost(costs.of(first, last, false)), best[at(stage + 1, last)]);
                if (cost <= best[at(stage, first)] * (1.0 + kTolerance) && cost < kInfinite) {
                    best[at(stage, first)] = std::min(cost, best[at(stage, first)]);
                    count[at(stage, first)] = last - first;
                }
            }
        }
    }
    std::vector<int> split;
    for (int stage = 0, first = 0; stage < stages; ++stage) {
        split.push_back(count[at(stage, first)]);
        first += split.back();
    }
    return {best[at(0, 0)], split};
}

std::vector<int> balanced(const ModelArch& model, const ParallelPlan& plan, int stages) {
    if (stages > most_stages(model)) {
        throw std::invalid_argument(
            fmt::format("{} pipeline stages for the {} layers of {}; expected at most {}", stages,
                        model.layers, model.id, most_stages(model)));
    }
    const Costs shares = costs(model, plan);
    const double costliest = best_split(
                                 shares, stages, [](double cost) { return cost; },
                                 [](double a, double b) { return std::max(a, b); })
                                 .first;
    // Many splits reach that bound; take the most even of them.
    return best_split(
               shares, stages,
               [&](double cost) { return cost <= costliest * (1.0 + kTolerance) ? cost * cost : kInfinite; },
               [](double a, double b) { return a + b; })
        .second;
}

/// What counts as a layer beside the layers.
struct Counted {
    bool embedding = false, head = false;

    [[nodiscard]] int items(const ModelArch& model) const {
        return model.layers + (embedding ? 1 : 0) + (head ? 1 : 0);
    }
};

/// As many items on every stage; they must divide.
std::vector<int> even(const ModelArch& model, Counted counted, int stages) {
    std::vector<int> split(static_cast<std::size_t>(stages), counted.items(model) / stages);
    split.front() -= counted.embedding ? 1 : 0;
    split.back() -= counted.head ? 1 : 0;
    return split;
}

std::vector<int> counted_as_planned(const ModelArch& model, const ParallelPlan& plan, int stages) {
    const Counted counted{.embedding = plan.account_for_embedding, .head = plan.account_for_loss};
    if (counted.items(model) % stages != 0) {
        throw std::invalid_argument(fmt::format("{} layers{}{} do not spread evenly over {} stages",
                                                model.layers, counted.embedding ? ", the embedding" : "",
                                                counted.head ? ", the head" : "", stages));
    }
    return even(model, counted, stages);
}

/// What people run who do not say. A model with MTP modules is always laid out by hand.
std::vector<int> usual(const ModelArch& model, const ParallelPlan& plan, int stages) {
    if (model.mtp_modules == 0) {
        for (const Counted counted : {Counted{}, Counted{true, true}, Counted{.head = true}}) {
            if (counted.items(model) % stages == 0) {
                return even(model, counted, stages);
            }
        }
    }
    return balanced(model, plan, stages);
}

void check_split(const ModelArch& model, const std::vector<int>& split, int stages) {
    if (static_cast<int>(split.size()) != stages) {
        throw std::invalid_argument(fmt::format(
            "plan.split lists {} stages; expected one entry for each of {}", split.size(), stages));
    }
    const std::int64_t sum = std::accumulate(split.begin(), split.end(), std::int64_t{0});
    if (sum != model.layers || std::ranges::min(split) < 0) {
        throw std::invalid_argument(fmt::format("plan.split adds up to {} layers; expected the {} of {}", sum,
                                                model.layers, model.id));
    }
}

std::vector<int> layer_counts(const ModelArch& model, const ParallelPlan& plan, int stages) {
    if (!plan.split.empty()) {
        check_split(model, plan.split, stages);
        return plan.split;
    }
    return plan.account_for_embedding || plan.account_for_loss ? counted_as_planned(model, plan, stages)
                                                               : usual(model, plan, stages);
}

std::vector<std::vector<Block>> laid_out(const ModelArch& model, const ParallelPlan& plan, int stages) {
    std::vector<std::vector<Block>> blocks = parse_layout(model, plan.layout);
    if (static_cast<int>(blocks.size()) != stages) {
        throw std::invalid_argument(
            fmt::format("plan.layout has {} stages; expected {}", blocks.size(), stages));
    }
    return blocks;
}

} // namespace

int most_stages(const ModelArch& model) { return model.layers + (model.mtp_modules == 0 ? 2 : 1); }

std::vector<std::vector<Block>> split_stages(const ModelArch& model, const ParallelPlan& plan, int stages) {
    if (stages < 1) {
        throw std::invalid_argument(fmt::format("{} pipeline stages; expected at least 1", stages));
    }
    if (!plan.layout.empty()) {
        return laid_out(model, plan, stages);
    }
    const std::vector<int> split = layer_counts(model, plan, stages);
    std::vector<std::vector<Block>> blocks(static_cast<std::size_t>(stages));
    blocks.front().push_back({BlockKind::embedding, -1});
    int layer = 0;
    for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
        for (const int end = layer + split[stage]; layer < end; ++layer) {
            blocks[stage].push_back({layer_kind(model, layer), layer});
        }
    }
    blocks.back().push_back({BlockKind::head, -1});
    for (int module = 0; module < model.mtp_modules; ++module) {
        blocks.back().push_back({BlockKind::mtp_projection, -1});
        blocks.back().push_back({layer_kind(model, model.layers + module), model.layers + module});
        blocks.back().push_back({BlockKind::head, -1});
    }
    return blocks;
}

} // namespace chokepoint::work
