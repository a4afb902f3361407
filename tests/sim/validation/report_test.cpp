// SPDX-License-Identifier: Apache-2.0
// Scores of made-up predictions: families, weights by layout, ranks within a model and cluster, reasons.
#include <chokepoint/sim/validation_report.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>

namespace chokepoint::sim {
namespace {

using testing::HasSubstr;

struct Row {
    std::string id, gpu, tensor, stack;
    double measured, predicted;
};

ValidationReport report_of(const std::vector<Row>& rows) {
    std::vector<PublishedRun> runs;
    std::vector<Prediction> predictions;
    for (const Row& row : rows) {
        PublishedRun run;
        run.id = row.id;
        run.source = "made up, \"quoted\"";
        run.stack = row.stack;
        run.bound = "fair";
        run.seconds = hw::Seconds(row.measured);
        run.keys = {{"cluster.gpu", row.gpu},
                    {"plan.tensor", row.tensor},
                    {"plan.global_batch", "8"},
                    {"plan.sequence", "1024"},
                    {"plan.precision", "bf16"}};
        Prediction prediction;
        prediction.measured = run.seconds;
        prediction.gpus = 8;
        prediction.tokens = 8.0 * 1024.0;
        if (row.predicted > 0.0) {
            prediction.predicted = hw::Seconds(row.predicted);
            prediction.interval = {0.85 * row.predicted, 1.18 * row.predicted};
        } else {
            prediction.reason = "unknown key";
        }
        runs.push_back(run);
        predictions.push_back(prediction);
    }
    return validation_report(runs, predictions);
}

const FamilyScore& score(const ValidationReport& report, std::string_view family, std::string_view member) {
    for (const FamilyScore& each : report.scores) {
        if (each.family == family && each.member == member) {
            return each;
        }
    }
    throw std::out_of_range(std::string(family) + " " + std::string(member));
}

TEST(ValidationReport, ScoresEachFamilyAlone) {
    const auto report = report_of({{"a", "h100", "1", "X 1.0", 1.0, 1.1},
                                   {"b", "h100", "2", "X 1.1", 1.0, 0.7},
                                   {"c", "a100", "1", "Y", 2.0, 2.0}});
    EXPECT_EQ(score(report, "published", "step time").rows, 3);
    EXPECT_NEAR(score(report, "gpu", "h100").median, 0.2, 1e-12);
    EXPECT_NEAR(score(report, "gpu", "h100").bias, -0.1, 1e-12);
    EXPECT_NEAR(score(report, "gpu", "h100").mean, 0.2, 1e-12);
    EXPECT_NEAR(score(report, "gpu", "a100").p90, 0.0, 1e-12);
    EXPECT_EQ(score(report, "software", "X").rows, 2);
    EXPECT_EQ(score(report, "release", "X 1.1").rows, 1);
    EXPECT_EQ(score(report, "scale", "1 to 8 GPUs").rows, 3);
}

TEST(ValidationReport, WeighsRunsOfOneLayoutAsOne) {
    const auto report = report_of({{"a1", "h100", "1", "X", 1.0, 2.0},
                                   {"a2", "h100", "1", "X", 1.0, 2.0},
                                   {"a3", "h100", "1", "X", 1.0, 2.0},
                                   {"b", "h100", "2", "X", 1.0, 1.0}});
    const FamilyScore& all = score(report, "published", "step time");
    EXPECT_EQ(all.rows, 4);
    EXPECT_EQ(all.layouts, 2);
    EXPECT_NEAR(all.bias, 0.5, 1e-12);
    EXPECT_NEAR(all.median, 0.5, 1e-12);
}

TEST(ValidationReport, CountsRunsMeasuredInsideTheirInterval) {
    const auto covered = [](double measured) {
        // One standard deviation of 10% puts the 95th percentile 18% above.
        return *score(report_of({{"a", "h100", "1", "X", measured, 1.0}}), "gpu", "h100").covered;
    };
    EXPECT_DOUBLE_EQ(covered(1.17), 1.0);
    EXPECT_DOUBLE_EQ(covered(1.19), 0.0);
    EXPECT_DOUBLE_EQ(covered(0.86), 1.0);
    EXPECT_DOUBLE_EQ(covered(0.84), 0.0);
}

TEST(ValidationReport, RanksConfigurationsOfOneModelOnOneCluster) {
    const auto report = report_of({{"a", "h100", "1", "X", 1.0, 5.0},
                                   {"b", "h100", "2", "X", 2.0, 6.0},
                                   {"c", "h100", "4", "X", 3.0, 7.0},
                                   {"d", "a100", "1", "X", 1.0, 9.0}, // another cluster
                                   {"e", "a100", "2", "X", 2.0, 1.0}});
    const FamilyScore& all = score(report, "published", "step time");
    ASSERT_TRUE(all.rank);
    EXPECT_DOUBLE_EQ(*all.rank, 1.0); // the second cluster has too few to rank
    EXPECT_EQ(all.rank_groups, 1);
}

TEST(ValidationReport, SaysWhatFollowingThePredictionCosts) {
    // Seconds of equal steps. a and b are a twentieth apart and do not count as a pair; a and c are in the
    // wrong order, b and c in the right one. b is predicted best, and a is 1.05 times as fast.
    const auto report = report_of({{"a", "h100", "1", "X", 1.0, 1.0},
                                   {"b", "h100", "2", "X", 1.05, 0.8},
                                   {"c", "h100", "4", "X", 1.2, 0.9}});
    const FamilyScore& all = score(report, "published", "step time");
    EXPECT_DOUBLE_EQ(all.in_order.value(), 0.5);
    EXPECT_NEAR(all.regret.value(), 0.05, 1e-12);
}

TEST(ValidationReport, CallsTheRightChoiceFree) {
    const auto report = report_of({{"a", "h100", "1", "X", 1.0, 3.0},
                                   {"b", "h100", "2", "X", 2.0, 4.0},
                                   {"c", "h100", "4", "X", 3.0, 4.0}}); // a tie is half right
    const FamilyScore& all = score(report, "published", "step time");
    EXPECT_DOUBLE_EQ(all.regret.value(), 0.0);
    EXPECT_NEAR(all.in_order.value(), 2.5 / 3.0, 1e-12);
}

TEST(ValidationReport, CountsReasonsAndDropsNothing) {
    const auto report = report_of({{"a", "h100", "1", "X", 1.0, 1.0},
                                   {"b", "h100", "2", "X", 1.0, -1},
                                   {"c", "h100", "4", "X", 1.0, -1}});
    ASSERT_EQ(report.reasons.size(), 1U);
    EXPECT_EQ(report.reasons.front().reason, "unknown key");
    EXPECT_EQ(report.reasons.front().rows, 2);
    const std::string text = to_text(report, false);
    for (const char* id : {"a ", "b ", "c "}) {
        EXPECT_THAT(text, HasSubstr(std::string("\n") + id));
    }
    EXPECT_THAT(text, HasSubstr("3 runs, 1 predicted"));
    EXPECT_THAT(to_text(report, true), testing::Not(HasSubstr("not predicted: unknown key")));
}

TEST(ValidationReport, WritesEveryRowAsCsvAndJson) {
    const auto report = report_of({{"a", "h100", "1", "X", 1.0, 1.5}, {"b", "h100", "2", "X", 1.0, -1}});
    const std::string csv = to_csv(report);
    EXPECT_EQ(std::ranges::count(csv, '\n'), 3);
    EXPECT_THAT(csv, HasSubstr("0.500000"));
    EXPECT_THAT(csv, HasSubstr("\"made up, \"\"quoted\"\"\""));
    const auto json = nlohmann::json::parse(to_json(report, "0000000000000000"));
    EXPECT_EQ(json.at("rows").size(), 2U);
    EXPECT_DOUBLE_EQ(json.at("rows")[0].at("error").get<double>(), 0.5);
    EXPECT_TRUE(json.at("rows")[1].at("error").is_null());
    EXPECT_EQ(json.at("not_predicted")[0].at("rows"), 1);
}

TEST(ValidationReport, TellsOfEachRunWhichFamiliesItIsScoredIn) {
    const auto report = report_of({{"a", "h100", "1", "X 1.0", 1.0, 1.1},
                                   {"b", "h100", "2", "X 1.1", 1.0, 0.7},
                                   {"c", "h100", "1", "Y", 1.0, 1.3}});
    const auto families = families_of(report);
    ASSERT_EQ(families.size(), 3U);
    EXPECT_EQ(families[0].layout, families[2].layout) << "the same scenario";
    EXPECT_NE(families[0].layout, families[1].layout);
    std::map<std::string, int> rows;
    for (const RunFamilies& run : families) {
        for (const std::string& member :
             {"kind " + run.kind, "scale " + run.scale, "software " + run.software}) {
            ++rows[member];
        }
    }
    for (const auto& [member, count] : rows) {
        const std::size_t space = member.find(' ');
        EXPECT_EQ(score(report, member.substr(0, space), member.substr(space + 1)).rows, count) << member;
    }
}

} // namespace
} // namespace chokepoint::sim
