// SPDX-License-Identifier: GPL-3.0-or-later
// Cost curves: their points, their order, their knee.
#include "application.hpp"

#include <app/cost_curve.hpp>
#include <app/point_sweep.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QFile>
#include <QJsonDocument>

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

TEST(CurveKnee, IsWhereTheCurveBends) {
    std::vector<Point> bent, straight;
    for (double x = 1; x <= 20; ++x) {
        bent.push_back({x, std::max(10.0, 70.0 - 10.0 * x)});
        straight.push_back({x, 5.0 * x});
    }
    EXPECT_EQ(knee_of(bent, false, false), 6.0);
    EXPECT_FALSE(knee_of(straight, false, false));
    EXPECT_FALSE(knee_of(std::vector<Point>(20, Point{1, 1}), false, false));
}

TEST(CurveSweep, RunsEveryPointAndTellsWhyOneIsMissing) {
    test::need_application();
    QFile file("scenarios/small-16-gpus.toml");
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    PointSweep sweep(2);
    std::map<double, double> steps;
    QStringList refusals;
    QObject::connect(&sweep, &PointSweep::computed, [&](int, int value, const RunResult& run) {
        steps[sweep.plan().values[static_cast<std::size_t>(value)]] = run.step_seconds.value;
    });
    QObject::connect(&sweep, &PointSweep::refused,
                     [&](int, int, const QString& message) { refusals << message; });
    bool complete = false;
    QObject::connect(&sweep, &PointSweep::ended, [&](bool all) { complete = all; });
    sweep.start({.base = {{"run", "-", "--json", "-"}, file.readAll(), "scenarios"},
                 .key = "plan.framework_overhead",
                 .unit = "",
                 .values = {0.0, 0.5, 3.0},
                 .series = {{"a", {}}}});
    ASSERT_TRUE(test::wait_until([&] { return !sweep.running() && complete; }));
    ASSERT_EQ(steps.size(), 2U);
    EXPECT_LT(steps.at(0.0), steps.at(0.5));
    ASSERT_EQ(refusals.size(), 1) << "an overhead of 3 is beyond the key's range";
    EXPECT_THAT(refusals.front().toStdString(), HasSubstr("framework_overhead"));
}

TEST(CurveSweep, StopsWhenCancelled) {
    test::need_application();
    PointSweep sweep(1);
    int computed = 0, ended = 0;
    QObject::connect(&sweep, &PointSweep::computed, [&] { ++computed; });
    QObject::connect(&sweep, &PointSweep::ended, [&](bool complete) { ended += complete ? 100 : 1; });
    sweep.start({.base = {{"run", "scenarios/small-16-gpus.toml", "--json", "-"}, {}, {}},
                 .key = "plan.framework_overhead",
                 .unit = "",
                 .values = axis_values(0.1, 1.0, 50, false),
                 .series = {{"a", {}}}});
    ASSERT_TRUE(test::wait_until([&] { return computed > 0; }));
    sweep.cancel();
    const int before = computed;
    EXPECT_FALSE(sweep.running());
    EXPECT_EQ(ended, 1);
    QApplication::processEvents();
    EXPECT_EQ(computed, before);
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
