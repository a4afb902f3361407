// SPDX-License-Identifier: Apache-2.0
// Bytes that routers and collectives put on ports, and how fast the ports carry them.
#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/transfer.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

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

/// DeepSeek-V3's: 256 experts, top 8, at most 4 nodes.
ExpertRouting v3_routing(int ranks) { return {256, 8, ranks, 8, 4}; }

constexpr std::int64_t kTokens = 4096;
constexpr Bytes kFp8Token{7168 + 56 * 4};
constexpr Bytes kBf16Token{7168 * 2};

Bytes bytes_on(const TransferShape& shape, Port port) {
    Bytes sum;
    for (const PortFlow& flow : shape.flows) {
        sum += flow.port == port ? flow.bytes : Bytes(0.0);
    }
    return sum;
}

TEST(MoeTransfer, PublishedDeepEpFiguresAreReproduced) {
    // deepseek-ai/DeepEP@ebfe47e README: GB/s counted once per distinct node (or rank, within a node).
    struct Row {
        int ranks;
        double dispatch;
        double combine;
    };
    const Cluster h800 = cluster_of("h800-sxm");
    for (const Row& row : {Row{8, 153, 158}, Row{16, 43, 43}, Row{32, 44, 47}, Row{64, 46, 45}}) {
        const ExpertRouting routing = v3_routing(row.ranks);
        const Spread spread = expected_spread(routing);
        const double copies = row.ranks == 8 ? spread.ranks : spread.nodes;
        const auto counted = [&](MoeDirection direction, Bytes per_token) {
            const auto shape = moe_transfer(rates(), h800, routing, direction, kTokens, per_token, false);
            return kTokens * per_token.value() * copies / uncontended_time(shape).value() / 1e9;
        };
        EXPECT_NEAR(counted(MoeDirection::dispatch, kFp8Token) / row.dispatch, 1.0, 0.02) << row.ranks;
        EXPECT_NEAR(counted(MoeDirection::combine, kBf16Token) / row.combine, 1.0, 0.02) << row.ranks;
    }
}

TEST(MoeTransfer, DeepSeekV3TakesItsKnownTimes) {
    const Cluster h800 = cluster_of("h800-sxm");
    const auto milliseconds = [&](MoeDirection direction, Bytes per_token, bool beside) {
        return 1e3 * uncontended_time(
                         moe_transfer(rates(), h800, v3_routing(64), direction, kTokens, per_token, beside))
                         .value();
    };
    EXPECT_NEAR(milliseconds(MoeDirection::dispatch, kFp8Token, false), 2.65, 0.05);
    EXPECT_NEAR(milliseconds(MoeDirection::combine, kBf16Token, false), 5.2, 0.1);
    // deepseek-ai/profile-data: means of 4,345.8 and 3,405.2 us, and of 5,993.8 and 6,368.2 us.
    EXPECT_NEAR(milliseconds(MoeDirection::dispatch, kFp8Token, true), 3.8755, 0.02);
    EXPECT_NEAR(milliseconds(MoeDirection::combine, kBf16Token, true), 6.181, 0.02);
}

TEST(MoeTransfer, PredictsAnH100NodeThatItWasNotFittedOn) {
    // aiconfigurator, h100_sxm, sglang 0.5.12: one node, 4,096 tokens of 7,168, top 8 of 256, 20 SMs.
    const Cluster h100 = cluster_of("h100-sxm");
    const ExpertRouting one_node{256, 8, 8, 8, 0};
    const auto microseconds = [&](MoeDirection direction, Bytes per_token) {
        return 1e6 *
               uncontended_time(moe_transfer(rates(), h100, one_node, direction, kTokens, per_token, false))
                   .value();
    };
    EXPECT_NEAR(microseconds(MoeDirection::dispatch, kFp8Token) / 492.2, 1.0, 0.15);
    EXPECT_NEAR(microseconds(MoeDirection::combine, kBf16Token) / 982.7, 1.0, 0.15);
}

TEST(MoeTransfer, HybridEpReachesWhatItsAuthorsPublish) {
    // deepseek-ai/DeepEP@41cad94, docs/README_Hybrid-EP.md: 4,096 tokens of 7,168 in BF16, top 8 of 8 experts
    // a rank, 16 SMs; bandwidths count the sender's own copy.
    const auto counted = [&](const Cluster& cluster, int ranks, int per_node, MoeDirection direction) {
        const ExpertRouting routing{8 * ranks, 8, ranks, per_node, 0};
        const Spread spread = expected_spread(routing);
        const Seconds time = uncontended_time(moe_transfer(rates(), cluster, routing, direction, kTokens,
                                                           kBf16Token, false, {}, MoeLibrary::hybrid_ep));
        const double copies = ranks > per_node ? spread.nodes : spread.ranks;
        return kTokens * kBf16Token.value() * copies / time.value() / 1e9;
    };
    const Cluster b200 = cluster_of("b200-sxm");
    EXPECT_NEAR(counted(b200, 8, 8, MoeDirection::dispatch) / 535.94, 1.0, 0.05);
    EXPECT_NEAR(counted(b200, 8, 8, MoeDirection::combine) / 530.86, 1.0, 0.10);
    const Cluster h100 = cluster_of("h100-sxm");
    EXPECT_NEAR(counted(h100, 16, 8, MoeDirection::dispatch) / 54.47, 1.0, 0.02);
    EXPECT_NEAR(counted(h100, 32, 8, MoeDirection::combine) / 52.53, 1.0, 0.02);
    EXPECT_NEAR(counted(h100, 64, 8, MoeDirection::dispatch) / 41.24, 1.0, 0.02);
}

TEST(MoeTransfer, WithinANodeTheKernelsSmsAreALimitToo) {
    // aiconfigurator, b200_sxm, sglang 0.5.12, 16,384 tokens of 7,168, 20 SMs: four times the tokens of the
    // limit's own row.
    const Cluster b200 = cluster_of("b200-sxm");
    const ExpertRouting one_node{256, 8, 8, 8, 0};
    const auto microseconds = [&](MoeDirection direction, Bytes per_token) {
        return 1e6 *
               uncontended_time(moe_transfer(rates(), b200, one_node, direction, 16384, per_token, false))
                   .value();
    };
    EXPECT_NEAR(microseconds(MoeDirection::dispatch, kFp8Token) / 1926.2, 1.0, 0.15);
    EXPECT_NEAR(microseconds(MoeDirection::combine, kBf16Token) / 3096.9, 1.0, 0.15);
}

TEST(MoeTransfer, EveryPortCarriesWhatTheSpreadSays) {
    const Cluster h800 = cluster_of("h800-sxm");
    for (const int ranks : {8, 16, 64}) {
        const Spread spread = expected_spread(v3_routing(ranks));
        const auto shape =
            moe_transfer(rates(), h800, v3_routing(ranks), MoeDirection::dispatch, kTokens, kFp8Token, false);
        const double payload = kTokens * kFp8Token.value();
        EXPECT_NEAR(bytes_on(shape, Port::nic).value(), payload * spread.remote_nodes, 1.0);
        // Summed over the group, the ranks' copies less those that arrive at the wanted GPU, one in eight.
        EXPECT_NEAR(bytes_on(shape, Port::nvlink).value(), payload * spread.ranks * 7 / 8, 1.0);
    }
}

TEST(MoeTransfer, DispatchAndCombineOfOneFormatMoveTheSameBytes) {
    const Cluster h800 = cluster_of("h800-sxm");
    const auto out =
        moe_transfer(rates(), h800, v3_routing(64), MoeDirection::dispatch, kTokens, kBf16Token, false);
    const auto back =
        moe_transfer(rates(), h800, v3_routing(64), MoeDirection::combine, kTokens, kBf16Token, false);
    EXPECT_EQ(bytes_on(out, Port::nic), bytes_on(back, Port::nic));
    EXPECT_EQ(bytes_on(out, Port::nvlink), bytes_on(back, Port::nvlink));
    EXPECT_EQ(out.latency, back.latency);
}

TEST(MoeTransfer, OneRankSendsNothing) {
    const auto shape = moe_transfer(rates(), cluster_of("h800-sxm"), {8, 2, 1, 8, 0}, MoeDirection::dispatch,
                                    kTokens, kFp8Token, false);
    EXPECT_TRUE(shape.flows.empty());
    EXPECT_EQ(uncontended_time(shape), Seconds(0.0));
}

/// Shapes of every kind of transfer on one cluster.
std::vector<TransferShape> shapes(const Cluster& cluster) {
    std::vector<TransferShape> all;
    for (const int ranks : {8, 16, 32, 48, 64, 128}) {
        const ExpertRouting routing{384, 8, ranks, 8, 4};
        for (const bool beside : {false, true}) {
            all.push_back(
                moe_transfer(rates(), cluster, routing, MoeDirection::dispatch, kTokens, kFp8Token, beside));
            all.push_back(
                moe_transfer(rates(), cluster, routing, MoeDirection::combine, kTokens, kBf16Token, beside));
        }
    }
    for (const Collective kind : all_collectives()) {
        for (const auto& [ranks, per_node] : {std::pair{8, 8}, {2, 1}, {128, 8}, {16, 1}, {4, 8}}) {
            for (const Bytes bytes : {8_MiB, 1_GB}) {
                all.push_back(collective(rates(), cluster, kind, bytes, ranks, per_node));
            }
        }
    }
    all.push_back(point_to_point(rates(), cluster, 58_MB, true));
    all.push_back(point_to_point(rates(), cluster, 58_MB, false));
    return all;
}

TEST(Transfer, DoublingEveryBandwidthAtMostHalvesTheTime) {
    const Cluster slow = cluster_of("h800-sxm");
    Cluster fast = slow;
    fast.node.gpu.memory_bandwidth *= 2.0;
    fast.node.nic *= 2.0;
    fast.node.gpu.nvlink *= 2.0;
    fast.node.gpu.nvlink_achievable *= 2.0;
    const auto before = shapes(slow);
    const auto after = shapes(fast);
    for (std::size_t i = 0; i < before.size(); ++i) {
        const double ratio = uncontended_time(after[i]) / uncontended_time(before[i]);
        EXPECT_GE(ratio, 0.45) << i << ": a collective may also stay in a quicker protocol";
        EXPECT_LT(ratio, 1.0) << i;
    }
}

TEST(Transfer, NoKernelOutrunsItsPort) {
    for (const char* part : {"h800-sxm", "h100-sxm", "a100-sxm", "h20-sxm"}) {
        const Cluster cluster = cluster_of(part);
        for (const TransferShape& shape : shapes(cluster)) {
            for (const PortFlow& flow : shape.flows) {
                const BytesPerSecond port =
                    flow.port == Port::nic ? nic_per_gpu(cluster.node) : cluster.node.gpu.nvlink / 2.0;
                EXPECT_LE(flow.rate_cap, port) << part;
                EXPECT_GT(flow.rate_cap.value(), 0.0) << part;
                EXPECT_GT(flow.bytes.value(), 0.0) << part;
            }
        }
    }
}

TEST(Transfer, AFasterLinkNeverSlowsATransfer) {
    const auto h800 = shapes(cluster_of("h800-sxm"));
    const auto h100 = shapes(cluster_of("h100-sxm"));
    Cluster throttled = cluster_of("h800-sxm");
    throttled.node.nic = 25_GBps;
    const auto half_rail = shapes(throttled);
    for (std::size_t i = 0; i < h800.size(); ++i) {
        EXPECT_LE(uncontended_time(h100[i]), uncontended_time(h800[i])) << i;
        EXPECT_GE(uncontended_time(half_rail[i]), uncontended_time(h800[i])) << i;
    }
}

TEST(Transfer, MoreBytesNeverTakeLessTime) {
    const Cluster h800 = cluster_of("h800-sxm");
    Seconds before;
    for (std::int64_t tokens = 0; tokens <= 8192; tokens += 512) {
        const Seconds now = uncontended_time(
            moe_transfer(rates(), h800, v3_routing(64), MoeDirection::dispatch, tokens, kFp8Token, false));
        EXPECT_GT(now, before);
        before = now;
    }
}

TEST(TransferRates, FaultsOfTheFileAreListedWithTheirPlaces) {
    const auto shipped = data_path("measurements") / "published" / "transfers.toml";
    std::ifstream file(shipped);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto replace = [&](std::string_view from, std::string_view to) {
        ASSERT_NE(text.find(from), std::string::npos) << from;
        text.replace(text.find(from), from.size(), to);
    };
    replace("nic = \"400 Gb/s\"", "nic = \"400 Gb\"");
    replace("limited_by = \"nic\"", "limited_by = \"luck\"");
    const auto broken = std::filesystem::temp_directory_path() / "transfers_test_broken.toml";
    std::ofstream(broken) << text;
    try {
        (void)load_transfer_rates(broken);
        ADD_FAILURE() << "accepted a broken file";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(),
                    testing::HasSubstr("deepep.nic: \"400 Gb\" is a size; expected a bandwidth"));
        EXPECT_THAT(error.what(), testing::HasSubstr("no port is called \"luck\""));
    }
    std::filesystem::remove(broken);
    EXPECT_THROW((void)load_transfer_rates("/no/such/file.toml"), std::runtime_error);
}

TEST(TransferRates, AllToAllStaysAsFarBehindUnlessAFileSaysOtherwise) {
    const auto path = std::filesystem::temp_directory_path() / "transfers_test_nic.toml";
    const auto section = [](std::string_view name, int reached) {
        return fmt::format("[{}]\nsource = \"a test\"\ndate = \"2026-11-30\"\nline_rate = \"400 Gb/s\"\n"
                           "reached = \"{} GB/s\"\n",
                           name, reached);
    };
    std::ofstream(path) << section("nic", 20);
    const TransferRates slower = load_transfer_rates(path);
    EXPECT_DOUBLE_EQ(slower.nic, 0.4);
    EXPECT_NEAR(slower.nic_all_to_all / slower.nic, rates().nic_all_to_all / rates().nic, 1e-12);
    EXPECT_LT(slower.nic_all_to_all, slower.nic);
    std::ofstream(path) << section("nic", 20) << section("nic_all_to_all", 15);
    EXPECT_DOUBLE_EQ(load_transfer_rates(path).nic_all_to_all, 0.3);
    std::ofstream(path) << section("nic_all_to_all", 51);
    EXPECT_THROW((void)load_transfer_rates(path), std::runtime_error) << "more than the line carries";
    std::filesystem::remove(path);
}

TEST(TransferRates, AreSharesOfPorts) {
    for (const MoeRates& moe : {rates().dispatch, rates().combine}) {
        EXPECT_GT(moe.beside_compute, 1.0);
        EXPECT_LT(moe.beside_compute, 2.0);
        EXPECT_TRUE(std::ranges::is_sorted(moe.nic, {}, &MoeRates::NicShare::nodes));
        EXPECT_LT(moe.nvlink_forwarding, moe.nvlink_within_node)
            << "forwarding waits for the NIC now and then";
    }
}

} // namespace
} // namespace chokepoint::hw
