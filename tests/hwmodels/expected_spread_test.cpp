// SPDX-License-Identifier: Apache-2.0
// How many nodes and ranks a token reaches: the exact expectation against drawn tokens and textbook cases.
#include <chokepoint/hwmodels/transfer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

namespace chokepoint::hw {
namespace {

/// DeepSeek-V3's: 256 experts, top 8, at most 4 nodes.
ExpertRouting v3_routing(int ranks) { return {256, 8, ranks, 8, 4}; }

/// Draws tokens through the router's own rule: the nodes with the best expert, then the best experts on them.
Spread drawn_spread(const ExpertRouting& routing, int tokens) {
    std::mt19937_64 random(7);
    const int nodes = std::max(1, routing.ranks / routing.ranks_per_node);
    const int limit = routing.max_nodes > 0 ? std::min(routing.max_nodes, nodes) : nodes;
    const int per_node = routing.experts / nodes;
    const int per_rank = routing.experts / routing.ranks;
    std::uniform_int_distribution<int> any_node(0, nodes - 1);
    std::vector<int> order(static_cast<std::size_t>(routing.experts));
    std::iota(order.begin(), order.end(), 0);
    Spread sum;
    for (int token = 0; token < tokens; ++token) {
        std::ranges::shuffle(order, random); // affinities, best first
        std::set<int> allowed;
        for (std::size_t i = 0; static_cast<int>(allowed.size()) < limit; ++i) {
            allowed.insert(order[i] / per_node);
        }
        std::set<int> met_nodes;
        std::set<int> met_ranks;
        int taken = 0;
        for (std::size_t i = 0; taken < routing.top_k; ++i) {
            if (allowed.contains(order[i] / per_node)) {
                met_nodes.insert(order[i] / per_node);
                met_ranks.insert(order[i] / per_rank);
                ++taken;
            }
        }
        sum.nodes += static_cast<double>(met_nodes.size());
        sum.ranks += static_cast<double>(met_ranks.size());
        sum.remote_nodes +=
            static_cast<double>(met_nodes.size()) - (met_nodes.contains(any_node(random)) ? 1.0 : 0.0);
    }
    return {sum.nodes / tokens, sum.remote_nodes / tokens, sum.ranks / tokens};
}

TEST(ExpectedSpread, AgreesWithDrawnTokens) {
    for (const ExpertRouting& routing :
         {v3_routing(64), v3_routing(16), ExpertRouting{256, 8, 64, 8, 0}, ExpertRouting{64, 6, 32, 8, 3},
          ExpertRouting{128, 8, 8, 8, 4}, ExpertRouting{16, 4, 16, 4, 1}, ExpertRouting{8, 8, 8, 2, 0}}) {
        const Spread exact = expected_spread(routing);
        const Spread drawn = drawn_spread(routing, 2000);
        // Per-token deviations are below 1.5; four standard errors.
        EXPECT_NEAR(exact.nodes, drawn.nodes, 0.08) << routing.ranks;
        EXPECT_NEAR(exact.remote_nodes, drawn.remote_nodes, 0.12) << routing.ranks;
        EXPECT_NEAR(exact.ranks, drawn.ranks, 0.12) << routing.ranks;
    }
}

TEST(ExpectedSpread, DeepSeekV3ReachesNearlyItsFourNodes) {
    const Spread spread = expected_spread(v3_routing(64));
    EXPECT_NEAR(spread.nodes, 3.983, 0.001);
    EXPECT_NEAR(spread.remote_nodes, 3.485, 0.001);
    // Choosing nodes by their best two experts, as the model itself does, gives 3.96 and 3.46.
    EXPECT_NEAR(spread.nodes / 3.96, 1.0, 0.01);
    EXPECT_NEAR(spread.remote_nodes / 3.46, 1.0, 0.01);
}

TEST(ExpectedSpread, WithoutALimitIsTheTextbookOccupancy) {
    // One of 8 nodes is missed by all 8 of 256 experts with probability C(224, 8) / C(256, 8).
    double missed = 1.0;
    for (int i = 0; i < 8; ++i) {
        missed *= (224.0 - i) / (256.0 - i);
    }
    const Spread spread = expected_spread({256, 8, 64, 8, 0});
    EXPECT_NEAR(spread.nodes, 8.0 * (1.0 - missed), 1e-12);
    double missed_rank = 1.0;
    for (int i = 0; i < 8; ++i) {
        missed_rank *= (252.0 - i) / (256.0 - i);
    }
    EXPECT_NEAR(spread.ranks, 64.0 * (1.0 - missed_rank), 1e-12);
}

TEST(ExpectedSpread, StaysWithinItsBoundsAndGrowsWithTheLimit) {
    for (const int ranks : {8, 16, 32, 64, 128}) {
        double before = 0.0;
        for (int limit = 1; limit <= 16; ++limit) {
            const Spread spread = expected_spread({256, 8, ranks, 8, limit});
            EXPECT_GE(spread.nodes, before - 1e-12);
            EXPECT_LE(spread.nodes, std::min(limit, ranks / 8) + 1e-12);
            EXPECT_LE(spread.ranks, 8.0 + 1e-12);
            EXPECT_GE(spread.ranks, spread.nodes - 1e-12);
            EXPECT_NEAR(spread.remote_nodes, spread.nodes * (1.0 - 8.0 / ranks), 1e-12);
            before = spread.nodes;
        }
    }
}

TEST(ExpectedSpread, EveryExpertMeansEveryRank) {
    const Spread spread = expected_spread({16, 16, 8, 2, 0});
    EXPECT_NEAR(spread.nodes, 4.0, 1e-12);
    EXPECT_NEAR(spread.ranks, 8.0, 1e-12);
}

TEST(ExpectedSpread, RefusesLayoutsThatDoNotDivide) {
    const auto refused = [](const ExpertRouting& routing, const std::string& reason) {
        try {
            (void)expected_spread(routing);
            ADD_FAILURE() << "accepted: " << reason;
        } catch (const std::invalid_argument& error) {
            EXPECT_THAT(error.what(), testing::HasSubstr(reason));
        }
    };
    refused({256, 8, 48, 8, 4}, "256 experts do not divide over 48 ranks");
    refused({240, 8, 12, 8, 4}, "12 ranks do not fill nodes of 8");
    refused({8, 8, 8, 2, 2}, "top 8 of the 4 experts on 2 nodes");
    refused({256, 0, 64, 8, 4}, "top 0");
    refused({256, 8, 0, 8, 4}, "0 ranks");
}

} // namespace
} // namespace chokepoint::hw
