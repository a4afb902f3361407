// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures hold what their description says, keep within their axes, and come out the same every time.
#include <charts/compact_svg.hpp>
#include <charts/palette.hpp>
#include <charts/render.hpp>

#include <QApplication>
#include <QRegularExpression>
#include <QSvgRenderer>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace chokepoint::gui {

using testing::ElementsAre;
using testing::HasSubstr;

namespace {

class Charts : public testing::Test {
protected:
    static void SetUpTestSuite() {
        setenv("QT_QPA_PLATFORM", "offscreen", 1);
        if (QApplication::instance() == nullptr) {
            static int argc = 1;
            static char name[] = "gui_test";
            static char* argv[] = {name, nullptr};
            new QApplication(argc, argv); // lives as long as the program
        }
    }
};

Chart line_chart() {
    Chart chart;
    chart.kind = ChartKind::line;
    chart.title = "Where is the knee?";
    chart.x = {.label = "NIC in Gb/s", .log = true};
    chart.y = {.label = "step in s"};
    chart.series = {
        {.name = "H800", .points = {{50, 3}, {200, 1.5}, {900, 1}}, .band = {{50, 2, 4}, {900, 0.8, 1.2}}},
        {.name = "H100", .points = {{50, 2}, {900, 0.7}}, .markers = true}};
    return chart;
}

Chart gantt_chart() {
    Chart chart;
    chart.kind = ChartKind::gantt;
    chart.title = "two ranks";
    chart.x.label = "time";
    chart.rows = {{"rank 0",
                   {{0, 1, {{SpanKind::forward, "7"}}},
                    {1, 4, {{SpanKind::forward, "8", 1.0, 1}, {SpanKind::backward, "9", 2.0}}}}},
                  {"rank 1", {{1, 2, {{SpanKind::weight_backward, "6"}}}}}};
    return chart;
}

Chart waterfall_chart() {
    Chart chart;
    chart.kind = ChartKind::waterfall;
    chart.x.label = "million USD";
    chart.panels = {{"H20",
                     {{"A: H800", 0, 6, BarKind::total, "6 M"},
                      {"tensor cores", 6, 20, BarKind::more, "+14 M"},
                      {"price", 20, 12, BarKind::less, "-8 M"},
                      {"B: H20", 0, 12, BarKind::total, "12 M"}}}};
    return chart;
}

/// Pixels of the longest bar of a colour.
int longest_run(const QImage& image, QColor color) {
    int longest = 0;
    for (int y = 0; y < image.height(); ++y) {
        int run = 0;
        for (int x = 0; x < image.width(); ++x) {
            run = image.pixelColor(x, y) == color ? run + 1 : 0;
            longest = std::max(longest, run);
        }
    }
    return longest;
}

Chart scatter_chart() {
    Chart chart;
    chart.kind = ChartKind::scatter;
    chart.x = {.label = "measured", .log = true};
    chart.y = {.label = "predicted", .log = true};
    chart.diagonal_margin = 0.1;
    chart.series = {{.name = "dense", .points = {{1, 1.1}, {10, 9}}}};
    return chart;
}

Chart bar_chart() {
    Chart chart;
    chart.kind = ChartKind::stacked_bars;
    chart.y.label = "s";
    chart.categories = {"A", "B"};
    chart.series = {{.name = "compute", .values = {3, 2}}, {.name = "bubble", .values = {1, 0.5}}};
    return chart;
}

Chart heat_map() {
    Chart chart;
    chart.kind = ChartKind::heat_map;
    chart.x.label = "NVLink in GB/s";
    chart.categories = {"50", "400"};
    chart.series = {{.name = "EP64", .values = {40, 18.4}},
                    {.name = "EP8", .values = {std::numeric_limits<double>::quiet_NaN(), 44}}};
    return chart;
}

Chart page() {
    Chart chart;
    chart.kind = ChartKind::page;
    chart.title = "A page";
    chart.columns = 2;
    chart.charts = {line_chart(), bar_chart(), gantt_chart()};
    return chart;
}

std::vector<Chart> every_kind() {
    return {line_chart(), scatter_chart(), bar_chart(), gantt_chart(), waterfall_chart(), heat_map(), page()};
}

/// Of pixels, by more than smoothed edges of text do.
double share_that_differs(const QImage& a, const QImage& b) {
    constexpr int kNoticed = 60;
    int differ = 0;
    for (int y = 0; y < a.height(); ++y) {
        for (int x = 0; x < a.width(); ++x) {
            differ += std::abs(qGray(a.pixel(x, y)) - qGray(b.pixel(x, y))) > kNoticed ? 1 : 0;
        }
    }
    return static_cast<double>(differ) / (static_cast<double>(a.width()) * a.height());
}

std::vector<std::string> texts(const QByteArray& svg) {
    std::vector<std::string> list;
    auto found = QRegularExpression("<text[^>]*>([^<]*)</text>").globalMatch(QString::fromUtf8(svg));
    while (found.hasNext()) {
        list.push_back(found.next().captured(1).trimmed().toStdString());
    }
    return list;
}

} // namespace

TEST_F(Charts, ComeOutTheSameEveryTime) {
    for (const Chart& chart : every_kind()) {
        const QByteArray svg = to_svg(chart, "");
        EXPECT_EQ(svg, to_svg(chart, ""));
        EXPECT_EQ(to_image(chart, 1.0), to_image(chart, 1.0));
        EXPECT_EQ(svg.indexOf("nan"), -1);
    }
}

TEST_F(Charts, NameTheirSeriesAxesAndCells) {
    const auto line = texts(to_svg(line_chart(), ""));
    for (const std::string word :
         {"H800", "H100", "NIC in Gb/s", "step in s", "Where is the knee?", "50", "500"}) {
        EXPECT_THAT(line, testing::Contains(word));
    }
    const auto bars = texts(to_svg(bar_chart(), ""));
    for (const std::string word : {"compute", "bubble", "A", "B"}) {
        EXPECT_THAT(bars, testing::Contains(word));
    }
    const auto gantt = texts(to_svg(gantt_chart(), ""));
    for (const std::string word :
         {"rank 0", "rank 1", "6", "7", "8", "9", "forward", "backward for weights"}) {
        EXPECT_THAT(gantt, testing::Contains(word));
    }
}

TEST_F(Charts, AHeatMapIsDarkWhereItsValueIsHighAndEmptyWhereThereIsNone) {
    const auto words = texts(to_svg(heat_map(), ""));
    for (const std::string word : {"50", "400", "EP64", "EP8", "40", "18.4", "44", "NVLink in GB/s"}) {
        EXPECT_THAT(words, testing::Contains(word));
    }
    const QImage image = to_image(heat_map(), 1.0);
    constexpr int kCell = 250; // pixels; less than a cell's, more than the scale beside them
    EXPECT_GT(longest_run(image, QColor(0x00, 0x22, 0x4E)), kCell) << "44, the most";
    EXPECT_GT(longest_run(image, QColor(0xFE, 0xE8, 0x38)), kCell) << "18.4, the least";
}

TEST_F(Charts, AskForAFontThatBrowsersHave) {
    for (const Chart& chart : every_kind()) {
        const QByteArray svg = to_svg(chart, "");
        EXPECT_GT(svg.count("sans-serif"), 0);
        EXPECT_EQ(svg.count("font-family"), svg.count("sans-serif"));
    }
}

TEST_F(Charts, AreCompactAndLookTheSame) {
    // As QSvgGenerator writes it: attributes that say nothing, groups without content, equal neighbours.
    const QString font = "\nfont-family=\"A\" font-size=\"12\" font-weight=\"400\" font-style=\"normal\" \n>";
    const QString red = "<g stroke=\"red\" stroke-opacity=\"1\" transform=\"matrix(1,0,0,1,0,0)\"" + font;
    const QString blue = "<g stroke=\"blue\" stroke-opacity=\"0.5\"" + font;
    const QString root = "<svg><g fill=\"none\" >\n\n";
    EXPECT_EQ(compact_svg(root + red + "\n</g>\n\n" + red + "\n<path d=\"1\"/>\n</g>\n\n" + blue +
                          "\n</g>\n" + red + "\n<path d=\"2\"/>\n</g>\n" + blue +
                          "\n<path d=\"3\"/>\n</g>\n</g>\n</svg>")
                  .toStdString(),
              "<svg><g fill=\"none\" >\n<g stroke=\"red\">\n<path d=\"1\"/>\n<path d=\"2\"/>\n</g>\n"
              "<g stroke=\"blue\" stroke-opacity=\"0.5\">\n<path d=\"3\"/>\n</g>\n</g>\n</svg>");
    for (const Chart& chart : every_kind()) {
        const QByteArray svg = to_svg(chart, "");
        EXPECT_EQ(svg.count("<g "), svg.count("</g>"));
        QSvgRenderer renderer(svg);
        ASSERT_TRUE(renderer.isValid());
        QImage drawn(chart_size(chart), QImage::Format_RGB32);
        drawn.fill(Qt::white);
        QPainter painter(&drawn);
        renderer.render(&painter);
        painter.end();
        EXPECT_LT(share_that_differs(drawn, to_image(chart, 1.0)), 0.01)
            << "kind " << static_cast<int>(chart.kind);
    }
}

TEST_F(Charts, PrefixEveryIdAndEveryUseOfOne) {
    for (const Chart& chart : every_kind()) {
        const QString svg = QString::fromUtf8(to_svg(chart, "fig7-"));
        std::set<QString> ids;
        auto id = QRegularExpression(R"x(\bid="([^"]*)")x").globalMatch(svg);
        while (id.hasNext()) {
            ids.insert(id.next().captured(1));
        }
        for (const QString& name : ids) {
            EXPECT_TRUE(name.startsWith("fig7-")) << name.toStdString();
        }
        auto use = QRegularExpression(R"x((?:url\(#|href="#)([^")]*))x").globalMatch(svg);
        while (use.hasNext()) {
            EXPECT_TRUE(ids.contains(use.next().captured(1)));
        }
    }
}

TEST_F(Charts, DrawCellsInTheColoursOfTheirKind) {
    Chart chart = gantt_chart();
    const QImage image = to_image(chart, 1.0);
    std::set<QRgb> colours;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) {
            colours.insert(image.pixel(x, y));
        }
    }
    EXPECT_TRUE(colours.contains(span_color(SpanKind::forward, 0).rgb()));
    EXPECT_TRUE(colours.contains(span_color(SpanKind::forward, 1).rgb()));
    EXPECT_TRUE(colours.contains(span_color(SpanKind::backward, 0).rgb()));
    EXPECT_TRUE(colours.contains(span_color(SpanKind::weight_backward, 0).rgb()));
    EXPECT_FALSE(colours.contains(span_color(SpanKind::input_backward, 0).rgb()));
}

// Nothing of the series' colour beside or above the plot, though the line runs far beyond it.
TEST_F(Charts, DrawBarsAsLongAsWhatTheyStandFor) {
    const QImage image = to_image(waterfall_chart(), 1.0);
    const double more = longest_run(image, bar_color(BarKind::more));
    EXPECT_NEAR(longest_run(image, bar_color(BarKind::less)) / more, 8.0 / 14.0, 0.01);
    EXPECT_NEAR(longest_run(image, bar_color(BarKind::total)) / more, 12.0 / 14.0, 0.01);
}

TEST_F(Charts, SaysSoWhereAnAxisIsCutToShowWhatChanges) {
    Chart chart = waterfall_chart();
    EXPECT_THAT(to_svg(chart, {}).toStdString(), testing::Not(HasSubstr("does not begin at 0")));
    chart.panels[0].bars = {{"A", 0, 6, BarKind::total, ""}, {"NVLink", 6, 5.9, BarKind::less, ""}};
    EXPECT_THAT(to_svg(chart, {}).toStdString(), HasSubstr("does not begin at 0"));
    EXPECT_GT(longest_run(to_image(chart, 1.0), bar_color(BarKind::less)), 50);
}

TEST_F(Charts, KeepSeriesWithinTheirAxes) {
    Chart chart = line_chart();
    chart.x = {.from = 100.0, .to = 200.0};
    chart.y = {.from = 1.0, .to = 2.0};
    chart.series = {{.name = "", .points = {{0, 100}, {150, 1.5}, {1000, -100}}}};
    const QImage image = to_image(chart, 1.0);
    const QRgb blue = series_color(0).rgb();
    int inside = 0;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) {
            const bool frame = x < 30 || x > image.width() - 12 || y < 40 || y > image.height() - 40;
            inside += image.pixel(x, y) == blue ? 1 : 0;
            EXPECT_FALSE(frame && image.pixel(x, y) == blue) << x << ", " << y;
        }
    }
    EXPECT_GT(inside, 50);
    EXPECT_THAT(warnings_of(chart), ElementsAre(HasSubstr("2 of 3 points lie outside the axes")));
}

TEST_F(Charts, AreAsLargeAsAsked) {
    Chart chart = line_chart();
    chart.width = 300;
    chart.height = 200;
    EXPECT_EQ(to_image(chart, 2.0).size(), QSize(600, 400));
    EXPECT_THAT(to_svg(chart, "").toStdString(), HasSubstr("viewBox=\"0 0 300 200\""));
}

} // namespace chokepoint::gui
