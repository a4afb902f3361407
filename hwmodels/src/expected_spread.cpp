// SPDX-License-Identifier: Apache-2.0
// Where a token's experts lie: the expected number of distinct nodes and ranks, without drawing a single
// token.
#include <chokepoint/hwmodels/transfer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

struct Layout {
    int nodes = 1;
    int ranks_per_node = 1;
    int chosen_nodes = 1; ///< that a token may use
    int experts_per_node = 1;
    int experts_per_rank = 1;
};

Layout checked_layout(const ExpertRouting& routing) {
    const auto demand = [](bool holds, const std::string& fault) {
        if (!holds) {
            throw std::invalid_argument("expert routing: " + fault);
        }
    };
    demand(routing.ranks >= 1 && routing.ranks_per_node >= 1,
           fmt::format("{} ranks, {} per node; expected at least one of each", routing.ranks,
                       routing.ranks_per_node));
    Layout layout;
    layout.ranks_per_node = std::min(routing.ranks, routing.ranks_per_node);
    demand(routing.ranks % layout.ranks_per_node == 0,
           fmt::format("{} ranks do not fill nodes of {}", routing.ranks, layout.ranks_per_node));
    demand(routing.experts >= 1 && routing.experts % routing.ranks == 0,
           fmt::format("{} experts do not divide over {} ranks", routing.experts, routing.ranks));
    layout.nodes = routing.ranks / layout.ranks_per_node;
    layout.chosen_nodes = routing.max_nodes > 0 ? std::min(routing.max_nodes, layout.nodes) : layout.nodes;
    layout.experts_per_node = routing.experts / layout.nodes;
    layout.experts_per_rank = routing.experts / routing.ranks;
    demand(routing.top_k >= 1 && routing.top_k <= layout.chosen_nodes * layout.experts_per_node,
           fmt::format("top {} of the {} experts on {} nodes", routing.top_k,
                       layout.chosen_nodes * layout.experts_per_node, layout.chosen_nodes));
    return layout;
}

/// Walks down the experts in order of affinity. Until the allowed number of nodes has been met, every expert
/// is taken and a new node is a new choice; from then on experts of other nodes are skipped. That is the
/// router's rule, and since the order is a uniform shuffle, (nodes met, experts taken on node 0) is a Markov
/// chain.
class Walk {
public:
    Walk(const Layout& layout, int top_k) : layout_(layout), width_(top_k + 1) {
        probability_.assign(cell(layout.chosen_nodes + 1, 0), 0.0);
        at(probability_, 0, 0) = 1.0;
        for (int taken = 0; taken < top_k; ++taken) {
            step(taken);
        }
    }

    /// Probability that `met` nodes were met and `here` experts of node 0 taken.
    [[nodiscard]] double probability(int met, int here) const { return probability_[cell(met, here)]; }

private:
    [[nodiscard]] std::size_t cell(int met, int here) const {
        return static_cast<std::size_t>(met) * static_cast<std::size_t>(width_) +
               static_cast<std::size_t>(here);
    }

    double& at(std::vector<double>& p, int met, int here) const { return p[cell(met, here)]; }

    void step(int taken) {
        std::vector<double> next(probability_.size(), 0.0);
        const int size = layout_.experts_per_node;
        for (int met = 0; met <= layout_.chosen_nodes; ++met) {
            for (int here = 0; here <= std::min(taken, size); ++here) {
                const double p = at(probability_, met, here);
                if (p == 0.0) {
                    continue;
                }
                const bool full = met == layout_.chosen_nodes;
                const int others_met = met - (here > 0 ? 1 : 0);
                const double left_here = full && here == 0 ? 0.0 : size - here;
                const double left_met = static_cast<double>(others_met) * size - (taken - here);
                const double left_new =
                    full ? 0.0 : static_cast<double>(layout_.nodes - 1 - others_met) * size;
                const double left = left_here + left_met + left_new;
                if (left_here > 0.0) {
                    at(next, here == 0 ? met + 1 : met, here + 1) += p * left_here / left;
                }
                if (left_met > 0.0) {
                    at(next, met, here) += p * left_met / left;
                }
                if (left_new > 0.0) {
                    at(next, met + 1, here) += p * left_new / left;
                }
            }
        }
        probability_ = std::move(next);
    }

    Layout layout_;
    int width_;
    std::vector<double> probability_;
};

/// Expected distinct ranks of one node that hold `taken` uniformly drawn experts of it.
double ranks_hit(const Layout& layout, int taken) {
    double missed = 1.0; // by all of them, for one rank
    for (int i = 0; i < taken; ++i) {
        missed *= std::max(0.0, static_cast<double>(layout.experts_per_node - layout.experts_per_rank - i)) /
                  (layout.experts_per_node - i);
    }
    return layout.ranks_per_node * (1.0 - missed);
}

} // namespace

Spread expected_spread(const ExpertRouting& routing) {
    const Layout layout = checked_layout(routing);
    const Walk walk(layout, routing.top_k);
    Spread spread;
    for (int met = 0; met <= layout.chosen_nodes; ++met) {
        for (int here = 0; here <= std::min(routing.top_k, layout.experts_per_node); ++here) {
            spread.nodes += met * walk.probability(met, here);
            spread.ranks += layout.nodes * ranks_hit(layout, here) * walk.probability(met, here);
        }
    }
    spread.remote_nodes = spread.nodes * (layout.nodes - 1) / layout.nodes;
    return spread;
}

} // namespace chokepoint::hw
