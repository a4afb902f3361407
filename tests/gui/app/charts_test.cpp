// SPDX-License-Identifier: GPL-3.0-or-later
// Every chart of every page, with what it shows of a real scenario: its legend hides series, it is copied and
// exported.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/chart_panel.hpp>
#include <app/main_window.hpp>
#include <app/page.hpp>
#include <app/timeline_view.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QClipboard>
#include <QFile>
#include <QGraphicsObject>
#include <QGraphicsView>
#include <QImage>
#include <QXmlStreamReader>
#include <QtCharts/QChart>
#include <QtCharts/QChartView>
#include <QtTest/QTest>

#include <map>
#include <set>

namespace chokepoint::gui {

using test::kSmall;
using test::need_application;
using test::read_file;
using test::ScratchDirectory;
using test::settings_in;
using test::wait_until;
using testing::HasSubstr;

namespace {

/// How many charts each page has.
const std::map<std::string, int> kCharts{{"start", 0},    {"scenario", 0}, {"compare", 4}, {"curves", 1},
                                         {"timeline", 0}, {"validate", 3}, {"rules", 2}};

/// The window on one page, which has computed what it shows.
class EveryChart : public testing::TestWithParam<std::string> {
protected:
    static void SetUpTestSuite() { need_application(); }

    void SetUp() override {
        // Of the published runs and kernels only some: all of them take longer than a test may.
        const std::string fast = scratch_.write("chokepoint", R"(#!/bin/sh
case "$1" in
validate) shift; set -- validate --filter gpu=h200 "$@" ;;
calibrate) set -- calibrate --holdout --points --json - "$6" ;;
esac
exec ')" CHOKEPOINT_CLI R"(' "$@")");
        QFile::setPermissions(QString::fromStdString(fast), QFile::ReadOwner | QFile::ExeOwner);
        setenv("CHOKEPOINT_CLI", fast.c_str(), 1);
        window_ = std::make_unique<MainWindow>(settings_in(scratch_), QString());
        setenv("CHOKEPOINT_CLI", CHOKEPOINT_CLI, 1);
        window_->resize(1600, 1000);
        window_->show();
        ASSERT_TRUE(window_->open(kSmall));
        window_->compareWith({QString::fromStdString(
            scratch_.write("other.toml", read_file(kSmall) + "\n[cluster.caps]\nnvlink = \"100 GB/s\"\n"))});
        window_->showPage(QString::fromStdString(GetParam()));
        page_ = window_->page(QString::fromStdString(GetParam()));
        page_->demonstrate();
        ASSERT_TRUE(wait_until([&] { return !page_->busy(); }));
        ASSERT_EQ(page_->problem().toStdString(), "");
    }
    QString file(const std::string& name) const {
        return QString::fromStdString((scratch_.path() / name).string());
    }
    QList<ChartPanel*> panels() const { return page_->findChildren<ChartPanel*>(); }

    ScratchDirectory scratch_;
    std::unique_ptr<MainWindow> window_;
    Page* page_ = nullptr;
};

/// The chart's view, once its layout has come to rest.
QChartView& settled(const ChartPanel& panel) {
    constexpr int kQuiet = 5; // turns of the event loop
    auto& view = *panel.findChild<QChartView*>();
    QRectF area;
    for (int quiet = 0; quiet < kQuiet; ++quiet) {
        QTest::qWait(1);
        const QRectF now = view.chart()->plotArea();
        quiet = now != area || now.isEmpty() ? 0 : quiet;
        area = now;
    }
    return view;
}

/// Where the entries of the legend stand in the view.
std::vector<QPoint> legend_entries(const ChartPanel& panel) {
    const QChartView* view = &settled(panel);
    std::vector<QPoint> places;
    for (QGraphicsItem* item : view->scene()->items(Qt::AscendingOrder)) {
        const QGraphicsObject* object = item->toGraphicsObject();
        if (object != nullptr && QByteArray(object->metaObject()->className()).endsWith("LegendMarkerItem") &&
            item->isVisible()) {
            places.push_back(view->mapFromScene(item->sceneBoundingRect().center()));
        }
    }
    std::ranges::sort(places, {}, [](const QPoint& at) { return std::pair(at.y(), at.x()); });
    return places;
}

std::set<std::string> hidden_series(const ChartPanel& panel) {
    std::set<std::string> names;
    for (const Series& series : panel.shown().series) {
        if (series.hidden) {
            names.insert(series.name);
        }
    }
    return names;
}

QImage plot_of(const ChartPanel& panel) {
    QChartView& view = settled(panel);
    return view.grab(view.chart()->plotArea().toRect()).toImage();
}

/// Rows of cells, as RFC 4180 has them.
std::vector<std::vector<std::string>> read_csv(const std::string& text) {
    std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
    bool quoted = false;
    for (const char c : text) {
        if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            rows.back().emplace_back();
        } else if (c == '\n' && !quoted) {
            rows.emplace_back(1);
        } else {
            rows.back().back() += c;
        }
    }
    EXPECT_FALSE(quoted);
    EXPECT_EQ(rows.back(), std::vector<std::string>(1)) << "the last line has an end";
    rows.pop_back();
    return rows;
}

void expect_picture(const QImage& image) {
    ASSERT_FALSE(image.isNull());
    EXPECT_GE(image.width(), 600);
    EXPECT_GE(image.height(), 300);
    std::set<QRgb> colors;
    for (int y = 0; y < image.height(); y += 3) {
        for (int x = 0; x < image.width(); x += 3) {
            colors.insert(image.pixel(x, y));
        }
    }
    EXPECT_GT(colors.size(), 4U) << "ground, ink, grid, axis, data";
}

/// All words of an SVG; fails if it is none.
std::string words_of_svg(const std::string& bytes) {
    QXmlStreamReader xml(QByteArray::fromStdString(bytes));
    std::string words, root;
    while (!xml.atEnd()) {
        xml.readNext();
        if (xml.isStartElement() && root.empty()) {
            root = xml.name().toString().toStdString();
        } else if (xml.isCharacters()) {
            words += xml.text().toString().toStdString() + "\n";
        }
    }
    EXPECT_EQ(root, "svg");
    EXPECT_FALSE(xml.hasError()) << xml.errorString().toStdString();
    return words;
}

void expect_table(const std::string& csv, std::size_t columns) {
    const auto rows = read_csv(csv);
    EXPECT_GT(rows.size(), 1U) << "a head and data";
    for (const auto& row : rows) {
        EXPECT_EQ(row.size(), columns) << row.front();
    }
}

} // namespace

TEST_P(EveryChart, IsKnownToThisTestAndHasSomethingToShow) {
    EXPECT_EQ(panels().size(), kCharts.at(GetParam()));
    for (const ChartPanel* panel : panels()) {
        EXPECT_FALSE(panel->isEmpty()) << panel->chart().title;
        EXPECT_NE(panel->chart().title, "");
        const bool bars = panel->chart().kind == ChartKind::stacked_bars;
        EXPECT_TRUE(bars || !panel->chart().x.label.empty()) << panel->chart().title;
        EXPECT_TRUE(panel->chart().kind == ChartKind::waterfall || !panel->chart().y.label.empty())
            << panel->chart().title;
    }
}

TEST_P(EveryChart, HidesASeriesByItsEntryInTheLegendAndBringsItBack) {
    for (ChartPanel* panel : panels()) {
        const std::string title = panel->chart().title;
        std::set<std::string> named;
        for (const Series& series : panel->chart().series) {
            if (!series.plain) {
                named.insert(series.name);
            }
        }
        QWidget& view = *panel->findChild<QChartView*>()->viewport();
        const std::size_t entries = legend_entries(*panel).size();
        ASSERT_EQ(entries, named.size()) << title << ": an entry each, and all of them in sight";
        const QImage all = plot_of(*panel);
        bool seen = false;
        std::set<std::string> hidden;
        for (std::size_t i = 0; i < entries; ++i) {
            const QPoint entry = legend_entries(*panel)[i];
            ASSERT_TRUE(view.rect().contains(entry)) << title << ", entry " << i;
            QTest::mouseClick(&view, Qt::LeftButton, {}, entry);
            QApplication::processEvents();
            const auto now = hidden_series(*panel);
            ASSERT_EQ(now.size(), 1U) << title << ", entry " << i;
            EXPECT_TRUE(hidden.insert(*now.begin()).second) << *now.begin() << " has two entries";
            seen = seen || plot_of(*panel) != all;
            ASSERT_EQ(legend_entries(*panel).size(), entries) << "a pale entry brings it back";
            QTest::mouseClick(&view, Qt::LeftButton, {}, legend_entries(*panel)[i]);
            QApplication::processEvents();
            EXPECT_EQ(hidden_series(*panel), std::set<std::string>()) << title << ", entry " << i;
            EXPECT_EQ(plot_of(*panel), all) << title << ", entry " << i;
        }
        EXPECT_EQ(hidden, named) << title;
        EXPECT_TRUE(seen || named.empty()) << title << ": the plot is the same without its series";
    }
}

TEST_P(EveryChart, ExportsAndCopiesWhatItShows) {
    int n = 0;
    for (ChartPanel* panel : panels()) {
        const Chart& chart = panel->chart();
        const std::string name = "chart" + std::to_string(++n);
        for (const char* ending : {".png", ".svg", ".csv"}) {
            panel->exportTo(file(name + ending));
        }
        const auto exported = [&](const char* ending) {
            return read_file((scratch_.path() / (name + ending)).string());
        };
        EXPECT_THAT(exported(".png"), testing::StartsWith("\x89PNG\r\n\x1a\n")) << chart.title;
        expect_picture(QImage(file(name + ".png")));
        EXPECT_THAT(words_of_svg(exported(".svg")), HasSubstr(chart.title));
        const std::string csv = exported(".csv");
        expect_table(csv, chart.kind == ChartKind::stacked_bars ? 3
                          : chart.kind == ChartKind::waterfall  ? 5
                                                                : 6);
        for (const Series& series : chart.series) {
            EXPECT_TRUE(series.points.empty() || csv.find(series.name) != std::string::npos) << series.name;
        }
        QApplication::clipboard()->clear();
        panel->setFocus();
        QTest::keyClick(panel, Qt::Key_C, Qt::ControlModifier);
        expect_picture(QApplication::clipboard()->image());
    }
}

TEST_P(EveryChart, ZoomsMovesAndComesBackByKeys) {
    for (ChartPanel* panel : panels()) {
        const auto range = [&] {
            const Chart shown = panel->shown();
            return std::tuple(shown.x.from, shown.x.to, shown.y.from, shown.y.to);
        };
        const auto whole = range();
        QTest::keyClick(panel, Qt::Key_Plus);
        const auto zoomed = range();
        EXPECT_NE(zoomed, whole) << panel->chart().title;
        QTest::keyClick(panel, panel->chart().kind == ChartKind::waterfall ? Qt::Key_Right : Qt::Key_Up);
        EXPECT_NE(range(), zoomed) << panel->chart().title;
        QTest::keyClick(panel, Qt::Key_Home);
        EXPECT_EQ(range(), whole) << panel->chart().title;
    }
}

INSTANTIATE_TEST_SUITE_P(Pages, EveryChart, testing::Values("compare", "curves", "validate", "rules"),
                         [](const auto& page) { return page.param; });

TEST(Charts, StandOnThePagesThatAreTried) {
    need_application();
    const ScratchDirectory scratch;
    MainWindow window(settings_in(scratch), QString());
    ASSERT_TRUE(window.open(kSmall));
    int all = 0;
    for (const QString& name : page_names()) {
        const auto on_page = window.page(name)->findChildren<ChartPanel*>().size();
        EXPECT_EQ(on_page, kCharts.at(name.toStdString())) << name.toStdString();
        all += static_cast<int>(on_page);
    }
    EXPECT_EQ(window.findChildren<ChartPanel*>().size(), all) << "none outside the pages";
}

} // namespace chokepoint::gui
