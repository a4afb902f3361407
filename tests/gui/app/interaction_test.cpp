// SPDX-License-Identifier: GPL-3.0-or-later
// Pointer, wheel and keys as a user has them: charts, the timeline, the form beside its text.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/chart_panel.hpp>
#include <app/document.hpp>
#include <app/main_window.hpp>
#include <app/scenario_editor.hpp>
#include <app/scenario_form.hpp>
#include <app/timeline_page.hpp>
#include <app/timeline_view.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QClipboard>
#include <QFile>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QWheelEvent>
#include <QtCharts/QChart>
#include <QtCharts/QChartView>
#include <QtTest/QTest>

namespace chokepoint::gui {

using test::kSmall;
using test::need_application;
using test::ScratchDirectory;
using test::settings_in;
using test::wait_until;
using testing::HasSubstr;

namespace {

void wheel(QWidget& widget, const QPointF& at, int notches, Qt::KeyboardModifiers modifiers = {}) {
    constexpr int kNotch = 120;
    QWheelEvent event(at, widget.mapToGlobal(at), {}, {0, notches * kNotch}, Qt::NoButton, modifiers,
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(&widget, &event);
}

void drag(QWidget& widget, const QPoint& from, const QPoint& to, Qt::KeyboardModifiers modifiers = {}) {
    QTest::mousePress(&widget, Qt::LeftButton, modifiers, from);
    // QTest moves without pressed buttons, which is all the same to those who remember their press.
    QTest::mouseMove(&widget, (from + to) / 2);
    QTest::mouseMove(&widget, to);
    QTest::mouseRelease(&widget, Qt::LeftButton, modifiers, to);
}

class Interaction : public testing::Test {
protected:
    static void SetUpTestSuite() { need_application(); }

    std::unique_ptr<MainWindow> window() {
        auto window = std::make_unique<MainWindow>(settings_in(scratch_), QString());
        window->resize(1400, 900);
        window->show();
        window->activateWindow();
        EXPECT_TRUE(QTest::qWaitForWindowActive(window.get())) << "keys go to the active window";
        EXPECT_TRUE(window->open(kSmall));
        return window;
    }
    ScratchDirectory scratch_;
};

} // namespace

TEST_F(Interaction, ZoomsMovesResetsAndCopiesCharts) {
    Chart chart;
    chart.title = "Two lines";
    chart.series = {{.name = "up", .points = {{0, 0}, {10, 20}}},
                    {.name = "down", .points = {{0, 20}, {10, 0}}}};
    ChartPanel panel;
    panel.resize(700, 500);
    panel.setChart(chart);
    panel.show();
    auto* view = panel.findChild<QChartView*>();
    ASSERT_TRUE(wait_until([&] { return !view->chart()->plotArea().isEmpty(); }));
    const QPointF middle = view->chart()->plotArea().center();
    wheel(*view->viewport(), middle, 1);
    ASSERT_TRUE(panel.shown().x.from);
    const double zoomed = *panel.shown().x.to - *panel.shown().x.from;
    EXPECT_LT(zoomed, 10.0);
    const double left = *panel.shown().x.from;
    drag(*view->viewport(), middle.toPoint(), middle.toPoint() + QPoint(80, 0));
    EXPECT_LT(*panel.shown().x.from, left) << "what is dragged to the right was further left";
    EXPECT_NEAR(*panel.shown().x.to - *panel.shown().x.from, zoomed, 1e-9);
    QTest::mouseDClick(view->viewport(), Qt::LeftButton, {}, middle.toPoint());
    EXPECT_FALSE(panel.shown().x.from);
    panel.setFocus();
    QTest::keyClick(&panel, Qt::Key_Plus);
    EXPECT_TRUE(panel.shown().x.from);
    QTest::keyClick(&panel, Qt::Key_Home);
    EXPECT_FALSE(panel.shown().x.from);
    QApplication::clipboard()->clear();
    QTest::keyClick(&panel, Qt::Key_C, Qt::ControlModifier);
    EXPECT_FALSE(QApplication::clipboard()->image().isNull());
}

TEST_F(Interaction, TypesInTheFormAndUndoesInTheText) {
    const auto window = this->window();
    window->showPage("scenario");
    auto* editor = window->findChild<ScenarioEditor*>();
    ASSERT_TRUE(wait_until([&] { return !editor->busy(); }));
    const QString before = window->document().text();
    QLineEdit* field = nullptr;
    for (QLineEdit* edit : editor->form().findChildren<QLineEdit*>()) {
        field = edit->accessibleName() == "plan.micro_batch" ? edit : field;
    }
    ASSERT_NE(field, nullptr);
    EXPECT_THAT(editor->form().explanation(field).toStdString(), HasSubstr("From 1 to 4096."));
    field->setFocus();
    field->selectAll();
    QTest::keyClicks(field, "7");
    QTest::keyClick(field, Qt::Key_Return);
    EXPECT_NE(window->document().text(), before);
    EXPECT_THAT(window->document().text().toStdString(), HasSubstr("micro_batch = 7"));
    ASSERT_TRUE(wait_until([&] { return !editor->busy(); }));
    EXPECT_FALSE(editor->faults().isEmpty()) << "7 divides no batch of this scenario";
    QTest::keyClick(field, Qt::Key_Z, Qt::ControlModifier);
    EXPECT_EQ(window->document().text(), before);
    EXPECT_EQ(field->text(), QString("1"));
    ASSERT_TRUE(wait_until([&] { return !editor->busy(); }));
    EXPECT_TRUE(editor->faults().isEmpty());
    editor->text().setFocus();
    QTest::keyClick(&editor->text(), Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
    EXPECT_EQ(field->text(), QString("7"));
    window->document().editable().setModified(false);
}

TEST_F(Interaction, WalksOverTheTimelineByKeysAndPointer) {
    const auto window = this->window();
    window->showPage("timeline");
    auto* page = static_cast<TimelinePage*>(window->page("timeline"));
    ASSERT_TRUE(wait_until([&] { return !page->busy() && !page->empty(); }));
    TimelineView& view = page->view();
    const double whole = view.to();
    QTest::keyClick(&view, Qt::Key_W);
    EXPECT_LT(view.to() - view.from(), whole);
    const double from = view.from();
    QTest::keyClick(&view, Qt::Key_D);
    EXPECT_GT(view.from(), from);
    QTest::keyClick(&view, Qt::Key_Home);
    EXPECT_EQ(view.to() - view.from(), whole);
    const QPoint middle = view.viewport()->rect().center();
    wheel(*view.viewport(), middle, 2, Qt::ControlModifier);
    EXPECT_LT(view.to() - view.from(), whole);
    QTest::keyClick(&view, Qt::Key_Home);
    drag(*view.viewport(), middle, middle + QPoint(100, 0), Qt::ShiftModifier);
    EXPECT_LT(view.to() - view.from(), whole / 2) << "a stretch is drawn with Shift";
    QLineEdit* search = nullptr;
    for (QLineEdit* edit : page->findChildren<QLineEdit*>()) {
        search = edit->accessibleName() == "Find spans" ? edit : search;
    }
    ASSERT_NE(search, nullptr);
    QTest::keyClicks(search, "combine");
    QTest::keyClick(search, Qt::Key_Return);
    ASSERT_TRUE(view.selected());
    QTest::keyClick(&view, Qt::Key_F);
    EXPECT_LE(view.from(), view.startOf(*view.selected()));
    EXPECT_GE(view.to(), view.endOf(*view.selected()));
    EXPECT_NEAR(view.to() - view.from(), 2 * (view.endOf(*view.selected()) - view.startOf(*view.selected())),
                1e-9);
}

TEST_F(Interaction, ExportsTheShownStretchOfTheTimeline) {
    const auto window = this->window();
    window->showPage("timeline");
    auto* page = static_cast<TimelinePage*>(window->page("timeline"));
    ASSERT_TRUE(wait_until([&] { return !page->busy() && !page->empty(); }));
    TimelineView& view = page->view();
    const auto at = [&](const char* name) {
        return QString::fromStdString((scratch_.path() / name).string());
    };
    const auto lines = [&] {
        view.exportTo(at("t.csv"));
        return std::ranges::count(test::read_file(at("t.csv").toStdString()), '\n');
    };
    EXPECT_EQ(static_cast<std::size_t>(lines()), view.models()[0]->span_count() + 1);
    EXPECT_THAT(test::read_file(at("t.csv").toStdString()),
                testing::StartsWith("timeline,process,track,span,start (s),end (s),detail\nA,"));
    const auto all = lines();
    view.search("combine");
    view.nextMatch(1);
    view.setFocus();
    QTest::keyClick(&view, Qt::Key_F);
    EXPECT_LT(lines(), all) << "what is out of sight is left out";
    EXPECT_THAT(test::read_file(at("t.csv").toStdString()), HasSubstr("combine"));
    view.exportTo(at("t.png"));
    EXPECT_FALSE(QImage(at("t.png")).isNull());
    view.exportTo(at("t.svg"));
    EXPECT_THAT(test::read_file(at("t.svg").toStdString()), HasSubstr("pipeline rank 0"));
    EXPECT_THROW(view.exportTo(at("t.gif")), std::runtime_error);
    EXPECT_THROW(view.exportTo("/no/such/folder/t.csv"), std::runtime_error);
    QApplication::clipboard()->clear();
    QTest::keyClick(&view, Qt::Key_C, Qt::ControlModifier);
    EXPECT_FALSE(QApplication::clipboard()->image().isNull());
}

TEST_F(Interaction, PutsAProfileOfRealTrainingBelowTheStep) {
    const auto window = this->window();
    window->showPage("timeline");
    auto* page = static_cast<TimelinePage*>(window->page("timeline"));
    ASSERT_TRUE(wait_until([&] { return !page->busy() && !page->empty(); }));
    page->addBelow("tests/data/kineto/small.json");
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_EQ(page->problem(), "");
    TimelineView& view = page->view();
    ASSERT_EQ(view.models().size(), 2U);
    EXPECT_THAT(view.models()[1]->tracks().front().process_name.toStdString(), HasSubstr("NVIDIA H100"));
    EXPECT_GT(view.search("my_own_kernel"), 0U) << "kernels are found by their own names too";
    view.search("attn");
    view.nextMatch(1);
    ASSERT_TRUE(view.selected());
    ASSERT_EQ(view.selected()->model, 0U);
    page->alignBelow();
    EXPECT_EQ(view.offset(1), view.startOf(*view.selected()));
    EXPECT_GE(view.end(), view.offset(1) + view.models()[1]->end());

    const std::string cut =
        scratch_.write("cut.json", test::read_file("tests/data/kineto/small.json").substr(0, 2000));
    page->addBelow(QString::fromStdString(cut));
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_THAT(page->problem().toStdString(), HasSubstr("cut.json: error: byte 2001"));
    EXPECT_EQ(view.models().size(), 2U) << "what was there stays";
    page->addBelow("/no/such/trace.json");
    EXPECT_THAT(page->problem().toStdString(), HasSubstr("cannot read '/no/such/trace.json'"));
    EXPECT_FALSE(page->busy());
}

TEST_F(Interaction, ReadsATraceFileThatCountsFromAnArbitraryMoment) {
    const auto window = this->window();
    window->showPage("timeline");
    auto* page = static_cast<TimelinePage*>(window->page("timeline"));
    ASSERT_TRUE(wait_until([&] { return !page->busy() && !page->empty(); }));
    const std::string trace = scratch_.write(
        "other.json",
        R"({"traceEvents":[{"ph":"X","pid":1,"tid":1,"ts":1700000000000000,"dur":10,"name":"a \"b\""}]})");
    page->addBelow(QString::fromStdString(trace));
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    ASSERT_EQ(page->view().models().size(), 2U);
    const TraceModel& model = *page->view().models()[1];
    EXPECT_NEAR(model.end(), 10e-6, 1e-7);
    EXPECT_EQ(model.name(model.tracks()[0].spans[0].name), QString("a \"b\""));
}

} // namespace chokepoint::gui
