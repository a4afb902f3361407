// SPDX-License-Identifier: Apache-2.0
// All published runs against docs/validation.md: its table is rewritten by UPDATE_GOLDEN=1, and fails when a
// figure gets clearly worse than recorded.
#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/sim/validation_report.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>

namespace chokepoint::sim {
namespace {

const std::string kPage = CHOKEPOINT_SOURCE_DIR "/docs/validation.md";
constexpr std::string_view kBegin = "<!-- scores: UPDATE_GOLDEN=1 rewrites what follows -->\n";
constexpr std::string_view kEnd = "<!-- end of scores -->";

std::string read_page() {
    std::ifstream in(kPage, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string line_of(const FamilyScore& score) {
    const auto share = [](const std::optional<double>& value, int digits) {
        return value ? fmt::format("{:.{}f}%", 100.0 * *value, digits) : std::string();
    };
    return fmt::format("| {} | {} | {} | {} | {:.1f}% | {:.1f}% | {:+.1f}% | {} | {} | {} | {} |\n",
                       score.family, score.member, score.rows, score.layouts, 100.0 * score.median,
                       100.0 * score.p90, 100.0 * score.bias, share(score.covered, 0),
                       score.rank ? fmt::format("{:.2f}", *score.rank) : "", share(score.in_order, 0),
                       share(score.regret, 1));
}

std::string table_of(const ValidationReport& report) {
    std::string table = "| family | | runs | layouts | median | p90 | bias | in p5-p95 | ranks | "
                        "in order | regret |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
    for (const FamilyScore& score : report.scores) {
        if (score.family != "release") {
            table += line_of(score);
        }
    }
    for (const FamilyScore& score : report.memory) {
        table += line_of(score);
    }
    if (!report.memory.empty()) {
        table += fmt::format("\nThe mean error of memory is {:.1f}%.\n", 100.0 * report.memory.front().mean);
    }
    table += "\nNot predicted, with the reason that `chokepoint validate` prints:\n\n| runs | reason "
             "|\n|---|---|\n";
    for (const ReasonCount& reason : report.reasons) {
        table += fmt::format("| {} | {} |\n", reason.rows, reason.reason);
    }
    return table;
}

/// The families that the page records, with their rows, median, p90 and bias.
std::vector<FamilyScore> recorded(const std::string& page) {
    std::vector<FamilyScore> scores;
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream cells(line);
        std::vector<std::string> fields;
        for (std::string cell; std::getline(cells, cell, '|');) {
            const std::size_t from = cell.find_first_not_of(' ');
            fields.push_back(
                from == std::string::npos ? "" : cell.substr(from, cell.find_last_not_of(' ') + 1 - from));
        }
        constexpr std::size_t kFields = 10; // one in front of the first bar
        if (fields.size() == kFields && fields[5].ends_with('%')) {
            FamilyScore score;
            score.family = fields[1];
            score.member = fields[2];
            score.rows = std::stoi(fields[3]);
            score.median = std::stod(fields[5]) / 100.0;
            score.p90 = std::stod(fields[6]) / 100.0;
            scores.push_back(score);
        }
    }
    return scores;
}

ValidationReport validate() {
    std::vector<PublishedRun> runs = load_published_runs(published_runs_file());
    std::ranges::move(load_published_runs(published_memory_file()), std::back_inserter(runs));
    std::vector<Prediction> predictions = predict_all(runs);
    return validation_report(std::move(runs), std::move(predictions));
}

/// The default of plan.framework_overhead is the one that `chokepoint validate --overhead` finds: of each
/// architecture's software the median takes as long as predicted.
void expect_overheads_of_the_runs(const ValidationReport& report) {
    const hw::Catalog catalog = hw::Catalog::load();
    std::map<std::string, std::map<std::string, std::vector<Weighted>>> ratios;
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
        const PublishedRun& run = report.runs[i];
        const Prediction& prediction = report.predictions[i];
        if (run.score == Score::time && prediction.error()) {
            const std::string& architecture = catalog.find_gpu(run.key("cluster.gpu"))->architecture;
            ratios[architecture][run.stack].push_back({*prediction.measured / *prediction.predicted});
        }
    }
    for (const auto& [architecture, stacks] : ratios) {
        std::vector<Weighted> medians;
        for (const auto& [stack, of_stack] : stacks) {
            medians.push_back({quantile(of_stack, 0.5)});
        }
        constexpr double kSlack = 0.015; // the default has two digits
        EXPECT_NEAR(quantile(std::move(medians), 0.5), 1.0, kSlack) << architecture;
    }
}

TEST(PublishedRuns, ArePredictedNoWorseThanRecorded) {
    const ValidationReport report = validate();
    std::string page = read_page();
    const std::size_t begin = page.find(kBegin), end = page.find(kEnd);
    ASSERT_NE(begin, std::string::npos);
    ASSERT_NE(end, std::string::npos);
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        page.replace(begin + kBegin.size(), end - begin - kBegin.size(), table_of(report));
        std::ofstream(kPage, std::ios::binary) << page;
        return;
    }
    expect_overheads_of_the_runs(report);
    // Wide enough for a change elsewhere in the model, narrow enough that an error of a tenth shows.
    constexpr double kMedianSlack = 0.02, kP90Slack = 0.06;
    std::map<std::string, FamilyScore> now;
    for (const FamilyScore& score : report.memory) {
        now[score.family + score.member] = score;
        std::cout << line_of(score);
    }
    for (const FamilyScore& score : report.scores) {
        now[score.family + score.member] = score;
        std::cout << line_of(score);
    }
    for (const FamilyScore& then : recorded(page)) {
        SCOPED_TRACE(then.family + " " + then.member);
        const FamilyScore score = now[then.family + then.member];
        EXPECT_GE(score.rows, then.rows) << "runs that were predicted are not any more";
        constexpr int kEnoughToJudge = 10;
        if (then.rows >= kEnoughToJudge) {
            EXPECT_LE(score.median, then.median + kMedianSlack);
            EXPECT_LE(score.p90, then.p90 + kP90Slack);
        }
    }
}

TEST(PublishedRuns, WithoutAPredictionEachHaveAReason) {
    for (const auto& [run, prediction] : [] {
             const std::vector<PublishedRun> runs = load_published_runs(published_runs_file());
             std::vector<PublishedRun> held;
             std::ranges::copy_if(runs, std::back_inserter(held),
                                  [](const PublishedRun& run) { return run.score == Score::hold; });
             std::vector<std::pair<PublishedRun, Prediction>> pairs;
             for (const PublishedRun& run : held) {
                 pairs.emplace_back(run, predict(run));
             }
             return pairs;
         }()) {
        EXPECT_FALSE(prediction.predicted) << run.id;
        EXPECT_FALSE(prediction.reason.empty()) << run.id;
    }
}

/// What one change of a run makes of its step, which no overhead that both share moves: torchtitan's Llama 3
/// 8B on 8 H100s (benchmarks/llama3_h100_202412_torchtitan.md) eager, compiled, and compiled in FP8;
/// recomputation on 64 A100s (docs/performance.md of 2024).
TEST(PublishedRuns, OfOneSoftwareDifferAsMeasured) {
    const std::vector<PublishedRun> runs = load_published_runs(published_runs_file());
    const auto ratio = [&](std::string_view a, std::string_view b) {
        const auto prediction = [&](std::string_view id) {
            const auto run = std::ranges::find(runs, id, &PublishedRun::id);
            return run == runs.end() ? Prediction{} : predict(*run);
        };
        const Prediction first = prediction(a), second = prediction(b);
        if (!first.predicted || !second.predicted) {
            ADD_FAILURE() << a << " or " << b << " is not predicted";
            return 1.0;
        }
        const double predicted = *first.predicted / *second.predicted;
        const double measured = *first.measured / *second.measured;
        fmt::print("{} over {}: {:.3f}, measured {:.3f}\n", a, b, predicted, measured);
        return predicted / measured;
    };
    EXPECT_NEAR(ratio("torchtitan-8b-8-eager", "torchtitan-8b-8-compile"), 1.0, 0.03);
    EXPECT_NEAR(ratio("torchtitan-8b-8-compile", "torchtitan-8b-8-fp8"), 1.0, 0.04);
    EXPECT_NEAR(ratio("torchtitan-l2-13b-a100-64-sel-op", "torchtitan-l2-13b-a100-64-none"), 1.0, 0.03);
    EXPECT_NEAR(ratio("torchtitan-l2-70b-a100-64-full", "torchtitan-70b-a100-64-full"), 1.0, 0.03);
}

} // namespace
} // namespace chokepoint::sim
