// SPDX-License-Identifier: GPL-3.0-or-later
// Which published runs a filter shows, and that table, chart and figures are about the same ones.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/contract.hpp>
#include <app/run_filter_bar.hpp>
#include <app/validated_runs.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QComboBox>
#include <QJsonArray>
#include <QLineEdit>
#include <QPushButton>

#include <set>

namespace chokepoint::gui {

namespace {

ValidatedRun run_of(const QString& id, const QString& gpu, int layout, double error) {
    ValidatedRun run;
    run.id = id;
    run.gpu = gpu;
    run.kind = "dense";
    run.stack = "NeMo 24.09";
    run.software = "NeMo";
    run.scale = "1 to 8 GPUs";
    run.precision = "bf16";
    run.published = "time";
    run.gpus = 8;
    run.layout = layout;
    run.measured = 1.0;
    run.predicted = 1.0 + error;
    run.error = error;
    run.interval = std::pair(0.9 * *run.predicted, 1.1 * *run.predicted);
    return run;
}

std::vector<const ValidatedRun*> admitted(const std::vector<ValidatedRun>& runs, const RunFilter& filter) {
    std::vector<const ValidatedRun*> shown;
    for (const ValidatedRun& run : runs) {
        if (admits(filter, run)) {
            shown.push_back(&run);
        }
    }
    return shown;
}

std::size_t band_called(std::string_view name) {
    const auto bands = error_bands();
    return static_cast<std::size_t>(std::ranges::find(bands, name, &ErrorBand::name) - bands.begin());
}

} // namespace

TEST(RunFilter, ShowsARunOnlyIfEveryFieldAdmitsIt) {
    const std::vector<ValidatedRun> runs{run_of("alpha-one", "h100-sxm", 0, 0.02),
                                         run_of("alpha-two", "a100-sxm", 1, -0.15),
                                         run_of("beta-one", "h100-sxm", 2, 0.3)};
    const auto ids = [&](const RunFilter& filter) {
        std::set<std::string> names;
        for (const ValidatedRun* run : admitted(runs, filter)) {
            names.insert(run->id.toStdString());
        }
        return names;
    };
    using Ids = std::set<std::string>;
    EXPECT_EQ(ids({}).size(), 3U);
    EXPECT_EQ(ids({.gpu = "h100-sxm"}), (Ids{"alpha-one", "beta-one"}));
    EXPECT_EQ(ids({.words = "ALPHA", .gpu = "h100-sxm"}), (Ids{"alpha-one"}));
    EXPECT_EQ(ids({.words = "two nemo"}), (Ids{"alpha-two"})) << "each word, wherever it stands";
    EXPECT_EQ(ids({.kind = "MoE"}), Ids{});
    EXPECT_EQ(ids({.band = band_called("within 20%")}), (Ids{"alpha-one", "alpha-two"}));
    EXPECT_EQ(ids({.band = band_called("beyond 20%")}), (Ids{"beta-one"}));
    EXPECT_EQ(ids({.band = band_called("outside 5% to 95%")}), (Ids{"alpha-two", "beta-one"}));
}

TEST(RunFilter, PartsEveryPredictedRunByItsBand) {
    std::vector<ValidatedRun> runs;
    for (int i = -30; i <= 30; ++i) {
        runs.push_back(run_of(QString::number(i), "h100-sxm", i, 0.01 * i));
    }
    runs.push_back(run_of("held", "h100-sxm", 99, 0.0));
    runs.back().predicted.reset();
    runs.back().error.reset();
    const auto count = [&](const char* band) { return admitted(runs, {.band = band_called(band)}).size(); };
    EXPECT_EQ(count("within 10%") + count("beyond 10%"), 61U);
    EXPECT_EQ(count("within 20%") + count("beyond 20%"), 61U);
    EXPECT_EQ(count("inside 5% to 95%") + count("outside 5% to 95%"), 61U);
    EXPECT_EQ(count("not predicted"), 1U);
}

TEST(RunSummary, ScoresEveryFamilyAsTheCommandLineDoes) {
    const test::CliResult answer =
        test::run_cli({"validate", "--filter", "model=qwen3-30b", "--json", "-", "--progress", "none"});
    ASSERT_EQ(answer.exit_code, 0) << answer.err;
    const QJsonObject json = parse_answer(QByteArray::fromStdString(answer.out), "chokepoint/validate/1");
    const std::vector<ValidatedRun> runs = validated_runs(json);
    int compared = 0;
    for (const QJsonValue& score : json.value("scores").toArray()) {
        const QString family = score["family"].toString();
        const QString member = score["member"].toString();
        RunFilter filter;
        if (family == "gpu") {
            filter.gpu = member;
        } else if (family == "kind") {
            filter.kind = member;
        } else if (family == "software") {
            filter.software = member;
        } else if (family == "scale") {
            filter.scale = member;
        } else if (family == "precision") {
            filter.precision = member;
        } else if (family != "published" || member != "step time") {
            continue;
        }
        ++compared;
        const RunSummary summary = summary_of(runs, admitted(runs, filter));
        const std::string where = (family + ": " + member).toStdString();
        EXPECT_EQ(summary.rows, score["rows"].toInt()) << where;
        EXPECT_EQ(summary.layouts, score["layouts"].toInt()) << where;
        EXPECT_DOUBLE_EQ(summary.median, score["median"].toDouble()) << where;
        EXPECT_DOUBLE_EQ(summary.p90, score["p90"].toDouble()) << where;
        EXPECT_NEAR(summary.bias, score["bias"].toDouble(), 1e-12) << where;
    }
    EXPECT_GT(compared, 8);
}

TEST(RunSummary, CountsRepeatsOfALayoutAsOne) {
    const std::vector<ValidatedRun> runs{run_of("a", "x", 0, 0.1), run_of("b", "x", 0, 0.1),
                                         run_of("c", "x", 0, 0.1), run_of("d", "x", 1, 0.4)};
    const RunSummary summary = summary_of(runs, admitted(runs, {}));
    EXPECT_EQ(summary.rows, 4);
    EXPECT_EQ(summary.layouts, 2);
    EXPECT_NEAR(summary.bias, 0.25, 1e-12);
    EXPECT_NEAR(summary.median, 0.25, 1e-12) << "half of the weight lies on either side";
    EXPECT_EQ(summary_of(runs, {}).rows, 0);
}

TEST(ValidationChart, KeepsAPartsColourWhateverIsShown) {
    const std::vector<ValidatedRun> runs{run_of("a", "a100-sxm", 0, 0.1), run_of("b", "h100-sxm", 1, 0.1)};
    const auto style = [&](const RunFilter& filter) {
        const Chart chart = validation_chart(runs, admitted(runs, filter), nullptr);
        return std::ranges::find(chart.series, std::string("h100-sxm"), &Series::name)->style;
    };
    EXPECT_EQ(style({}), style({.gpu = "h100-sxm"}));
    EXPECT_TRUE(validation_chart(runs, {}, nullptr).series.empty());
}

TEST(RunFilterBar, OffersWhatRunsHaveAndTakesEveryChoiceBack) {
    test::need_application();
    std::vector<ValidatedRun> runs{run_of("a", "a100-sxm", 0, 0.1), run_of("b", "h100-sxm", 1, 0.1),
                                   run_of("c", "h100-sxm", 2, 0.1)};
    runs[0].scale = "65 to 512 GPUs";
    runs[0].gpus = 512;
    RunFilterBar bar;
    bar.setRuns(runs);
    const auto box = [&](const char* name) {
        for (QComboBox* one : bar.findChildren<QComboBox*>()) {
            if (one->accessibleName() == name) {
                return one;
            }
        }
        throw std::out_of_range(name);
    };
    EXPECT_EQ(box("Part")->itemText(2), QString("h100-sxm (2)"));
    EXPECT_EQ(box("Scale")->itemText(1), QString("1 to 8 GPUs (2)")) << "by size, not by letters";
    int changes = 0;
    QObject::connect(&bar, &RunFilterBar::changed, [&] { ++changes; });
    box("Part")->setCurrentIndex(2);
    EXPECT_EQ(changes, 1);
    EXPECT_EQ(bar.filter().gpu, QString("h100-sxm"));
    runs.erase(runs.begin());
    bar.setRuns(runs);
    EXPECT_EQ(bar.filter().gpu, QString("h100-sxm")) << "what is chosen stays chosen";
    auto* all = bar.findChild<QPushButton*>();
    EXPECT_TRUE(all->isEnabled());
    bar.findChild<QLineEdit*>()->setText("word");
    all->click();
    EXPECT_EQ(bar.filter(), RunFilter());
    EXPECT_FALSE(all->isEnabled());
}

} // namespace chokepoint::gui
