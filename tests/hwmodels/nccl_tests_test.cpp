// SPDX-License-Identifier: Apache-2.0
// nccl-tests' text as people have it: several programs, several releases, and things that are wrong with it.
#include <chokepoint/hwmodels/nccl_tests.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chokepoint::hw {
namespace {

std::string devices(int ranks, int per_host) {
    std::string text =
        "# nThread 1 nGpus 8 minBytes 1048576 maxBytes 2097152 step: 2(factor) warmup iters: 5\n"
        "#\n# Using devices\n";
    for (int rank = 0; rank < ranks; ++rank) {
        text += fmt::format(
            "#  Rank {:2} Group  0 Pid {:6} on      node{} device {:2} [0x1b] NVIDIA H100 80GB HBM3\n", rank,
            4711 + rank, rank / per_host, rank % per_host);
    }
    return text;
}

constexpr std::string_view kColumns = "#                                                              "
                                      "out-of-place                       in-place\n"
                                      "#       size         count      type   redop    root     time   algbw "
                                      "  busbw #wrong     time   algbw   busbw "
                                      "#wrong\n"
                                      "#        (B)    (elements)                               (us)  (GB/s) "
                                      " (GB/s)            (us)  (GB/s)  (GB/s)\n";

const std::string kAllReduceRows = "     1048576        262144     float     sum      -1    25.37   41.33   "
                                   "72.33      0    25.10   41.78   73.11      0\n"
                                   "     2097152        524288     float     sum      -1    38.62   54.30   "
                                   "95.03      0    38.20   54.90   96.07      0\n"
                                   "# Out of bounds values : 0 OK\n# Avg bus bandwidth    : 84.1\n";

const std::string kAllGatherRows = "     1048576         32768     float    none      -1    16.90   62.05   "
                                   "54.29      0    17.10   61.32   53.66      0\n";

TEST(NcclTests, ReadsTheOutOfPlaceColumnsAndTheHeader) {
    const auto runs = parse_nccl_tests(devices(8, 8) + std::string(kColumns) + kAllReduceRows, "out.txt");
    ASSERT_EQ(runs.size(), 1u);
    EXPECT_EQ(runs[0].op, Collective::all_reduce) << "sum, and a bus bandwidth of 1.75 times the other";
    EXPECT_EQ(runs[0].ranks, 8);
    EXPECT_EQ(runs[0].nodes, 1);
    EXPECT_EQ(runs[0].device, "NVIDIA H100 80GB HBM3");
    ASSERT_EQ(runs[0].points.size(), 2u);
    EXPECT_EQ(runs[0].points[0].bytes, 1_MiB);
    EXPECT_NEAR(runs[0].points[0].time.value(), 25.37e-6, 1e-12);
}

TEST(NcclTests, CountsHosts) {
    const auto runs = parse_nccl_tests(devices(16, 8) + std::string(kColumns) + kAllReduceRows, "out.txt",
                                       Collective::all_reduce);
    ASSERT_EQ(runs.size(), 1u);
    EXPECT_EQ(runs[0].nodes, 2);
    EXPECT_EQ(runs[0].ranks, 16);
}

TEST(NcclTests, ReadsSeveralProgramsOutputsAndTheirNames) {
    const std::string text = "# nccl-tests version 2.17.1\n# Collective test starting: all_reduce_perf\n" +
                             devices(8, 8) + std::string(kColumns) + kAllReduceRows +
                             "srun: job 17 done\n# Collective test starting: all_gather_perf\n" +
                             devices(8, 8) + std::string(kColumns) + kAllGatherRows;
    const auto runs = parse_nccl_tests(text, "out.txt");
    ASSERT_EQ(runs.size(), 2u);
    EXPECT_EQ(runs[0].op, Collective::all_reduce);
    EXPECT_EQ(runs[1].op, Collective::all_gather) << "the name decides: an all-to-all has the same columns";
    EXPECT_EQ(runs[1].ranks, 8);
}

TEST(NcclTests, AsksForTheOperationWhereTwoWouldFit) {
    const std::string text = devices(8, 8) + std::string(kColumns) + kAllGatherRows;
    try {
        (void)parse_nccl_tests(text, "out.txt");
        ADD_FAILURE() << "an all-gather and an all-to-all look alike";
    } catch (const NcclTestsError& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("all_gather or alltoall would fit"));
        EXPECT_THAT(error.what(), testing::HasSubstr("--op"));
    }
    EXPECT_EQ(parse_nccl_tests(text, "out.txt", Collective::all_to_all).at(0).op, Collective::all_to_all);
}

TEST(NcclTests, ReadsWindowsLineEnds) {
    std::string text = devices(8, 8) + std::string(kColumns) + kAllReduceRows;
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
        text.insert(at, "\r");
    }
    EXPECT_EQ(parse_nccl_tests(text, "out.txt").at(0).points.size(), 2u);
}

TEST(NcclTests, EveryFaultNamesItsLine) {
    const auto message = [](const std::string& text) -> std::string {
        try {
            (void)parse_nccl_tests(text, "out.txt");
        } catch (const NcclTestsError& error) {
            return error.what();
        }
        return "accepted";
    };
    EXPECT_THAT(message(""), testing::HasSubstr("out.txt:1: error: holds no table"));
    EXPECT_THAT(message("1024 256 float sum -1 3 1 1 0\n"),
                testing::HasSubstr("out.txt:1: error: a row before the line of column names"));
    const std::string head = devices(2, 2) + std::string(kColumns); // eight lines
    EXPECT_THAT(message(head), testing::HasSubstr("out.txt:7: error: a table without rows"));
    const std::string both =
        message(head + "1024 256 float sum -1 fast 1 1 0\n2048 512 float sum -1 -3 1 1 0\n");
    EXPECT_THAT(both, testing::HasSubstr("out.txt:9: error: time: 'fast' is no positive number"));
    EXPECT_THAT(both, testing::HasSubstr("out.txt:10: error: time: '-3' is no positive number"));
    EXPECT_THAT(message(std::string(kColumns) + kAllReduceRows),
                testing::HasSubstr("0 '# Rank' lines before the table"));
    EXPECT_THAT(message(devices(2, 2) + "# size count time\n1024 256 3\n"),
                testing::HasSubstr("no column is called 'algbw'"));
}

} // namespace
} // namespace chokepoint::hw
