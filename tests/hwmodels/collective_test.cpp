// SPDX-License-Identifier: Apache-2.0
// Collectives as flows: what they put on ports, which algorithm is taken, and laws that every part obeys.
#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/transfer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace chokepoint::hw {
namespace {

const TransferRates& rates() {
    static const TransferRates loaded = load_transfer_rates();
    return loaded;
}

Cluster cluster_of(std::string_view part) {
    static const Catalog catalog = Catalog::load();
    return {catalog.usual_node(*catalog.find_gpu(part)).value(), catalog.find_fabric("multi-plane")->fabric,
            256};
}

Bytes bytes_on(const TransferShape& shape, Port port) {
    Bytes sum;
    for (const PortFlow& flow : shape.flows) {
        sum += flow.port == port ? flow.bytes : Bytes(0.0);
    }
    return sum;
}

Seconds time_of(const Cluster& cluster, Collective op, Bytes bytes, int ranks, int per_node) {
    return uncontended_time(collective(rates(), cluster, op, bytes, ranks, per_node));
}

TEST(Collective, UsesOnlyThePortsItsMembersShare) {
    const Cluster h800 = cluster_of("h800-sxm");
    const auto one_node = collective(rates(), h800, Collective::all_gather, 1_GB, 8, 8);
    EXPECT_EQ(bytes_on(one_node, Port::nic), Bytes(0.0));
    EXPECT_EQ(bytes_on(one_node, Port::nvlink), Bytes(0.875e9));
    const auto one_rank_per_node = collective(rates(), h800, Collective::all_gather, 1_GB, 2, 1);
    EXPECT_EQ(bytes_on(one_rank_per_node, Port::nvlink), Bytes(0.0));
    EXPECT_EQ(bytes_on(one_rank_per_node, Port::nic), Bytes(0.5e9));
    const auto sixteen_nodes = collective(rates(), h800, Collective::all_gather, 1_GB, 128, 8);
    EXPECT_NEAR(bytes_on(sixteen_nodes, Port::nic).value(), 1e9 / 8 * 127 / 128, 1.0);
    EXPECT_TRUE(collective(rates(), h800, Collective::all_reduce, 1_GB, 1, 8).flows.empty());
    EXPECT_THROW((void)collective(rates(), h800, Collective::all_reduce, 1_GB, 12, 8), std::invalid_argument);
    EXPECT_THROW((void)collective(rates(), h800, Collective::all_reduce, 1_GB, 0, 8), std::invalid_argument);
}

TEST(Collective, AnAllToAllSendsEveryRankItsShare) {
    const Cluster h800 = cluster_of("h800-sxm");
    const auto shape = collective(rates(), h800, Collective::all_to_all, 1_GB, 32, 8);
    EXPECT_NEAR(bytes_on(shape, Port::nvlink).value(), 1e9 * 7 / 32, 1.0) << "seven neighbours";
    EXPECT_NEAR(bytes_on(shape, Port::nic).value(), 1e9 * 24 / 32, 1.0) << "24 ranks elsewhere";
}

TEST(Collective, BetweenNodesAnAllReduceIsAReduceScatterAndAnAllGather) {
    const Cluster h800 = cluster_of("h800-sxm");
    for (const auto& [ranks, per_node] : {std::pair{128, 8}, {2, 1}, {16, 1}}) {
        const auto both = collective(rates(), h800, Collective::all_reduce, 1_GB, ranks, per_node);
        const auto scatter = collective(rates(), h800, Collective::reduce_scatter, 1_GB, ranks, per_node);
        const auto gather = collective(rates(), h800, Collective::all_gather, 1_GB, ranks, per_node);
        EXPECT_NEAR(bytes_on(both, Port::nic) / (bytes_on(scatter, Port::nic) + bytes_on(gather, Port::nic)),
                    1.0, 0.01); // a tree of 128 ranks moves every piece, a ring all but one
        EXPECT_NEAR(bytes_on(both, Port::nvlink).value(),
                    (bytes_on(scatter, Port::nvlink) + bytes_on(gather, Port::nvlink)).value(), 1.0);
    }
}

TEST(Collective, TheSwitchReducesWhereThatIsFaster) {
    const auto algorithm = [](std::string_view part, Bytes bytes, int ranks) {
        return choose_collective(rates(), cluster_of(part),
                                 {Collective::all_reduce, bytes, ranks, ranks, false})
            .algorithm;
    };
    EXPECT_EQ(algorithm("h100-sxm", 512_MiB, 8), Algorithm::nvls);
    EXPECT_EQ(algorithm("h100-sxm", 512_MiB, 2), Algorithm::ring) << "fewer bytes than through the switch";
    EXPECT_EQ(algorithm("h100-sxm", 1_MiB, 8), Algorithm::ring);
    EXPECT_EQ(algorithm("b200-sxm", 512_MiB, 8), Algorithm::nvls);
    EXPECT_EQ(algorithm("gb200", 512_MiB, 72), Algorithm::nvls);
    EXPECT_EQ(algorithm("a100-sxm", 512_MiB, 8), Algorithm::ring) << "its switch only forwards";
    const Cluster many = cluster_of("h100-sxm");
    const auto small = choose_collective(rates(), many, {Collective::all_reduce, 64_MiB, 2048, 8, false});
    EXPECT_EQ(small.algorithm, Algorithm::tree) << "510 latencies of a ring are worth its bytes";
}

TEST(Collective, MoreBytesNeverTakeLessTime) {
    for (const char* part : {"a100-sxm", "h100-sxm", "h800-sxm", "b200-sxm", "gb200", "mi300x"}) {
        const Cluster cluster = cluster_of(part);
        for (const Collective op : all_collectives()) {
            for (const auto& [ranks, per_node] : {std::pair{2, 2}, {8, 8}, {64, 8}}) {
                Seconds before;
                for (double bytes = 512.0; bytes < 4e9; bytes *= 1.3) {
                    const Seconds now = time_of(cluster, op, Bytes(bytes), ranks, per_node);
                    EXPECT_GE(now * (1.0 + 1e-9), before) << part << ' ' << name(op) << ' ' << bytes;
                    before = now;
                }
            }
        }
    }
}

TEST(Collective, ACapNeverHelps) {
    const Cluster whole = cluster_of("h100-sxm");
    for (const Collective op : all_collectives()) {
        for (const int ranks : {2, 4, 8}) {
            for (double bytes = 1024.0; bytes < 4e9; bytes *= 3.0) {
                Seconds before;
                for (const BytesPerSecond cap : {900_GBps, 400_GBps, 200_GBps, 100_GBps, 50_GBps}) {
                    Cluster capped = whole;
                    capped.node = apply(Caps{.nvlink = cap}, whole.node);
                    const Seconds now = time_of(capped, op, Bytes(bytes), ranks, ranks);
                    EXPECT_GE(now * (1.0 + 1e-9), before) << name(op) << ' ' << ranks << ' ' << bytes;
                    before = now;
                }
            }
        }
    }
}

TEST(Collective, LargeTransfersGoWithTheLink) {
    Cluster capped = cluster_of("h100-sxm");
    const Seconds whole = time_of(capped, Collective::all_gather, 1_GiB, 8, 8);
    capped.node = apply(Caps{.nvlink = 100_GBps}, capped.node);
    const double slower = time_of(capped, Collective::all_gather, 1_GiB, 8, 8) / whole;
    EXPECT_GT(slower, 8.0);
    EXPECT_LE(slower, 9.0) << "the link is nine times slower; copies in memory are not";
}

TEST(Collective, ReproducesNcclOnAnH100Node) {
    // aiconfigurator, h100_sxm, NCCL 2.27.3: 512 MiB over eight GPUs.
    const Cluster h100 = cluster_of("h100-sxm");
    EXPECT_NEAR(time_of(h100, Collective::reduce_scatter, 512_MiB, 8, 8).value() / 1.39923e-3, 1.0, 0.03);
    EXPECT_NEAR(time_of(h100, Collective::all_reduce, 512_MiB, 8, 8).value() / 2.1118e-3, 1.0, 0.03);
}

TEST(Collective, BesideComputeTheFactorStretchesTheBytesAlone) {
    TransferRates slowed = rates();
    slowed.collective_beside_compute = 1.5;
    CollectiveCall call{Collective::all_gather, 512_MiB, 8, 8, false};
    const Cluster h100 = cluster_of("h100-sxm");
    const auto alone = choose_collective(slowed, h100, call).shape;
    call.beside_compute = true;
    const auto beside = choose_collective(slowed, h100, call).shape;
    EXPECT_EQ(beside.latency, alone.latency);
    EXPECT_NEAR(alone.flows[0].rate_cap / beside.flows[0].rate_cap, 1.5, 1e-12);
}

TEST(BusBandwidth, FollowsTheConventionsOfNcclTests) {
    EXPECT_DOUBLE_EQ(bus_factor(Collective::all_reduce, 8), 1.75);
    EXPECT_DOUBLE_EQ(bus_factor(Collective::all_gather, 8), 0.875);
    EXPECT_DOUBLE_EQ(bus_factor(Collective::reduce_scatter, 4), 0.75);
    EXPECT_DOUBLE_EQ(bus_factor(Collective::all_to_all, 2), 0.5);
    EXPECT_DOUBLE_EQ(bus_factor(Collective::broadcast, 8), 1.0);
    EXPECT_DOUBLE_EQ(bus_factor(Collective::send_recv, 2), 1.0);
}

TEST(PointToPoint, EndsAfterItsLatencyAndItsBytes) {
    const Cluster h800 = cluster_of("h800-sxm");
    const auto remote = point_to_point(rates(), h800, 40_MB, true);
    EXPECT_NEAR(uncontended_time(remote).value(), 1e-3 + 3.7e-6, 1e-12) << "40 of 50 GB/s";
    const auto local = point_to_point(rates(), h800, 160_MB, false);
    EXPECT_EQ(bytes_on(local, Port::nvlink), 160_MB);
    EXPECT_NEAR(uncontended_time(local).value(), 1e-3, 0.15e-3) << "about 160 of 200 GB/s";
}

} // namespace
} // namespace chokepoint::hw
