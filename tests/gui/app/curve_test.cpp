// SPDX-License-Identifier: GPL-3.0-or-later
// Cost curves: their points, their order, their knee.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/chart_panel.hpp>
#include <app/cost_curve.hpp>
#include <app/curve_controls.hpp>
#include <app/curves_page.hpp>
#include <app/document.hpp>
#include <app/headline_card.hpp>
#include <app/sweep_curves.hpp>
#include <app/sweep_store.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QDoubleSpinBox>
#include <QFile>
#include <QJsonDocument>
#include <QLabel>
#include <QProcess>
#include <QtCharts/QChartView>
#include <QtCharts/QLegend>
#include <QtCharts/QLegendMarker>

#include <algorithm>
#include <cmath>

namespace chokepoint::gui {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(CurveOrder, VisitsEveryPointOnceAndTheEndsFirst) {
    for (std::size_t count = 0; count < 200; ++count) {
        std::vector<std::size_t> order = coarse_to_fine(count);
        ASSERT_EQ(order.size(), count);
        if (count > 1) {
            EXPECT_EQ(order[0], 0U);
            EXPECT_EQ(order[1], count - 1);
        }
        std::ranges::sort(order);
        for (std::size_t i = 0; i < count; ++i) {
            ASSERT_EQ(order[i], i);
        }
    }
}

TEST(CurveAxis, SpacesItsValuesEvenlyOrByFactors) {
    EXPECT_THAT(axis_values(100, 400, 4, false), ElementsAre(100, 200, 300, 400));
    EXPECT_THAT(axis_values(100, 800, 4, true), ElementsAre(100, 200, 400, 800));
    EXPECT_THROW(axis_values(0, 1, 3, true), std::invalid_argument);
    EXPECT_THROW(axis_values(2, 1, 3, false), std::invalid_argument);
    EXPECT_THROW(axis_values(1, 2, 1, false), std::invalid_argument);
}

TEST(CurveKnee, IsWhereTheCurveIsATwentiethWorse) {
    std::vector<Point> bent, straight;
    for (double x = 1; x <= 20; ++x) {
        bent.push_back({x, std::max(10.0, 70.0 - 10.0 * x)});
        straight.push_back({x, 5.0 * x});
    }
    // From 10 at 6 to 20 at 5, straight in logarithms.
    EXPECT_NEAR(knee_of(bent, false).value(), 6.0 * std::pow(5.0 / 6.0, std::log(1.05) / std::log(2.0)),
                1e-12);
    EXPECT_FALSE(knee_of(straight, false)) << "the best point is the first";
    EXPECT_NEAR(knee_of(straight, true).value(), 20.0 / 1.05, 1e-9);
    EXPECT_FALSE(knee_of(std::vector<Point>(20, Point{1, 1}), false));
    EXPECT_FALSE(knee_of({}, false));
}

TEST(CurveAxis, CountsInWholeNumbersAndTellsTheCoarsestPointsFirst) {
    const CurveAxis nodes{.label = "nodes", .key = "cluster.nodes", .unit = ""};
    const std::vector<double> values = axis_values(8, 128, 5, true, true);
    EXPECT_THAT(values, ElementsAre(8, 16, 32, 64, 128));
    EXPECT_EQ(axis_argument(nodes, values).toStdString(), "cluster.nodes=8,128,32,16,64");
    const CurveAxis nvlink{.label = "NVLink", .key = "cluster.caps.nvlink", .unit = " GB/s"};
    EXPECT_EQ(axis_argument(nvlink, {50, 162.5, 900}).toStdString(),
              "cluster.caps.nvlink=50 GB/s,900 GB/s,162.5 GB/s");
}

namespace {

StoredAxis stored_axis(const QString& key, qint64 stride, std::vector<StoredStep> steps) {
    return {.name = key, .key = key, .one = true, .stride = stride, .steps = std::move(steps)};
}
StoredPoint stored_point(qint64 position, double seconds) {
    StoredPoint point{position, {}, {}};
    point.run.step_seconds.value = seconds;
    return point;
}

} // namespace

TEST(SweepCurves, DrawNumbersAcrossAndACurveForEachOfTheRest) {
    SweepCurves curves({.id = 1,
                        .points = 4,
                        .title = "study",
                        .axes = {stored_axis("cluster.gpu", 2, {{"h800", "h800", {}}, {"h20", "h20", {}}}),
                                 stored_axis("cluster.caps.nvlink", 1,
                                             {{"400 GB/s", "400 GB/s", 4e11}, {"0.05 TB/s", "", 5e10}})}});
    EXPECT_EQ(curves.axis().figure, "aggregate_io") << "the known axis of this key";
    EXPECT_THAT(curves.names(), ElementsAre("h800", "h20"));
    EXPECT_TRUE(curves.empty());
    curves.add(stored_point(1, 7.0));
    curves.add({.position = 2, .error = "does not fit\nat all", .run = {}});
    curves.add(stored_point(1, 8.0));
    curves.add(stored_point(99, 8.0));
    EXPECT_EQ(curves.finished(), 2) << "a point counts once, and one beyond the grid not at all";
    ASSERT_TRUE(curves.curves()[0].contains(50.0)) << "0.05 TB/s, in the axis' unit";
    EXPECT_EQ(curves.curves()[0].at(50.0).step_seconds.value, 7.0);
    EXPECT_THAT(curves.places(), ElementsAre(50.0));
    EXPECT_THAT(curves.refusals(), ElementsAre(QString("h20 at 400 GB/s: does not fit")));
    EXPECT_EQ(curves.refusal(1, 400.0), "does not fit");
    EXPECT_EQ(curves.refusal(0, 50.0), "") << "it has a point there";
    EXPECT_THROW(SweepCurves({.id = 1,
                              .points = 1,
                              .title = "names alone",
                              .axes = {stored_axis("cluster.gpu", 1, {{"h800", "h800", {}}})}}),
                 std::runtime_error);
}

namespace {

class Sweeping : public testing::Test {
protected:
    static void SetUpTestSuite() { test::need_application(); }

    QString store() const { return QString::fromStdString((scratch_.path() / "s.db").string()); }
    QString sweep(const QStringList& arguments) {
        QProcess cli;
        cli.start(CHOKEPOINT_CLI,
                  QStringList{"sweep", "scenarios/small-16-gpus.toml", "--store", store()} + arguments);
        cli.waitForFinished(60'000);
        return QString::fromUtf8(cli.readAllStandardError());
    }

    test::ScratchDirectory scratch_;
};

/// A page on a scenario of 16 GPUs.
struct CurvesOfSmall {
    Document document{QString()};
    CurvesPage page{document};
    CurvesOfSmall() {
        document.open("scenarios/small-16-gpus.toml");
        page.controls().splitBy("plan.schedule", "1f1b, gpipe");
    }
};

} // namespace

TEST_F(Sweeping, ReadsWhatTheCommandLineStored) {
    sweep({"--axis", "plan.framework_overhead=0,0.5", "--axis", "plan.tensor=1,3"});
    const SweepStore reader(store());
    const auto found = reader.sweep();
    ASSERT_TRUE(found);
    SweepCurves curves(*found, "plan.framework_overhead");
    for (const StoredPoint& point : reader.points(curves.sweep(), curves.known(), 100)) {
        curves.add(point);
    }
    EXPECT_THAT(curves.names(), ElementsAre("tensor 1", "tensor 3"));
    EXPECT_LT(curves.curves()[0].at(0.0).step_seconds.value, curves.curves()[0].at(0.5).step_seconds.value);
    EXPECT_TRUE(curves.curves()[0].at(0.0).step_seconds.interval);
    EXPECT_TRUE(curves.curves()[1].empty());
    EXPECT_EQ(curves.refusals().size(), 2) << "3 does not divide 16 GPUs";
    EXPECT_TRUE(reader.points(curves.sweep(), curves.known(), 100).empty());
    EXPECT_FALSE(reader.sweep(99));
}

TEST_F(Sweeping, SaysWhatIsWrongWithAStore) {
    const auto fault = [](const QString& file) {
        try {
            const SweepStore reader(file);
        } catch (const std::exception& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_THAT(fault("/no/such.db"), HasSubstr("there is no such file"));
    EXPECT_THAT(fault(QString::fromStdString(scratch_.write("text.db", "no database, but some text\n"))),
                HasSubstr("as a result store"));
    sweep({"--axis", "plan.framework_overhead=0,0.5"});
    EXPECT_EQ(fault(store()), "");
    QFile file(store());
    ASSERT_TRUE(file.open(QIODevice::ReadWrite));
    file.seek(60); // user_version: sqlite.org/fileformat.html, 1.3
    file.write(QByteArray("\0\0\0\x09", 4));
    file.close();
    EXPECT_THAT(fault(store()), HasSubstr("is a result store of format 9; this program reads format 1"));

    CurvesOfSmall small;
    small.page.openStore(store());
    EXPECT_THAT(small.page.problem().toStdString(), HasSubstr("format 9"));
}

TEST_F(Sweeping, FillsTheCurvesAndKeepsPointsForTheNextRun) {
    CurvesOfSmall small;
    small.page.run();
    EXPECT_TRUE(small.page.busy());
    ASSERT_TRUE(test::wait_until([&] { return !small.page.busy(); }));
    EXPECT_EQ(small.page.problem(), "");
    EXPECT_THAT(small.page.curves().names(), ElementsAre("1f1b", "gpipe"));
    const std::size_t points = small.page.curves().curves()[0].size();
    EXPECT_GT(points, 10U);
    EXPECT_EQ(small.page.curves().curves()[1].size(), points);
    EXPECT_FALSE(small.page.chart().isEmpty());
    small.page.run();
    ASSERT_TRUE(test::wait_until([&] { return !small.page.busy(); }));
    EXPECT_EQ(small.page.curves().curves()[0].size(), points) << "all of them from the store";
}

TEST_F(Sweeping, EndsTheChildAndKeepsItsPointsWhenCancelled) {
    CurvesOfSmall small;
    small.page.run();
    ASSERT_TRUE(test::wait_until([&] { return !small.page.empty(); }));
    small.page.cancel();
    EXPECT_FALSE(small.page.busy());
    EXPECT_FALSE(small.page.empty());
    const qint64 before = small.page.curves().finished();
    QApplication::processEvents();
    EXPECT_EQ(small.page.curves().finished(), before);
}

TEST_F(Sweeping, EndsTheRangeOfACapAtWhatThePartHas) {
    CurvesOfSmall small;
    small.page.activate();
    ASSERT_TRUE(test::wait_until([&] { return !small.page.busy(); }));
    const auto end = [&] {
        return small.page.controls().request().axes.front().section('=', 1).section(',', 1, 1).toStdString();
    };
    EXPECT_EQ(end(), "400 GB/s") << "of the H800";
    small.page.controls().splitBy("cluster.gpu", "h800-sxm, h20-sxm");
    EXPECT_EQ(end(), "900 GB/s") << "of the H20";
    small.page.controls().splitBy("cluster.gpu", "h800-sxm");
    EXPECT_EQ(end(), "400 GB/s");
    for (QDoubleSpinBox* box : small.page.controls().findChildren<QDoubleSpinBox*>()) {
        if (box->accessibleName() == "to") {
            box->setValue(300.0);
        }
    }
    small.page.controls().splitBy("cluster.gpu", "h800-sxm, h20-sxm");
    EXPECT_EQ(end(), "300 GB/s") << "as it was typed";
}

TEST_F(Sweeping, NamesACurveWithoutPointsOnceAndSaysWhyOnItsCard) {
    CurvesOfSmall small;
    small.page.controls().splitBy("plan.expert", "8, 7"); // 7 does not divide the ranks
    small.page.run();
    ASSERT_TRUE(test::wait_until([&] { return !small.page.busy(); }));
    ASSERT_EQ(small.page.curves().names().size(), 2U);
    ASSERT_TRUE(small.page.curves().curves()[1].empty());
    const QString why = small.page.curves().refusal(1, small.page.curves().places().back());
    ASSERT_NE(why, "");
    int named = 0;
    for (const QLegendMarker* marker :
         small.page.chart().findChild<QChartView*>()->chart()->legend()->markers()) {
        named += marker->isVisible() && marker->label() == small.page.curves().names()[1] ? 1 : 0;
    }
    EXPECT_EQ(named, 1);
    int told = 0;
    for (const QLabel* label : small.page.findChildren<HeadlineCard*>().back()->findChildren<QLabel*>()) {
        told += label->text() == why ? 1 : 0;
    }
    EXPECT_EQ(told, 1);
}

TEST_F(Sweeping, SaysWhyThereIsNoCurve) {
    CurvesOfSmall small;
    small.page.controls().splitBy("plan.schedule", "waltz");
    small.page.run();
    ASSERT_TRUE(test::wait_until([&] { return !small.page.busy(); }));
    EXPECT_THAT(small.page.problem().toStdString(), HasSubstr("waltz"));
    EXPECT_TRUE(small.page.empty());
    small.page.controls().splitBy("plan.schedule", "");
    small.page.run();
    EXPECT_THAT(small.page.problem().toStdString(), HasSubstr("found no values"));
}

TEST(CurveMarks, NameEachThresholdOnce) {
    const QByteArray json = R"({"parts":[
        {"part":"h800-sxm","verdicts":[{"rule":"us-2022-10","margins":[{"figure":"aggregate_io","limit":6e11,"value":4e11,"ratio":0.67}]}]},
        {"part":"a800-sxm","verdicts":[{"rule":"us-2022-10","margins":[{"figure":"aggregate_io","limit":6e11,"value":4e11,"ratio":0.67},
                                                                     {"figure":"tpp","limit":4800,"value":4992,"ratio":1.04}]}]}]})";
    const auto marks = threshold_marks(QJsonDocument::fromJson(json).object(), curve_axes().front());
    ASSERT_EQ(marks.size(), 2U);
    EXPECT_EQ(marks[0].at, 600.0);
    EXPECT_THAT(marks[0].label, HasSubstr("us-2022-10"));
    EXPECT_EQ(marks[1].at, 400.0);
    EXPECT_THAT(marks[1].label, HasSubstr("a800, h800"));
}

} // namespace chokepoint::gui
