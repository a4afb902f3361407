// SPDX-License-Identifier: Apache-2.0
// The shipped curves of collectives: where they come from, and that a fit finds what made the timings.
#include "shipped.hpp"

#include <chokepoint/hwmodels/collective.hpp>
#include <chokepoint/hwmodels/transfer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace chokepoint::hw {
namespace {

using test::catalog;

const std::filesystem::path kFitFile =
    std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "hwmodels/fits/collectives.toml";

constexpr std::string_view kHeader = R"(# SPDX-License-Identifier: Apache-2.0
# NCCL inside a node, by architecture: fitted to every second size of measurements/published/nccl_intranode.tsv and
# judged on the others (docs/collectives.md). Written by UPDATE_FITS=1 hwmodels_test --gtest_filter='CollectiveFit.Shipped*'.
# time = start + hops x per_hop x NVLink latency + wire / (share x port) + own part / (own x port) + own part / (memory x
# memory bandwidth), up to `until`: the port time of one rank's part of the vector.
)";

/// UPDATE_FITS=1 writes the file anew after the table or the formulas have changed.
TEST(CollectiveFit, ShippedCurvesFollowFromTheShippedTable) {
    const auto again =
        fit_collectives(read_collective_table(catalog()),
                        [](const CollectiveSeries& series, const CollectiveSeries::Point& point) {
                            return fitted(series, point);
                        });
    if (std::getenv("UPDATE_FITS") != nullptr) {
        std::ofstream(kFitFile) << kHeader << to_toml(again);
        GTEST_SKIP() << "wrote " << kFitFile;
    }
    const auto shipped = load_collective_curves();
    ASSERT_EQ(again.size(), shipped.size());
    for (std::size_t i = 0; i < again.size(); ++i) {
        const CollectiveCurve& now = again[i];
        const CollectiveCurve& then = shipped[i];
        ASSERT_EQ(now.architecture, then.architecture);
        ASSERT_EQ(now.op, then.op);
        ASSERT_EQ(now.algorithm, then.algorithm);
        ASSERT_EQ(now.regimes.size(), then.regimes.size());
        for (std::size_t r = 0; r < now.regimes.size(); ++r) {
            const auto where = ::testing::Message() << now.architecture << ' ' << name(now.op) << ' ' << r;
            EXPECT_EQ(now.regimes[r].protocol, then.regimes[r].protocol) << where;
            EXPECT_EQ(now.regimes[r].until.has_value(), then.regimes[r].until.has_value()) << where;
            EXPECT_NEAR(now.regimes[r].start.value(), then.regimes[r].start.value(), 1e-9) << where;
            EXPECT_NEAR(now.regimes[r].per_hop, then.regimes[r].per_hop, 1e-4) << where;
            EXPECT_NEAR(now.regimes[r].share, then.regimes[r].share, 1e-4) << where;
            EXPECT_NEAR(now.regimes[r].own, then.regimes[r].own, 1e-4) << where;
            EXPECT_NEAR(now.regimes[r].memory, then.regimes[r].memory, 1e-4) << where;
        }
    }
}

TEST(CollectiveFit, EveryArchitectureAndOperationHasACurve) {
    const auto curves = load_collective_curves();
    for (const GpuSpec& gpu : catalog().gpus()) {
        for (const Collective op : all_collectives()) {
            EXPECT_NE(find_curve(curves, gpu.architecture, op, Algorithm::ring), nullptr)
                << gpu.id << ' ' << name(op);
        }
    }
    EXPECT_EQ(find_curve(curves, "ampere", Collective::all_reduce, Algorithm::nvls)->architecture, "hopper")
        << "its switch has no NVLS; only a node that has asks";
}

/// Timings that a curve made, at every size of nccl-tests from 1 KiB to 4 GiB.
CollectiveSeries made_by(const CollectiveCurve& curve, const Node& node, int ranks) {
    CollectiveSeries series{.part = node.gpu.id, .software = "made", .node = node, .points = {}};
    series.op = curve.op;
    series.ranks = ranks;
    for (double bytes = 1024.0; bytes <= 4.0 * 1024.0 * 1024.0 * 1024.0; bytes *= 2.0) {
        const CollectivePoint point = evaluate(curve, curve.op, node, Bytes(bytes), ranks);
        series.points.push_back({Bytes(bytes), point.latency + point.moving});
    }
    return series;
}

Node h100_node() { return catalog().usual_node(*catalog().find_gpu("h100-sxm")).value(); }

bool every_point(const CollectiveSeries&, const CollectiveSeries::Point&) { return true; }

TEST(CollectiveFit, FindsTheCurveThatMadeTheTimings) {
    const CollectiveCurve made{"hopper",
                               Collective::all_gather,
                               Algorithm::ring,
                               {{"ll", 0.2_us, 4_us, 0.3, 0.2, 0.2, 0},
                                {"ll128", 2_us, 6_us, 0.5, 0.5, 0.3, 0},
                                {"simple", 16_us, 15_us, 0.9, 0.6, 2.0, 0},
                                {"simple-streaming", std::nullopt, 45_us, 1.5, 0.75, 0, 0.4}}};
    const std::vector<CollectiveSeries> series{made_by(made, h100_node(), 2), made_by(made, h100_node(), 4),
                                               made_by(made, h100_node(), 8)};
    const auto found = fit_collectives(series, &every_point);
    ASSERT_EQ(found.size(), 1u);
    ASSERT_EQ(found[0].regimes.size(), made.regimes.size());
    for (std::size_t r = 0; r < made.regimes.size(); ++r) {
        const CollectiveRegime& wanted = made.regimes[r];
        const CollectiveRegime& got = found[0].regimes[r];
        EXPECT_EQ(got.protocol, wanted.protocol);
        EXPECT_NEAR(got.start / wanted.start, 1.0, 0.01) << r;
        EXPECT_NEAR(got.per_hop / wanted.per_hop, 1.0, 0.01) << r;
        EXPECT_NEAR(got.share / wanted.share, 1.0, 0.01) << r;
        EXPECT_NEAR(got.own, wanted.own, 0.01 * wanted.own) << r;
        EXPECT_NEAR(got.memory, wanted.memory, 0.01 * wanted.memory) << r;
        if (wanted.until) { // between two of the sizes: within their distance
            EXPECT_NEAR(std::log2(*got.until / *wanted.until), 0.0, 1.0) << r;
        }
    }
}

TEST(CollectiveFit, OneNumberOfGpusLeavesTheRestToThePrior) {
    const auto shipped = load_collective_curves();
    CollectiveCurve faster = *find_curve(shipped, "hopper", Collective::all_gather, Algorithm::ring);
    for (CollectiveRegime& regime : faster.regimes) {
        regime.share *= 0.5; // a link that reaches half as much
    }
    const std::vector<CollectiveSeries> series{made_by(faster, h100_node(), 8)};
    const auto found = fit_collectives(series, &every_point, shipped);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].architecture, "any");
    for (const auto& point : series[0].points) {
        const CollectivePoint again = evaluate(found[0], Collective::all_gather, h100_node(), point.bytes, 8);
        EXPECT_NEAR((again.latency + again.moving) / point.time, 1.0, 0.05) << point.bytes.value();
    }
    EXPECT_NEAR(found[0].regimes.back().share / faster.regimes.back().share, 1.0, 0.1);
}

TEST(CollectiveFit, AFewSmallSizesAreNotTakenForTheSwitchs) {
    const auto shipped = load_collective_curves();
    const CollectiveCurve& ring = *find_curve(shipped, "hopper", Collective::all_reduce, Algorithm::ring);
    CollectiveSeries few = made_by(ring, h100_node(), 8);
    std::erase_if(few.points, [](const CollectiveSeries::Point& point) {
        return point.bytes < 1_MiB || point.bytes > 16_MiB;
    });
    const auto found = fit_collectives(std::vector{few}, &every_point, shipped);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].algorithm, Algorithm::ring);
}

TEST(CollectiveFit, SeriesBetweenNodesShowTheNicsShares) {
    TransferRates made = load_transfer_rates();
    made.nic = 0.7;
    made.nic_all_to_all = 0.5;
    const Cluster cluster{h100_node(), catalog().find_fabric("fat-tree")->fabric, 4};
    std::vector<CollectiveSeries> all;
    for (const Collective op : {Collective::all_gather, Collective::all_reduce, Collective::all_to_all}) {
        CollectiveSeries series{.part = "h100-sxm", .software = "made", .node = cluster.node, .points = {}};
        series.op = op;
        series.ranks = 32;
        series.nodes = 4;
        for (Bytes bytes = 16_MiB; bytes <= 4096_MiB; bytes = bytes * 2.0) {
            series.points.push_back({bytes, uncontended_time(collective(made, cluster, op, bytes, 32, 8))});
        }
        all.push_back(std::move(series));
    }
    const NicShares both = fit_nic_shares(all, made.collectives);
    EXPECT_NEAR(both.others.value(), 0.7, 0.01);
    EXPECT_NEAR(both.all_to_all.value(), 0.5, 0.01);
    const NicShares one = fit_nic_shares(std::span(all).last(1), made.collectives);
    EXPECT_EQ(one.others, std::nullopt);
    EXPECT_NEAR(one.all_to_all.value(), 0.5, 0.01);
}

TEST(CollectiveTable, FaultsAreListedWithTheirLines) {
    const auto broken = std::filesystem::temp_directory_path() / "collective_table_broken.tsv";
    std::ofstream(broken) << "# a comment\npart\tsoftware\top\tgpus\t1024\t2048\n"
                             "h900\tNCCL\tall_reduce\t8\t10\t20\n"
                             "h100-sxm\tNCCL\tall_rescue\t8\t10\t-3\n"
                             "h100-sxm\tNCCL\tall_reduce\t8\t10\n";
    try {
        (void)read_collective_table(broken, catalog());
        ADD_FAILURE() << "accepted a broken table";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("broken.tsv:3: error: no part is called 'h900'"));
        EXPECT_THAT(error.what(), testing::HasSubstr("broken.tsv:4: error: no collective is called"));
        EXPECT_THAT(error.what(),
                    testing::HasSubstr("broken.tsv:4: error: time: '-3' is no positive number"));
        EXPECT_THAT(error.what(), testing::HasSubstr("broken.tsv:5: error: 5 columns; expected 6"));
    }
    std::filesystem::remove(broken);
}

} // namespace
} // namespace chokepoint::hw
