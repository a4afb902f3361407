// SPDX-License-Identifier: Apache-2.0
// Laws of fabrics: bisection, tiers, and that levels say what the graph of all switches says.
#include <chokepoint/hwmodels/switch_graph.hpp>
#include <chokepoint/hwmodels/topology.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <set>

namespace chokepoint::hw {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

Cluster cluster(FabricKind kind, int nodes, int gpus = 8, int nics = 8) {
    Cluster out;
    out.node.gpus = gpus;
    out.node.nics = nics;
    out.node.nic = 50_GBps;
    out.node.nvlink_latency = 1_us;
    out.fabric.kind = kind;
    out.fabric.latency_same_leaf = 2_us;
    out.fabric.latency_cross_leaf = 3_us;
    out.fabric.latency_cross_pod = 4_us;
    out.fabric = trimmed(out.fabric, out.node);
    out.nodes = nodes;
    return out;
}

/// What all NICs of half the nodes carry.
BytesPerSecond half_of(const Cluster& c) { return c.node.nic * (c.node.nics * c.nodes / 2.0); }

std::vector<FabricFault> faults(const Cluster& c) { return check_fabric(c.fabric, c.node, c.nodes); }

/// Small fabrics of every kind, with few ports so that all tiers are in use.
std::vector<Cluster> small_clusters() {
    std::vector<Cluster> out;
    for (const FabricKind kind : fabric_kinds()) {
        for (const int nics : {1, 2, 4}) {
            for (const double ratio : {1.0, 3.0}) {
                Cluster c = cluster(kind, 8, 2, nics);
                c.fabric.radix = kind == FabricKind::single_switch ? 64 : 16;
                c.fabric.oversubscription = ratio;
                c.fabric.pod_oversubscription = ratio;
                if (kind == FabricKind::fat_tree_3) {
                    c.fabric.pod_leaves = 2;
                }
                out.push_back(c);
                if (kind == FabricKind::multi_plane || kind == FabricKind::rail_optimised) {
                    out.back().fabric.tiers = 3;
                    out.back().fabric.radix = 8;
                    out.push_back(c);
                }
            }
        }
    }
    return out;
}

std::string describe(const Cluster& c) {
    return std::string(name(c.fabric.kind)) + " of " + std::to_string(c.node.nics) + " NICs at " +
           std::to_string(c.fabric.oversubscription) + ", " + std::to_string(c.fabric.tiers) + " tiers";
}

TEST(Topology, ANonBlockingFatTreeCarriesHalfItsEndpoints) {
    for (const FabricKind kind : fabric_kinds()) {
        Cluster c = cluster(kind, 64);
        c.fabric.radix = kind == FabricKind::single_switch ? 512 : 64;
        const Topology topology = make_topology(c);
        EXPECT_EQ(topology.bisection(), half_of(c)) << name(kind);
        EXPECT_THAT(topology.links(), IsEmpty()) << name(kind);
        EXPECT_THAT(topology.climb(0), IsEmpty()) << name(kind);
    }
}

TEST(Topology, OversubscriptionDividesTheBisection) {
    for (const FabricKind kind :
         {FabricKind::fat_tree_2, FabricKind::rail_optimised, FabricKind::multi_plane}) {
        for (const double ratio : {2.0, 3.0, 7.0}) {
            Cluster c = cluster(kind, 1);
            c.fabric.oversubscription = ratio;
            const int leaf_nics = static_cast<int>(64 / (1 + ratio) * ratio); // 42, 48, 56 of 64 ports
            const int per_leaf = kind == FabricKind::fat_tree_2 ? leaf_nics / 8 : leaf_nics;
            c.nodes = 4 * per_leaf; // whole leaves
            const double full = kind == FabricKind::fat_tree_2 ? leaf_nics / 8 * 8.0 / leaf_nics : 1.0;
            EXPECT_NEAR(make_topology(c).bisection() / (half_of(c) / ratio / full), 1.0, 1e-12)
                << name(kind) << ' ' << ratio;
        }
    }
}

TEST(Topology, AnOversubscribedPodDividesTheBisection) {
    Cluster c = cluster(FabricKind::fat_tree_3, 96);
    c.fabric.radix = 32;
    c.fabric.pod_oversubscription = 3.0; // pods of 24 leaves of 16 NICs
    const Topology topology = make_topology(c);
    ASSERT_EQ(topology.pods(), 2);
    EXPECT_EQ(topology.bisection(), half_of(c) / 3.0);
    EXPECT_THAT(topology.climb(0), testing::SizeIs(1)) << "leaves do not bind, pods do";
    EXPECT_EQ(topology.links()[0].name, "pod 0 uplink");
}

TEST(Topology, NodesUnderOneLeafAreAsOnASingleSwitch) {
    const Topology tree = make_topology(cluster(FabricKind::fat_tree_2, 4));
    Cluster one = cluster(FabricKind::single_switch, 4);
    const Topology single = make_topology(one);
    EXPECT_EQ(tree.bisection(), single.bisection());
    for (int gpu = 0; gpu < tree.gpus(); ++gpu) {
        EXPECT_EQ(tree.tier(0, gpu), single.tier(0, gpu));
        EXPECT_EQ(tree.latency(0, gpu), single.latency(0, gpu));
    }
}

TEST(Topology, PlanesTogetherCarryWhatOnePlaneCarries) {
    for (const double ratio : {1.0, 3.0}) {
        Cluster one = cluster(FabricKind::multi_plane, 96);
        one.fabric.planes = 1;
        one.fabric.radix = 128;
        one.fabric.oversubscription = ratio;
        Cluster eight = one;
        eight.fabric.planes = 8;
        eight.fabric.radix = 32; // leaves of 24 nodes at 3:1, and 12 in the single plane
        EXPECT_EQ(make_topology(one).bisection(), make_topology(eight).bisection()) << ratio;
    }
}

TEST(Topology, LevelsCarryWhatTheGraphOfSwitchesCarries) {
    std::mt19937 random(7);
    for (const Cluster& c : small_clusters()) {
        ASSERT_THAT(faults(c), IsEmpty()) << describe(c);
        const Topology topology = make_topology(c);
        const SwitchGraph graph(c);
        for (int trial = 0; trial < 10; ++trial) {
            std::vector<int> from, to;
            std::vector<int> out(static_cast<std::size_t>(graph.wiring().leaves()), 0), in = out;
            std::set<std::pair<int, int>> seen;
            for (int gpu = 0; gpu < topology.gpus(); ++gpu) {
                const int node = gpu / c.node.gpus;
                const bool sends = node % 4 == 0 || random() % 2 == 0;
                // GPUs that share a NIC stay on one side.
                const bool side = c.node.nics < c.node.gpus && gpu % c.node.gpus > 0
                                      ? !to.empty() && to.back() == gpu - 1
                                      : !sends;
                (side ? to : from).push_back(gpu);
                const int per_gpu = std::max(1, c.node.nics / c.node.gpus);
                const int first = gpu % c.node.gpus * c.node.nics / c.node.gpus;
                for (int nic = first; nic < first + per_gpu; ++nic) {
                    if (seen.emplace(node, nic).second) {
                        ++(side ? in : out)[static_cast<std::size_t>(graph.wiring().leaf(node, nic))];
                    }
                }
            }
            EXPECT_EQ(topology.max_flow(from, to), 50_GBps * static_cast<double>(graph.max_flow(out, in)))
                << describe(c);
        }
    }
}

TEST(Topology, ALinkHasTheCapacityOfItsCables) {
    for (const Cluster& c : small_clusters()) {
        const Topology topology = make_topology(c, LinksKept::all);
        const SwitchGraph graph(c);
        BytesPerSecond climbing, cables;
        for (const SharedLink& link : topology.links()) {
            climbing += link.capacity;
        }
        for (int leaf = 0; leaf < graph.wiring().leaves(); ++leaf) {
            cables += c.node.nic * static_cast<double>(graph.uplinks_of_leaf(leaf));
        }
        for (int plane = 0; plane < graph.wiring().planes; ++plane) {
            for (int pod = 0; pod < graph.wiring().pods; ++pod) {
                cables += c.node.nic * static_cast<double>(graph.uplinks_of_pod(plane, pod));
            }
        }
        EXPECT_EQ(climbing, cables) << describe(c);
        EXPECT_EQ(cables, c.node.nic * static_cast<double>(graph.cables())) << describe(c);
    }
}

TEST(Topology, TiersAreTheSwitchesOnTheShortestRoute) {
    for (const Cluster& c : small_clusters()) {
        const Topology topology = make_topology(c);
        const SwitchGraph graph(c);
        for (int gpu = 0; gpu < topology.gpus(); gpu += c.node.gpus) { // of the same index
            const auto route = graph.route(topology.leaf(0), topology.leaf(gpu));
            ASSERT_TRUE(route) << describe(c);
            const Tier tier = topology.tier(0, gpu);
            const int switches = tier == Tier::core ? 5 : tier == Tier::pod ? 3 : 1;
            EXPECT_EQ(route->switches, switches) << describe(c) << " GPU " << gpu;
        }
    }
}

TEST(Topology, RoutesSpreadOverEverySpine) {
    Cluster c = cluster(FabricKind::fat_tree_2, 512 / 8 * 4);
    const SwitchGraph graph(c); // 64 leaves of 32 NICs, 32 spines
    EXPECT_EQ(graph.spines(), 32);
    EXPECT_EQ(graph.route(0, 63), (SwitchGraph::Route{3, 32}));
    EXPECT_EQ(graph.route(5, 5), (SwitchGraph::Route{1, 1}));
    EXPECT_EQ(graph.cables(), 64 * 32);
}

TEST(Topology, PlanesHaveNoWayToEachOther) {
    Cluster c = cluster(FabricKind::multi_plane, 64);
    const SwitchGraph graph(c);
    EXPECT_TRUE(graph.route(0, 8)) << "the second leaf of the first plane";
    EXPECT_EQ(graph.route(0, 1), std::nullopt);
}

TEST(Topology, LatencyGrowsWithTheTier) {
    for (const Cluster& c : small_clusters()) {
        const Topology topology = make_topology(c);
        for (int gpu = 1; gpu < topology.gpus(); ++gpu) {
            for (int other = 1; other < topology.gpus(); ++other) {
                if (topology.tier(0, gpu) <= topology.tier(0, other)) {
                    EXPECT_LE(topology.latency(0, gpu), topology.latency(0, other));
                }
            }
        }
        EXPECT_EQ(topology.latency(3, 3), Seconds());
    }
}

TEST(Topology, GpusOfTheSameIndexShareALeafOfARail) {
    const Topology topology = make_topology(cluster(FabricKind::rail_optimised, 64)); // 32 nodes a leaf
    EXPECT_EQ(topology.leaf(3), topology.leaf(31 * 8 + 3));
    EXPECT_NE(topology.leaf(3), topology.leaf(4));
    EXPECT_EQ(topology.tier(3, 31 * 8 + 4), Tier::leaf) << "over NVLink first";
    EXPECT_EQ(topology.tier(3, 32 * 8 + 3), Tier::pod);
}

TEST(Topology, AClimbTakesTheLinksOfItsTier) {
    Cluster c = cluster(FabricKind::fat_tree_3, 128);
    c.fabric.radix = 16;
    c.fabric.oversubscription = 3.0;
    c.fabric.pod_oversubscription = 3.0;
    const Topology topology = make_topology(c);
    EXPECT_THAT(topology.climb(0), testing::SizeIs(2));
    EXPECT_THAT(topology.climb(0, Tier::core), testing::SizeIs(2));
    EXPECT_THAT(topology.climb(0, Tier::pod), testing::ElementsAre(topology.climb(0)[0]));
    EXPECT_THAT(topology.climb(0, Tier::leaf), IsEmpty());
    EXPECT_THAT(topology.climb(0, Tier::node), IsEmpty());
}

TEST(Topology, ANodeMayHaveMoreNicsThanALeafHasPorts) {
    Cluster c = cluster(FabricKind::fat_tree_2, 4, 72, 72); // leaves of 32 NICs
    const Topology topology = make_topology(c);
    EXPECT_EQ(topology.leaf(31), 0);
    EXPECT_EQ(topology.leaf(32), 1);
    EXPECT_EQ(topology.leaf(72), 2);
    EXPECT_EQ(topology.tier(71, 72), Tier::leaf) << "of two nodes";
    EXPECT_EQ(topology.bisection(), half_of(c));
}

TEST(Topology, ANodesRailMayFillSeveralLeaves) {
    const Cluster c = cluster(FabricKind::multi_plane, 8, 576, 576); // 72 NICs in each plane, leaves of 32
    const Topology topology = make_topology(c);
    EXPECT_EQ(topology.leaves(), 18 * 8);
    EXPECT_EQ(topology.bisection(), half_of(c));
    EXPECT_EQ(topology.tier(0, 576), Tier::pod);
    EXPECT_EQ(topology.tier(575, 576), Tier::leaf) << "the third leaf of a plane takes NICs of two nodes";
}

TEST(GroupExtent, SharesAddUpAndMatchThePairs) {
    for (const Cluster& c : small_clusters()) {
        const Topology topology = make_topology(c);
        std::vector<int> members;
        for (int gpu = 0; gpu < topology.gpus(); gpu += 1 + gpu % 3) {
            members.push_back(gpu);
        }
        std::array<double, kTiers> counted{};
        const auto n = static_cast<double>(members.size());
        for (const int a : members) {
            for (const int b : members) {
                if (a != b) {
                    counted.at(static_cast<std::size_t>(topology.tier(a, b))) += 1.0 / (n * (n - 1.0));
                }
            }
        }
        const GroupExtent extent = topology.extent(members);
        double ring = 0.0;
        for (std::size_t t = 0; t < kTiers; ++t) {
            EXPECT_NEAR(extent.all_to_all.at(t), counted.at(t), 1e-12) << describe(c);
            ring += extent.ring.at(t);
        }
        EXPECT_NEAR(ring, 1.0, 1e-12);
        EXPECT_EQ(extent.latency, topology.latency(extent.worst));
        if (extent.worst != Tier::node) {
            EXPECT_GE(extent.hop, topology.latency(Tier::leaf));
            EXPECT_LE(extent.hop, extent.latency);
        }
    }
    // Eight nodes, four to a leaf: a ring through them crosses the spine twice.
    const Topology two_leaves = make_topology(cluster(FabricKind::fat_tree_2, 8));
    std::vector<int> first_of_nodes;
    for (int gpu = 0; gpu < 64; gpu += 8) {
        first_of_nodes.push_back(gpu);
    }
    const Seconds hops = two_leaves.latency(Tier::leaf) * 6.0 + two_leaves.latency(Tier::pod) * 2.0;
    EXPECT_NEAR(two_leaves.extent(first_of_nodes).hop.value(), hops.value() / 8.0, 1e-15);
    const Topology topology = make_topology(cluster(FabricKind::fat_tree_2, 4));
    EXPECT_EQ(topology.extent(std::array{3}).latency, Seconds());
    EXPECT_THROW((void)topology.extent({}), std::invalid_argument);
}

TEST(FabricFaults, NamesPlanesThatDoNotDivide) {
    Cluster c = cluster(FabricKind::multi_plane, 16);
    c.fabric.planes = 3;
    EXPECT_THAT(faults(c), Contains(Field(&FabricFault::message,
                                          HasSubstr("3 planes do not divide the 8 NICs of a node"))));
    EXPECT_THROW((void)make_topology(c), std::invalid_argument);
}

TEST(FabricFaults, NamesWhatCannotBeReached) {
    Cluster c = cluster(FabricKind::fat_tree_2, 16); // 4 leaves
    c.fabric.spines = 0;
    ASSERT_THAT(faults(c), testing::SizeIs(1));
    EXPECT_EQ(to_text(faults(c)),
              "spines: 3 of 4 leaves cannot reach the rest: 0 spines join them; expected at least 1");
    c.fabric.spines = 5;
    EXPECT_THAT(to_text(faults(c)), HasSubstr("the 32 uplinks of a leaf do not spread evenly over 5 spines"));
    c.fabric.spines = 1;
    c.nodes = 64;
    EXPECT_THAT(to_text(faults(c)), HasSubstr("take 32 cables from each of 16 leaves, and have 64 ports"));
    c = cluster(FabricKind::fat_tree_3, 16);
    c.fabric.pod_leaves = 2;
    c.fabric.cores = 0;
    EXPECT_THAT(to_text(faults(c)), HasSubstr("cores: 2 of 4 leaves cannot reach the rest"));
}

TEST(FabricFaults, NamesMoreEndpointsThanTheRadixAllows) {
    EXPECT_THAT(faults(cluster(FabricKind::fat_tree_2, 256)), IsEmpty()); // 2,048
    EXPECT_THAT(to_text(faults(cluster(FabricKind::fat_tree_2, 257))),
                HasSubstr("plug in 2056 NICs, and 2 tiers of 64-port switches join 2048"));
    EXPECT_THAT(to_text(faults(cluster(FabricKind::single_switch, 9))),
                HasSubstr("8 NICs cannot be reached"));
    EXPECT_THAT(faults(cluster(FabricKind::fat_tree_3, 8192)), IsEmpty()); // 65,536
    EXPECT_THAT(faults(cluster(FabricKind::fat_tree_3, 8193)), testing::SizeIs(1));
    EXPECT_THAT(faults(cluster(FabricKind::multi_plane, 2048)), IsEmpty()); // 16,384
    EXPECT_THAT(faults(cluster(FabricKind::multi_plane, 2049)), testing::SizeIs(1));
}

TEST(FabricFaults, AreReportedAllAtOnce) {
    Cluster c = cluster(FabricKind::multi_plane, 16, 8, 6);
    c.fabric.radix = 0;
    c.fabric.planes = 4;
    c.fabric.oversubscription = 0.5;
    c.fabric.tiers = 4;
    std::set<std::string> parameters;
    for (const FabricFault& fault : faults(c)) {
        parameters.insert(fault.parameter);
    }
    EXPECT_THAT(parameters, testing::ElementsAre("nics", "oversubscription", "planes", "radix", "tiers"));
}

TEST(Topology, GrowsWithSwitchesNotWithPairs) {
    Cluster c = cluster(FabricKind::fat_tree_3, 131072 / 8);
    c.fabric.radix = 128;
    c.fabric.oversubscription = 2.0;
    const Topology topology = make_topology(c);
    EXPECT_EQ(topology.gpus(), 131072);
    EXPECT_LE(topology.links().size(), static_cast<std::size_t>(topology.leaves() + topology.pods()));
    EXPECT_EQ(topology.tier(0, 131071), Tier::core);
}

} // namespace
} // namespace chokepoint::hw
