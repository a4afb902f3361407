// SPDX-License-Identifier: GPL-3.0-or-later
// What every chart can do: zoom, pan, hide series, tell values, export.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/chart_panel.hpp>
#include <app/compare_charts.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

RunResult run_with(std::vector<Share> waits) {
    RunResult run;
    for (const Share& wait : waits) {
        run.step_seconds.value += wait.value;
    }
    run.waits = std::move(waits);
    return run;
}

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

TEST_F(Panel, TellsEverySeriesThatIsShown) {
    ChartPanel panel;
    panel.setChart(lines());
    const QStringList both = panel.readout(0.5, 0.5);
    ASSERT_EQ(both.size(), 3);
    EXPECT_THAT(both[1].toStdString(), StartsWith("up: "));
    panel.toggle("up");
    ASSERT_EQ(panel.readout(0.5, 0.5).size(), 2);
    EXPECT_THAT(panel.readout(0.5, 0.5)[1].toStdString(), StartsWith("down"));
    panel.toggle("up");
    EXPECT_EQ(panel.readout(0.5, 0.5), both);
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

TEST(DifferenceChart, StepsFromOneStepToTheOther) {
    const Compared a{0, run_with({{"NVLink", 3.0}, {"NIC", 1.0}})};
    const Compared b{1, run_with({{"NVLink", 1.0}, {"NIC", 2.5}, {"latency", 0.25}})};
    const Chart chart = difference_chart(a, b);
    ASSERT_EQ(chart.regions.size(), 4U) << "three resources and the sum";
    EXPECT_EQ(chart.x.tick_labels, (std::vector<std::string>{"NVLink", "NIC", "latency", "B - A"}));
    EXPECT_DOUBLE_EQ(*chart.regions[0].bottom, -2.0);
    EXPECT_DOUBLE_EQ(*chart.regions[1].bottom, -2.0);
    EXPECT_DOUBLE_EQ(*chart.regions[1].top, -0.5);
    EXPECT_DOUBLE_EQ(*chart.regions[3].bottom, b.run.step_seconds.value - a.run.step_seconds.value);
    EXPECT_DOUBLE_EQ(*chart.regions[3].top, 0.0);
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
