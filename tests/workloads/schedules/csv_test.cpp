// SPDX-License-Identifier: Apache-2.0
// PyTorch's pipelining CSV: what we write we read, what PyTorch writes we read, and what is wrong is named.
#include <chokepoint/workloads/schedule_csv.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace chokepoint::work {

using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::vector<std::string> faults_of(std::string_view text) {
    std::vector<std::string> list;
    try {
        parse_schedule_csv(text, "own.csv");
    } catch (const ScheduleCsvError& error) {
        for (const CsvFault& fault : error.faults()) {
            list.push_back(std::to_string(fault.line) + ":" + std::to_string(fault.column) + ": " +
                           fault.message);
        }
    }
    return list;
}

std::vector<Action> order(std::string_view text, std::size_t rank) {
    return parse_schedule_csv(text, "own.csv").order.at(rank);
}

constexpr std::string_view kTwoRanks = "0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1\n";

} // namespace

TEST(ScheduleCsv, ReadsBackEveryScheduleThatItWrites) {
    for (const ScheduleKind& kind : schedule_kinds()) {
        for (int ranks = 1; ranks <= 6; ++ranks) {
            for (int stages = 1; stages <= 3; ++stages) {
                const ScheduleSize size{ranks, 12, stages};
                if (!kind.fault(size).empty()) {
                    continue;
                }
                Schedule schedule = kind.make(size);
                schedule.note.clear();
                EXPECT_EQ(parse_schedule_csv(to_csv(schedule), schedule.id), schedule) << kind.id << ranks;
            }
        }
    }
}

TEST(ScheduleCsv, WritesALinePerRank) {
    EXPECT_EQ(to_csv(find_schedule("1f1b")->make({2, 2})), "0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1\n");
    EXPECT_THAT(to_csv(find_schedule("dualpipev")->make({2, 4})), HasSubstr(",(0F3;3B1)OVERLAP_F_B,"));
    EXPECT_THAT(to_csv(find_schedule("zb-h1")->make({1, 1})), HasSubstr("0F0,0I0,0W0"));
}

// csv.writer ends lines with \r\n and writes None as an empty cell.
TEST(ScheduleCsv, SkipsBubblesAndSpacesAndReadsAnyLineEnd) {
    const Schedule plain = parse_schedule_csv(kTwoRanks, "own.csv");
    EXPECT_EQ(parse_schedule_csv("0F0,0F1,,0B0,,0B1\r\n,1F0,1B0, 1F1 ,\"1B1\"\r\n\r\n", "own.csv"), plain);
    EXPECT_EQ(parse_schedule_csv("\xEF\xBB\xBF"
                                 "0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1",
                                 "own.csv"),
              plain);
}

TEST(ScheduleCsv, LeavesCommunicationOut) {
    EXPECT_EQ(parse_schedule_csv("0UNSHARD,0F0,0SEND_F0,0F1,0SEND_F1,0WAIT_SEND_F0,0RECV_B0,0B0,0RECV_B1,0B1,"
                                 "0REDUCE_GRAD,0WAIT_REDUCE_GRAD\n"
                                 "1UNSHARD,1RECV_F0,1F0,1B0,1SEND_B0,1RECV_F1,1F1,1B1,1SEND_B1,1RESHARD\n",
                                 "own.csv"),
              parse_schedule_csv(kTwoRanks, "own.csv"));
}

TEST(ScheduleCsv, ReadsOlderLetters) {
    const std::vector<Action> now = order("0F0,0I0,0W0,0F1,0B1\n", 0);
    EXPECT_EQ(order("0F0,0B0,0W0,0F1,0BW1\n", 0), now);
    EXPECT_EQ(order("0F0,0B0,0W0\n", 0), order("0F0,0I0,0W0\n", 0));
    EXPECT_EQ(order("0F0,0BW0\n", 0), order("0F0,0B0\n", 0));
}

TEST(ScheduleCsv, ReadsAPairInEitherOrder) {
    EXPECT_EQ(order("0F0,(0F1;0B0)OVERLAP_F_B,0B1\n", 0), order("0F0,(0B0 ; 0F1)OVERLAP_F_B,0B1\n", 0));
}

TEST(ScheduleCsv, InfersWhereStagesLive) {
    const Schedule v = parse_schedule_csv(to_csv(find_schedule("zb-v")->make({2, 4})), "own.csv");
    EXPECT_EQ(v.stages, 4);
    EXPECT_EQ(v.host(Stage{3}, 0), Rank{0});
    EXPECT_EQ(v.replicas_per_stage, 1);
    const Schedule both = parse_schedule_csv(to_csv(find_schedule("dualpipe")->make({4, 8})), "own.csv");
    EXPECT_EQ(both.replicas_per_stage, 2);
    EXPECT_EQ(both.host(Stage{0}, 7), Rank{3});
}

TEST(ScheduleCsv, NamesLineColumnAndActionOfWhatItCannotRead) {
    EXPECT_THAT(faults_of("0F0,0X0,0B0\n1F0, F0,1F,1F1a\n(0F0,(0F0;1I0)OVERLAP_F_B,(0F0;1B0)X,-1F0"),
                ElementsAre(HasSubstr("1:5: unknown action '0X0'; expected a stage, F, B, I or W"),
                            HasSubstr("2:6: unknown action 'F0'"), "2:9: action '1F' names no micro-batch",
                            HasSubstr("2:12: unknown action '1F1a'"), HasSubstr("3:1: unknown action '(0F0'"),
                            "3:6: overlapped pair '(0F0;1I0)OVERLAP_F_B'; expected one F and one B",
                            HasSubstr("3:27: unknown action '(0F0;1B0)X'"),
                            HasSubstr("3:38: unknown action '-1F0'")));
}

TEST(ScheduleCsv, FindsAMissingMicroBatch) {
    EXPECT_THAT(
        faults_of("0F0,0F1,0B0,0B1\n1F0,1B0,1F1\n"),
        ElementsAre("2:0: input gradient of stage 1 for micro-batch 1 is missing; expected on rank 1",
                    "2:0: weight gradient of stage 1 for micro-batch 1 is missing; expected on rank 1"));
}

TEST(ScheduleCsv, FindsADoubledMicroBatch) {
    EXPECT_THAT(
        faults_of("0F0,0F1,0F0,0B0,0B1\n1F0,1B0,1F1,1B1\n"),
        ElementsAre("1:9: rank 0, action 2 (stage 0 F0): forward of stage 0 for micro-batch 0 ran before, "
                    "on rank 0, action 0"));
}

TEST(ScheduleCsv, FindsAMicroBatchOnTwoRanks) {
    EXPECT_THAT(faults_of("0F0,0F1,0B0\n1F0,1B0,1F1,1B1,0B1\n"),
                ElementsAre("2:17: rank 1 (stage 0 B1): stage 0 of micro-batch 1 is on rank 0 already"));
}

TEST(ScheduleCsv, FindsAStageOnTwoRanksWhereOthersLiveOnOne) {
    EXPECT_THAT(
        faults_of("0F0,0B0\n1F0,1B0,1F1,1B1,0F1,0B1\n"),
        ElementsAre(HasSubstr("2:0: stage 1 lives on ranks 1, stage 0 on ranks 0 and 1; expected each stage "
                              "on one rank")));
}

TEST(ScheduleCsv, FindsAStageOrARankWithoutActions) {
    EXPECT_THAT(faults_of("0F0,0B0\n\n2F0,2B0\n"),
                ElementsAre(HasSubstr("0:0: stage 1 has no actions"), "2:0: rank 1 has no actions"));
    EXPECT_THAT(faults_of(""), ElementsAre("0:0: is empty; expected a line per rank"));
    EXPECT_THAT(faults_of("0SEND_F0"), ElementsAre("0:0: orders nothing: no line has an action"));
}

TEST(ScheduleCsv, NamesRankActionAndMicroBatchOfADeadlock) {
    EXPECT_THAT(
        faults_of("0F0,0B0,0F1,0B1\n1F0,1F1,1B0,1B1\n"),
        ElementsAre("1:5: deadlock: rank 0 waits forever at action 1 (stage 0 B0) for the input gradient of "
                    "stage 1 for micro-batch 0 on rank 1",
                    "2:5: deadlock: rank 1 waits forever at action 1 (stage 1 F1) for the forward of stage "
                    "0 for micro-batch 1 on rank 0"));
}

TEST(ScheduleCsv, RefusesSizesThatNoMachineCouldCheck) {
    EXPECT_THAT(faults_of("999999F999999"), ElementsAre(HasSubstr("expected at most 1000000 in all")));
    EXPECT_THAT(faults_of("1000000F0"), ElementsAre(HasSubstr("unknown action '1000000F0'")));
    EXPECT_THAT(faults_of("99999999999999999999F0"), ElementsAre(HasSubstr("unknown action")));
}

TEST(ScheduleCsv, CountsFaultsBeyondTheFirstFifty) {
    std::string text;
    for (int i = 0; i < 80; ++i) {
        text += "x,";
    }
    const auto faults = faults_of(text);
    ASSERT_EQ(faults.size(), 51U);
    EXPECT_EQ(faults.back(), "0:0: 30 more faults");
}

// Either a sound schedule or a list of faults, whatever the text.
RC_GTEST_PROP(ScheduleCsv, NeitherCrashesNorAcceptsAnUnsoundOrder, ()) {
    const auto text = *rc::gen::container<std::string>(
        rc::gen::elementOf(std::string("0123456789FBIWOVERLAP_SENDC(;),\n\r\" -\x01\xFF")));
    try {
        RC_ASSERT(check(parse_schedule_csv(text, "own.csv")).empty());
    } catch (const ScheduleCsvError& error) {
        RC_ASSERT(!error.faults().empty());
    }
}

RC_GTEST_PROP(ScheduleCsv, ADamagedScheduleIsRefusedOrSound, ()) {
    const auto& kinds = schedule_kinds();
    const auto& kind = kinds[*rc::gen::inRange<std::size_t>(0, kinds.size())];
    const ScheduleSize size{4, 8, kind.fault({4, 8}).empty() ? 1 : 2};
    std::string text = to_csv(kind.make(size));
    for (int slips = *rc::gen::inRange(1, 4); slips > 0; --slips) {
        text[*rc::gen::inRange<std::size_t>(0, text.size())] =
            *rc::gen::elementOf(std::string("0123456789FBIW(;),\n"));
    }
    try {
        RC_ASSERT(check(parse_schedule_csv(text, "own.csv")).empty());
    } catch (const ScheduleCsvError& error) {
        RC_ASSERT(!error.faults().empty());
    }
}

} // namespace chokepoint::work
