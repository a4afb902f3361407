// SPDX-License-Identifier: GPL-3.0-or-later
// A chart's JSON is read as its schema says, and whatever is wrong with it is named at once.
#include <charts/description.hpp>

#include "support/json_schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace chokepoint::gui {

using testing::AllOf;
using testing::HasSubstr;

namespace {

constexpr std::string_view kLine = R"({"schema": "chokepoint/chart/1", "kind": "line", "title": "knee",
 "x": {"label": "NIC in Gb/s", "log": true, "ticks": [50, 100, 200, 400]}, "y": {"label": "step in s", "from": 0},
 "series": [{"name": "H800", "points": [[50, 3], [400, 1]], "band": [[50, 2, 4], [400, 0.5, 2]], "markers": true}]})";

std::string faults_of(std::string_view json) {
    try {
        parse_chart(json);
        return "";
    } catch (const ChartError& error) {
        return error.what();
    }
}

} // namespace

TEST(ChartDescription, IsReadAsItsSchemaHasIt) {
    EXPECT_EQ(test::published_schema_violations("chart", std::string(kLine)), "");
    const Chart chart = parse_chart(kLine);
    EXPECT_EQ(chart.kind, ChartKind::line);
    EXPECT_EQ(chart.title, "knee");
    EXPECT_TRUE(chart.x.log);
    EXPECT_EQ(chart.x.ticks.size(), 4U);
    EXPECT_EQ(chart.y.from, 0.0);
    ASSERT_EQ(chart.series.size(), 1U);
    EXPECT_EQ(chart.series[0].points[1], (Point{400, 1}));
    EXPECT_EQ(chart.series[0].band[0].high, 4.0);
    EXPECT_TRUE(chart.series[0].markers);
}

TEST(ChartDescription, NamesEveryFaultAtOnce) {
    EXPECT_THAT(faults_of(R"({"schema": "chokepoint/chart/2", "kind": "pie", "colour": 1, "width": -3,
        "x": {"log": true, "from": 0}, "series": [{"points": [[1, 2, 3], [0, 1]]}]})"),
                AllOf(HasSubstr("/schema: found \"chokepoint/chart/2\""),
                      HasSubstr("/kind: found \"pie\"; expected one of line"),
                      HasSubstr("/colour: unknown field"), HasSubstr("/width: -3"),
                      HasSubstr("/x: 0 on a logarithmic axis"), HasSubstr("/series/0: needs \"name\""),
                      HasSubstr("/series/0/points/0: expected a list of 2 finite numbers"),
                      HasSubstr("/series/0: a point at 0 or less")));
}

TEST(ChartDescription, APageHoldsChartsWithTheirOwnFaults) {
    const std::string page = R"({"schema": "chokepoint/chart/1", "kind": "page", "title": "two", "columns": 2,
        "charts": [)" + std::string(kLine) +
                             "," + std::string(kLine) + "]}";
    EXPECT_EQ(test::published_schema_violations("chart", page), "");
    const Chart chart = parse_chart(page);
    EXPECT_EQ(chart.kind, ChartKind::page);
    EXPECT_EQ(chart.columns, 2);
    ASSERT_EQ(chart.charts.size(), 2U);
    EXPECT_EQ(chart.charts[1].series[0].points[1], (Point{400, 1}));
    EXPECT_THAT(faults_of(R"({"schema": "chokepoint/chart/1", "kind": "page"})"), HasSubstr("has no charts"));
    EXPECT_THAT(faults_of(R"({"schema": "chokepoint/chart/1", "kind": "page", "columns": 9, "charts": [
        {"schema": "chokepoint/chart/1", "kind": "line", "x": {"log": true}, "series": [{"name": "a",
         "points": [[0, 1]]}]}, {"schema": "chokepoint/chart/1", "kind": "page", "charts": []}]})"),
                AllOf(HasSubstr("/columns: 9; expected 1 to 8"),
                      HasSubstr("/charts/0/series/0: a point at 0 or less"), HasSubstr("/charts/1:")));
}

TEST(ChartDescription, ReadsTheBarsOfAWaterfall) {
    constexpr std::string_view kFall = R"({"schema": "chokepoint/chart/1", "kind": "waterfall", "panels": [
 {"title": "B", "bars": [{"label": "A", "from": 0, "to": 5, "kind": "total", "text": "5 USD"},
                         {"label": "NVLink", "from": 5, "to": 4, "kind": "less"}]}]})";
    EXPECT_EQ(test::published_schema_violations("chart", std::string(kFall)), "");
    const Chart chart = parse_chart(kFall);
    ASSERT_EQ(chart.panels.size(), 1U);
    ASSERT_EQ(chart.panels[0].bars.size(), 2U);
    EXPECT_EQ(chart.panels[0].bars[0].text, "5 USD");
    EXPECT_EQ(chart.panels[0].bars[1].kind, BarKind::less);
    EXPECT_EQ(chart.panels[0].bars[1].to, 4.0);
    EXPECT_THAT(faults_of(R"({"schema": "chokepoint/chart/1", "kind": "waterfall"})"),
                HasSubstr("has no panels"));
    EXPECT_THAT(faults_of(R"({"schema": "chokepoint/chart/1", "kind": "waterfall",
                              "panels": [{"bars": [{"label": "A", "from": 1, "kind": "up"}]}, {"bars": []}]})"),
                AllOf(HasSubstr("/panels/0/bars/0: needs \"to\""),
                      HasSubstr("/panels/0/bars/0/kind: found \"up\""),
                      HasSubstr("/panels/1/bars: has no bars")));
}

TEST(ChartDescription, RefusesWhatHoldsNoChart) {
    EXPECT_THAT(faults_of("]"), HasSubstr("not JSON"));
    EXPECT_THAT(faults_of("[]"), HasSubstr("/: found array; expected an object"));
    EXPECT_THAT(faults_of(R"({"schema": "chokepoint/chart/1", "kind": "gantt"})"), HasSubstr("has no rows"));
    EXPECT_THAT(faults_of(R"({"schema": "chokepoint/chart/1", "kind": "scatter", "series": []})"),
                HasSubstr("has no series"));
    EXPECT_THAT(
        faults_of(R"({"schema": "chokepoint/chart/1", "kind": "stacked-bars", "categories": ["a", "b"],
                              "series": [{"name": "x", "values": [1]}]})"),
        HasSubstr("/series/0: 1 values; expected one for each of 2 categories"));
    EXPECT_THAT(faults_of(R"({"schema": "chokepoint/chart/1", "kind": "line",
                              "series": [{"name": "x", "points": [[1, 1e999]]}]})"),
                HasSubstr("not JSON"));
    EXPECT_THAT(faults_of(R"({"schema": "chokepoint/chart/1", "kind": "gantt",
                              "rows": [{"label": "r", "spans": [{"start": 2, "end": 1, "parts": []}]}]})"),
                HasSubstr("/rows/0/spans/0: runs from 2 to 1"));
}

RC_GTEST_PROP(ChartDescription, NeverCrashesOnADamagedOne, ()) {
    std::string text(kLine);
    for (int slips = *rc::gen::inRange(1, 6); slips > 0; --slips) {
        text[*rc::gen::inRange<std::size_t>(0, text.size())] =
            *rc::gen::elementOf(std::string("0123456789[]{},:\"-e.x "));
    }
    faults_of(text);
}

} // namespace chokepoint::gui
