// SPDX-License-Identifier: GPL-3.0-or-later
// What every chart can do: zoom, pan, hide series, tell values, export.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/chart_panel.hpp>
#include <app/chart_view.hpp>
#include <app/compare_charts.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QGraphicsSimpleTextItem>
#include <QKeyEvent>
#include <QtCharts/QChart>
#include <QtCharts/QChartView>

#include <cmath>
#include <map>

namespace chokepoint::gui {

using test::need_application;
using test::read_file;
using test::ScratchDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

Chart lines() {
    Chart chart;
    chart.title = "Two lines";
    chart.x = {.label = "x"};
    chart.y = {.label = "y, in s"};
    chart.series.push_back({.name = "up", .points = {{0, 0}, {10, 20}}, .band = {{0, -1, 1}, {10, 19, 21}}});
    chart.series.push_back({.name = "down, \"quoted\"", .points = {{0, 20}, {10, 0}}});
    return chart;
}

class Panel : public testing::Test {
protected:
    static void SetUpTestSuite() { need_application(); }
};

} // namespace

TEST_F(Panel, ZoomsAboutThePointerAndComesBack) {
    ChartPanel panel;
    panel.setChart(lines());
    EXPECT_FALSE(panel.shown().x.from);
    panel.zoom(0.5, 0.0, 0.0);
    const Chart zoomed = panel.shown();
    ASSERT_TRUE(zoomed.x.from && zoomed.x.to);
    panel.zoom(0.5, 0.0, 0.0);
    EXPECT_DOUBLE_EQ(*panel.shown().x.from, *zoomed.x.from) << "the lower left corner was the pointer";
    EXPECT_NEAR(*panel.shown().x.to - *zoomed.x.from, (*zoomed.x.to - *zoomed.x.from) / 2, 1e-9);
    panel.pan(1.0, 0.0);
    EXPECT_NEAR(*panel.shown().x.from, *zoomed.x.from + (*zoomed.x.to - *zoomed.x.from) / 2, 1e-9);
    panel.resetView();
    EXPECT_FALSE(panel.shown().x.from);
}

/// Curves are kept as pixels between frames: what is kept must be what would be drawn.
TEST_F(Panel, LooksTheSameHoweverItCameToIt) {
    const auto settled = [](ChartPanel& panel, QSize size) {
        panel.resize(size);
        panel.show();
        test::wait_until([&] { return !panel.findChild<QChartView*>()->chart()->plotArea().isEmpty(); });
        return panel.grab().toImage();
    };
    ChartPanel panel;
    panel.setChart(lines());
    const QImage first = settled(panel, {600, 400});
    panel.setPointer(5.0);
    const QImage pointed = panel.grab().toImage();
    EXPECT_NE(pointed, first);
    panel.setPointer(std::nullopt);
    EXPECT_EQ(panel.grab().toImage(), first) << "the crosshair is gone";
    panel.pan(0.2, 0.0);
    EXPECT_NE(panel.grab().toImage(), first);
    panel.resetView();
    EXPECT_EQ(panel.grab().toImage(), first) << "back where it was";
    const QImage wider = settled(panel, {800, 500});
    ChartPanel fresh;
    fresh.setChart(lines());
    EXPECT_EQ(wider, settled(fresh, {800, 500}));
}

TEST_F(Panel, NamesPointsBesideEveryMarker) {
    Chart chart;
    chart.kind = ChartKind::scatter;
    chart.series = {
        {.name = "parts", .points = {{4, 5}, {4.5, 5}, {5, 5}}, .labels = {"left", "middle", "right"}},
        {.name = "others", .points = {{0, 0}, {10, 10}}}};
    ChartPanel panel;
    panel.resize(600, 400);
    panel.setChart(chart);
    panel.show();
    test::wait_until([&] { return !panel.findChild<QChartView*>()->chart()->plotArea().isEmpty(); });
    QChart& drawn = *panel.findChild<QChartView*>()->chart();
    std::set<QString> named;
    for (QGraphicsItem* item : drawn.scene()->items()) {
        const auto* label = qgraphicsitem_cast<QGraphicsSimpleTextItem*>(item);
        if (label == nullptr || label->opacity() == 0.0) {
            continue;
        }
        named.insert(label->text());
        for (const Point& point : chart.series.front().points) {
            EXPECT_FALSE(label->sceneBoundingRect().contains(drawn.mapToPosition({point.x, point.y})))
                << label->text().toStdString() << " covers the point at " << point.x;
        }
    }
    EXPECT_THAT(named, testing::IsSupersetOf({QString("left"), QString("middle"), QString("right")}));
}

/// Words that stand on a chart, by what they say.
std::map<std::string, QRectF> words_on(const ChartPanel& panel) {
    std::map<std::string, QRectF> words;
    for (QGraphicsItem* item : panel.findChild<QChartView*>()->chart()->scene()->items()) {
        const auto* label = qgraphicsitem_cast<QGraphicsSimpleTextItem*>(item);
        if (label != nullptr && label->isVisible() && label->opacity() > 0.0) {
            words[label->text().toStdString()] = label->sceneBoundingRect();
        }
    }
    return words;
}

void expect_apart(const std::map<std::string, QRectF>& words, const QRectF& plot) {
    for (auto a = words.begin(); a != words.end(); ++a) {
        EXPECT_TRUE(plot.contains(a->second)) << a->first << " is cut";
        for (auto b = std::next(a); b != words.end(); ++b) {
            EXPECT_FALSE(a->second.intersects(b->second)) << a->first << " is on " << b->first;
        }
    }
}

TEST_F(Panel, NamesCloseThresholdsApartAndBesideTheirLines) {
    Chart chart = lines();
    chart.x = {.label = "NVLink cap, GB/s", .log = true};
    chart.series = {{.name = "step", .points = {{50, 5}, {900, 1}}}};
    chart.marks = {{600, "600: threshold of us-2022-10"},
                   {392, "392: ascend-910b"},
                   {400, "400: a800, h800"},
                   {784, "784: ascend-910c"},
                   {896, "896: mi300x"},
                   {900, "900: h100, h100-96g-500w, h20 +1"},
                   {153.9, "knee of h800-sxm: 153.9"},
                   {180.7, "knee of h20-sxm: 180.7"}};
    for (const int width : {500, 700, 1000, 1400}) {
        ChartPanel panel;
        panel.resize(width, 400);
        panel.setChart(chart);
        panel.show();
        test::wait_until([&] { return !panel.findChild<QChartView*>()->chart()->plotArea().isEmpty(); });
        QChart& drawn = *panel.findChild<QChartView*>()->chart();
        const auto words = words_on(panel);
        EXPECT_EQ(words.size(), chart.marks.size()) << "at a width of " << width;
        expect_apart(words, drawn.plotArea());
        for (const Mark& mark : chart.marks) {
            const double line = drawn.mapToPosition({std::log10(mark.at), 1}).x();
            const QRectF& box = words.at(mark.label);
            EXPECT_LT(std::min(std::abs(box.left() - line), std::abs(box.right() - line)), 8.0)
                << mark.label << " at a width of " << width;
        }
        const auto broken = std::ranges::count_if(chart.marks, [&](const Mark& mark) {
            const double line = drawn.mapToPosition({std::log10(mark.at), 1}).x();
            return std::ranges::any_of(words, [&](const auto& one) {
                return line > one.second.left() && line < one.second.right();
            });
        });
        EXPECT_TRUE(width < 1400 || broken <= 2) << broken << " lines run into others' names";
    }
}

TEST_F(Panel, NamesCloseLevelsApart) {
    Chart chart;
    chart.kind = ChartKind::stacked_bars;
    chart.categories = {"A", "B"};
    chart.series = {{.name = "parameters", .values = {40.0, 50.0}}};
    chart.marks = {{80.0, "80.0 GB of A", true}, {81.0, "81.0 GB of B", true}, {82.0, "82.0 GB of C", true}};
    ChartPanel panel;
    panel.resize(600, 300);
    panel.setChart(chart);
    panel.show();
    test::wait_until([&] { return !panel.findChild<QChartView*>()->chart()->plotArea().isEmpty(); });
    const auto words = words_on(panel);
    EXPECT_EQ(words.size(), 3U);
    expect_apart(words, panel.findChild<QChartView*>()->chart()->plotArea());
}

TEST_F(Panel, NamesAllPointsThatLieOnEachOther) {
    Chart chart;
    chart.kind = ChartKind::scatter;
    chart.series = {{.name = "parts", .points = {{10, 10}, {10, 10}, {9.9, 9.8}}, .labels = {"a", "b", "c"}},
                    {.name = "chosen", .points = {{10, 10}}, .labels = {"d"}},
                    {.name = "others", .points = {{0, 0}}, .labels = {"e"}}};
    ChartPanel panel;
    panel.resize(600, 400);
    panel.setChart(chart);
    panel.show();
    test::wait_until([&] { return !panel.findChild<QChartView*>()->chart()->plotArea().isEmpty(); });
    auto words = words_on(panel);
    expect_apart(words, panel.findChild<QChartView*>()->chart()->plotArea());
    EXPECT_TRUE(words.contains("d\na\nb") && words.contains("c") && words.contains("e"));
    panel.toggle("parts");
    test::wait_until([&] { return !panel.findChild<QChartView*>()->chart()->plotArea().isEmpty(); });
    words = words_on(panel);
    EXPECT_TRUE(words.size() == 2 && words.contains("d") && words.contains("e"))
        << "a hidden series has no names";
}

TEST_F(Panel, TellsEverySeriesThatIsShown) {
    ChartPanel panel;
    panel.setChart(lines());
    const QStringList both = panel.readout(0.5, 0.5);
    ASSERT_EQ(both.size(), 3);
    EXPECT_EQ(both[1].toStdString(), "up: 10.4 (9.4 to 11.4)") << "with its band";
    panel.toggle("up");
    ASSERT_EQ(panel.readout(0.5, 0.5).size(), 2);
    EXPECT_THAT(panel.readout(0.5, 0.5)[1].toStdString(), StartsWith("down"));
    panel.toggle("up");
    EXPECT_EQ(panel.readout(0.5, 0.5), both);
}

TEST(Readout, StandsWhollyOnTheChartWhereverThePointerIs) {
    const QRectF area(0, 0, 400, 300);
    const QSizeF box(270, 60); // wider than half of the chart
    for (double x = 0; x <= 400; x += 40) {
        for (double y = 0; y <= 300; y += 30) {
            const QRectF at = readout_box(box, {x, y}, area);
            EXPECT_TRUE(area.contains(at)) << x << ", " << y;
            EXPECT_FALSE(at.contains(QPointF(x, y))) << "the pointer's place stays in sight";
        }
    }
}

TEST_F(Panel, LooksAtThinLayersOfBarsNearby) {
    Chart chart;
    chart.kind = ChartKind::stacked_bars;
    chart.title = "Bars";
    chart.y.label = "seconds";
    chart.categories = {"A", "B"};
    chart.series = {{.name = "thick", .values = {100.0, 90.0}}, {.name = "thin", .values = {1.0, 1.0}}};
    ChartPanel panel;
    panel.setChart(chart);
    panel.zoom(0.1, 0.5, 0.96);
    const Axis near = panel.shown().y;
    ASSERT_TRUE(near.from && near.to);
    EXPECT_GT(*near.from, 80.0) << "about the pointer, not about zero";
    EXPECT_LT(*near.from, 101.0);
    EXPECT_GT(*near.to, 100.0);
    panel.pan(0.0, 0.5);
    EXPECT_NEAR(*panel.shown().y.from, *near.from + (*near.to - *near.from) / 2, 1e-9);
    panel.pan(0.0, -1000.0);
    EXPECT_EQ(*panel.shown().y.from, 0.0) << "below zero there are no bars";
    EXPECT_NEAR(*panel.shown().y.to, *near.to - *near.from, 1e-9);
    panel.zoom(100.0, 0.5, 0.5);
    EXPECT_EQ(*panel.shown().y.from, 0.0);
    panel.resetView();
    EXPECT_FALSE(panel.shown().y.from);
}

TEST_F(Panel, MovesItsGripByKeys) {
    ChartPanel panel;
    panel.resize(500, 400);
    panel.setChart(lines());
    std::vector<Point> moves;
    QObject::connect(&panel, &ChartPanel::gripMoved, [&](double x, double y, bool released) {
        EXPECT_TRUE(released);
        moves.push_back({x, y});
    });
    const auto press = [&](Qt::Key key) {
        QKeyEvent event(QEvent::KeyPress, key, Qt::ShiftModifier);
        QApplication::sendEvent(&panel, &event);
    };
    press(Qt::Key_Left);
    EXPECT_TRUE(moves.empty()) << "there is no grip";
    panel.setGrip(Point{5, 10});
    press(Qt::Key_Left);
    press(Qt::Key_Up);
    ASSERT_EQ(moves.size(), 2U);
    EXPECT_LT(moves[0].x, 5.0);
    EXPECT_NEAR(moves[0].y, 10.0, 1e-9);
    EXPECT_GT(moves[1].y, 10.0);
}

TEST_F(Panel, KeepsItsViewWhilePointsArrive) {
    ChartPanel panel;
    panel.setChart(lines());
    panel.zoom(0.5, 0.5, 0.5);
    panel.toggle("up");
    const Chart before = panel.shown();
    Chart more = lines();
    more.series[1].points.push_back({12, 3});
    panel.setChart(more);
    EXPECT_EQ(panel.shown().x.from, before.x.from);
    EXPECT_TRUE(panel.shown().series[0].hidden);
}

TEST_F(Panel, ExportsByTheFilesEnding) {
    const ScratchDirectory scratch;
    ChartPanel panel;
    panel.setChart(lines());
    const auto at = [&](const char* name) { return (scratch.path() / name).string(); };
    for (const char* name : {"a.png", "a.svg", "a.csv"}) {
        panel.exportTo(QString::fromStdString(at(name)));
    }
    EXPECT_THAT(read_file(at("a.png")), StartsWith("\x89PNG"));
    EXPECT_THAT(read_file(at("a.svg")), HasSubstr("Two lines"));
    EXPECT_EQ(read_file(at("a.csv")), "series,x,\"y, in s\",low,high,note\nup,0,0,-1,1,\nup,10,20,19,21,\n"
                                      "\"down, \"\"quoted\"\"\",0,20,,,\n\"down, \"\"quoted\"\"\",10,0,,,\n");
    EXPECT_THROW(panel.exportTo("a.gif"), std::runtime_error);
    EXPECT_THROW(panel.exportTo("/no/such/folder/a.svg"), std::runtime_error);
}

TEST_F(Panel, TellsZoomsAndExportsWaterfalls) {
    Chart chart;
    chart.kind = ChartKind::waterfall;
    chart.title = "A against B";
    chart.x.label = "seconds";
    chart.panels = {{"B", {{"A", 0, 10, BarKind::total, "10 s"}, {"NIC", 10, 12, BarKind::more, "+2 s"}}}};
    ChartPanel panel;
    panel.resize(700, 400);
    panel.setChart(chart);
    panel.grab();
    EXPECT_FALSE(panel.isEmpty());
    EXPECT_THAT(panel.readout(0.5, 0.99), testing::IsEmpty()) << "the panel's title";
    const double plot = 400.0 - 106.0; // below the title, above the axis
    EXPECT_THAT(panel.readout(0.5, 1.0 - 30.0 / plot), ElementsAre(QString("B"), QString("A: 10 s")));
    EXPECT_THAT(panel.readout(0.5, 1.0 - 60.0 / plot), ElementsAre(QString("B"), QString("NIC: +2 s")));
    panel.zoom(0.5, 0.5, 0.5);
    const Chart zoomed = panel.shown();
    ASSERT_TRUE(zoomed.x.from && zoomed.x.to);
    panel.pan(0.1, 0.0);
    EXPECT_GT(*panel.shown().x.from, *zoomed.x.from);
    panel.resetView();
    EXPECT_FALSE(panel.shown().x.from);
    EXPECT_EQ(to_csv(chart).toStdString(), "panel,bar,from,to,seconds\nB,A,0,10,10 s\nB,NIC,10,12,+2 s\n");
}

TEST(DriverChart, ShowsTheLargestDrivers) {
    Compared one{0, {}};
    one.run.drivers = {{"clock", 1.5}, {"network", 0.5}};
    const Chart chart = driver_chart(one);
    ASSERT_EQ(chart.panels.size(), 1U);
    EXPECT_EQ(chart.panels[0].bars[0].label, "clock");
    EXPECT_EQ(chart.panels[0].bars[0].to, 1.5);
    EXPECT_TRUE(driver_chart({0, {}}).panels.empty());
}

TEST(MemoryChart, HasALineAtEachCapacity) {
    Compared a{0, {}}, b{1, {}}, c{2, {}};
    a.run.memory = b.run.memory = c.run.memory = {{"parameters", 40e9}};
    a.run.memory_capacity = c.run.memory_capacity = 80e9;
    b.run.memory_capacity = 141e9;
    const Chart chart = memory_chart({a, b, c});
    EXPECT_THAT(chart.series[0].values, ElementsAre(40.0, 40.0, 40.0));
    ASSERT_EQ(chart.marks.size(), 2U);
    EXPECT_EQ(chart.marks[0].at, 80.0);
    EXPECT_THAT(chart.marks[0].label, HasSubstr("A, C"));
}

} // namespace chokepoint::gui
