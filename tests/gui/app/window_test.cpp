// SPDX-License-Identifier: GPL-3.0-or-later
// The window as a whole: its pages compute their content, keep old results dimmed, and show errors in place.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/cap_panel.hpp>
#include <app/chart_panel.hpp>
#include <app/compare_page.hpp>
#include <app/contract.hpp>
#include <app/difference_panel.hpp>
#include <app/document.hpp>
#include <app/guide_bar.hpp>
#include <app/main_window.hpp>
#include <app/scenario_editor.hpp>
#include <app/scenario_form.hpp>
#include <app/screenshot.hpp>
#include <app/start_page.hpp>
#include <app/theme.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QAccessible>
#include <QComboBox>
#include <QDialog>
#include <QDockWidget>
#include <QFile>
#include <QFocusEvent>
#include <QGraphicsSimpleTextItem>
#include <QGraphicsView>
#include <QImage>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QProcess>
#include <QPushButton>
#include <QRegularExpression>
#include <QSettings>
#include <QSlider>
#include <QTableView>
#include <QTableWidget>
#include <QTimer>

#include <filesystem>
#include <set>

namespace chokepoint::gui {

using test::kSmall;
using test::need_application;
using test::ScratchDirectory;
using test::settings_in;
using test::wait_until;
using testing::HasSubstr;

namespace {

class Window : public testing::Test {
protected:
    static void SetUpTestSuite() { need_application(); }

    std::unique_ptr<QSettings> settings() { return settings_in(scratch_); }
    std::unique_ptr<MainWindow> window() { return std::make_unique<MainWindow>(settings(), QString()); }
    /// Does something with the next dialog.
    template <class Answer> static void whenAsked(Answer answer) {
        auto* timer = new QTimer;
        timer->callOnTimeout([timer, answer] {
            if (QWidget* asking = QApplication::activeModalWidget()) {
                timer->deleteLater();
                timer->stop();
                answer(*asking);
            }
        });
        timer->start(10);
    }
    static void choose(const MainWindow& window, const QString& action) {
        for (QAction* one : window.findChildren<QAction*>()) {
            if (one->text() == action) {
                return one->trigger();
            }
        }
        FAIL() << "no " << action.toStdString();
    }
    /// As typed: QFileDialog::selectFile() leaves the name alone once it has the focus.
    static void nameFile(QWidget& dialog, const std::string& path) {
        auto* name = dialog.findChild<QLineEdit*>("fileNameEdit");
        ASSERT_NE(name, nullptr);
        name->setText(QString::fromStdString(path));
        QMetaObject::invokeMethod(&dialog, "accept");
    }

    ScratchDirectory scratch_;
};

} // namespace

TEST_F(Window, ComparesWhatIsOpenAndSaysInPlaceWhatIsWrong) {
    const auto window = this->window();
    window->show();
    ASSERT_TRUE(window->open(kSmall));
    window->showPage("compare");
    Page* page = window->page("compare");
    EXPECT_TRUE(page->busy());
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_FALSE(page->empty());
    EXPECT_EQ(page->problem(), "");

    window->document().editable().setPlainText("title = 3\n");
    page->activate();
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_THAT(page->problem().toStdString(), HasSubstr("small-16-gpus.toml:1:9: error: "));
    EXPECT_FALSE(page->empty()) << "the old result stays";
    window->document().editable().setModified(false);
}

TEST_F(Window, TellsOnItsCardWhatTheCommandLineRemarksOnARun) {
    const auto window = this->window();
    window->show();
    ASSERT_TRUE(window->open(kSmall));
    window->document().editable().setPlainText(window->document().text() + "# edited\n");
    window->showPage("compare");
    Page* page = window->page("compare");
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    const test::CliResult run = test::run_cli({"run", kSmall, "--json", "-"});
    const QStringList remarks = parse_run(QByteArray::fromStdString(run.out)).warnings;
    ASSERT_FALSE(remarks.isEmpty());
    auto* button = page->findChild<QPushButton*>("remarks");
    ASSERT_TRUE(button->isVisible());
    EXPECT_EQ(button->text().section(' ', 0, 0).toInt(), remarks.size());
    EXPECT_NE(button->focusPolicy() & Qt::TabFocus, 0);
    button->click();
    auto* dialog = page->findChild<QDialog*>();
    ASSERT_NE(dialog, nullptr);
    const auto* list = dialog->findChild<QListWidget*>();
    ASSERT_EQ(list->count(), remarks.size());
    for (int i = 0; i < list->count(); ++i) {
        EXPECT_EQ(list->item(i)->text(), QString(remarks[i]).replace("scenarios/", ""));
    }
    dialog->close();
    window->document().editable().setModified(false);
}

TEST_F(Window, ExplainsTheDifferenceOfEveryFurtherScenario) {
    const auto window = this->window();
    window->show();
    ASSERT_TRUE(window->open(kSmall));
    QFile file(kSmall);
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    const std::string small = file.readAll().toStdString();
    for (const char* name : {"b.toml", "c.toml"}) {
        window->compareWith({QString::fromStdString(scratch_.write(name, small))});
    }
    window->showPage("compare");
    Page* page = window->page("compare");
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_EQ(page->problem(), "");
    auto* difference = page->findChild<DifferencePanel*>();
    EXPECT_EQ(difference->chart().chart().panels.size(), 2U) << "from A to B, and from A to C";
}

TEST_F(Window, JudgesAndPricesAPartThatIsDraggedToACap) {
    const auto window = this->window();
    window->show();
    ASSERT_TRUE(window->open(kSmall));
    window->showPage("rules");
    Page* page = window->page("rules");
    ASSERT_TRUE(wait_until([&] { return !page->busy() && !page->empty(); }));
    auto* day = page->findChild<QSlider*>();
    day->setValue(day->minimum()); // the rule of October 2022: 600 GB/s
    auto* part = page->findChild<QComboBox*>();
    part->setCurrentText("h100-sxm");
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    const auto ruling = [&] { return page->findChild<QTableWidget*>()->item(0, 1)->text().toStdString(); };
    EXPECT_EQ(ruling(), "licence");
    auto* plane = page->findChild<ChartPanel*>();
    emit plane->gripMoved(1e9, 400.0, true);
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_EQ(ruling(), "free");
    EXPECT_EQ(page->problem(), "");
    emit plane->gripMoved(1e9, 1e9, true);
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_EQ(ruling(), "licence") << "as it is";
}

TEST_F(Window, PricesAPartAsItIsWhateverTheScenarioCapsItTo) {
    const std::string small = test::read_file(kSmall);
    std::vector<std::string> steps;
    for (const std::string caps : {"", "caps = { nvlink = \"10 GB/s\", memory_bandwidth = \"1 TB/s\" }\n"}) {
        std::string text = small;
        text.insert(text.find("gpu = "), caps);
        const auto window = this->window();
        window->show();
        ASSERT_TRUE(window->open(QString::fromStdString(scratch_.write("a.toml", text))));
        window->showPage("rules");
        Page* page = window->page("rules");
        ASSERT_TRUE(wait_until([&] { return !page->busy() && !page->empty(); }));
        emit page->findChild<ChartPanel*>()->gripMoved(1e9, 200.0, true);
        ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
        for (const QLabel* label : page->findChild<CapPanel*>()->findChildren<QLabel*>()) {
            if (label->accessibleName() == "Step") {
                steps.push_back(label->text().toStdString());
            }
        }
    }
    ASSERT_EQ(steps.size(), 4U);
    EXPECT_NE(steps[0], "");
    EXPECT_EQ(steps[0], steps[2]) << "as it is";
    EXPECT_EQ(steps[1], steps[3]) << "as the ring caps it, and no further";
    EXPECT_NE(steps[0], steps[1]);
}

TEST_F(Window, NamesEveryPartOnEveryPlaneOfTheRules) {
    const auto window = this->window();
    window->resize(1600, 1000);
    ASSERT_TRUE(window->open(kSmall));
    window->show();
    window->showPage("rules");
    Page* page = window->page("rules");
    ASSERT_TRUE(wait_until([&] { return !page->busy() && !page->empty(); }));
    auto* day = page->findChild<QSlider*>();
    auto* part = page->findChild<QComboBox*>();
    for (const QString chosen : {"h100-sxm", "mi300x", "h800-pcie"}) {
        part->setCurrentText(chosen);
        for (int at = day->minimum(); at <= day->maximum(); ++at) {
            day->setValue(at);
            ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
            QApplication::processEvents();
            for (const ChartPanel* plane : page->findChildren<ChartPanel*>()) {
                std::set<std::string> parts, named;
                for (const Series& series : plane->chart().series) {
                    parts.insert(series.labels.begin(), series.labels.end());
                }
                std::vector<QRectF> boxes;
                for (QGraphicsItem* item : plane->findChild<QGraphicsView*>()->scene()->items()) {
                    const auto* label = qgraphicsitem_cast<QGraphicsSimpleTextItem*>(item);
                    if (label == nullptr || !label->isVisible() || label->opacity() == 0.0) {
                        continue;
                    }
                    for (const QString& name : label->text().split('\n')) {
                        named.insert(name.toStdString());
                    }
                    for (const QRectF& other : boxes) {
                        EXPECT_FALSE(other.intersects(label->sceneBoundingRect()))
                            << label->text().toStdString() << " on day " << at;
                    }
                    boxes.push_back(label->sceneBoundingRect());
                }
                EXPECT_GT(parts.size(), 5U);
                EXPECT_THAT(named, testing::IsSupersetOf(parts)) << plane->chart().title << " on day " << at;
            }
        }
    }
}

TEST_F(Window, ShowsEveryThresholdOfEveryRuleWhole) {
    const auto window = this->window();
    ASSERT_TRUE(window->open(kSmall));
    window->show();
    window->showPage("rules");
    Page* page = window->page("rules");
    ASSERT_TRUE(wait_until([&] { return !page->busy() && !page->empty(); }));
    auto* table = page->findChild<QTableWidget*>();
    for (const int width : {1600, 1200}) {
        window->resize(width, 900);
        QApplication::processEvents();
        ASSERT_GT(table->rowCount(), 0);
        for (int row = 0; row < table->rowCount(); ++row) {
            for (int column = 0; column < table->columnCount(); ++column) {
                const QTableWidgetItem* item = table->item(row, column);
                const QRect cell = table->visualItemRect(item);
                EXPECT_LE(cell.right(), table->viewport()->width()) << "no scrolling sideways";
                const QRect needed = table->fontMetrics().boundingRect(QRect(0, 0, cell.width() - 8, 10'000),
                                                                       Qt::TextWordWrap, item->text());
                EXPECT_LE(needed.height(), cell.height()) << item->text().toStdString();
                EXPECT_LE(needed.width(), cell.width()) << item->text().toStdString();
            }
        }
    }
}

TEST_F(Window, GuidesFromPageToPage) {
    const auto window = this->window();
    window->show();
    auto* guide = window->findChild<GuideBar*>();
    EXPECT_FALSE(guide->isVisible());
    window->startGuide();
    EXPECT_TRUE(guide->isVisible());
    EXPECT_TRUE(window->page("compare")->isVisible());
    EXPECT_TRUE(window->document().isOpen());
    std::set<QString> pages;
    QObject::connect(guide, &GuideBar::pageAsked, [&](const QString& page) {
        EXPECT_TRUE(window->page(page)->isVisible());
        pages.insert(page);
    });
    const QList<QPushButton*> buttons = guide->findChildren<QPushButton*>();
    QPushButton* next = buttons[1];
    for (int step = 0; step < GuideBar::steps(); ++step) {
        next->click();
    }
    EXPECT_EQ(pages.size(), static_cast<std::size_t>(GuideBar::steps()) - 1);
    EXPECT_FALSE(guide->isVisible()) << "after the last step";
}

TEST_F(Window, GuidesOverItsWholeWidthOnEveryPage) {
    const auto window = this->window();
    window->resize(1200, 800);
    window->show();
    window->startGuide();
    auto* guide = window->findChild<GuideBar*>();
    for (const QString& page : page_names()) {
        window->showPage(page);
        QApplication::processEvents();
        EXPECT_GT(guide->width(), window->width() - 40) << page.toStdString();
        for (QLabel* words : guide->findChildren<QLabel*>()) {
            EXPECT_GE(words->height(), words->heightForWidth(words->width()))
                << page.toStdString() << " cuts: " << words->text().toStdString();
        }
    }
}

TEST_F(Window, WritesItsWordsInTheColoursOfTheLook) {
    const auto window = this->window();
    window->show();
    window->startGuide();
    const auto lightest = [](QWidget& widget) {
        const QImage image = widget.grab().toImage();
        int most = 0, least = 255;
        for (int y = 0; y < image.height(); ++y) {
            for (int x = 0; x < image.width(); ++x) {
                const int gray = qGray(image.pixel(x, y));
                most = std::max(most, gray);
                least = std::min(least, gray);
            }
        }
        return std::pair(least, most);
    };
    for (const Look look : {Look::dark, Look::light, Look::dark}) {
        apply_look(look);
        for (const QString& page : page_names()) {
            window->showPage(page);
            QApplication::processEvents();
            for (QLabel* label : window->findChildren<QLabel*>()) {
                const bool words = label->isVisible() && !label->visibleRegion().isEmpty() &&
                                   label->isEnabled() && !label->text().isEmpty();
                if (!words) {
                    continue;
                }
                const auto [least, most] = lightest(*label);
                // Ink on a dark ground is light, and the other way round; half-way is still readable.
                EXPECT_TRUE(look == Look::dark ? most > 130 : least < 125)
                    << page.toStdString() << ": " << label->text().toStdString() << " has " << least << " to "
                    << most;
            }
        }
    }
    apply_look(Look::light);
}

TEST_F(Window, RemembersRecentFilesAndForgetsItsLayoutOnDemand) {
    {
        const auto window = this->window();
        ASSERT_TRUE(window->open(kSmall));
        window->show();
        window->resize(1000, 700);
        window->close();
    }
    EXPECT_THAT(settings()->value("recent").toStringList().join(",").toStdString(),
                HasSubstr("small-16-gpus.toml"));
    EXPECT_TRUE(settings()->contains("geometry"));
    const auto window = this->window();
    EXPECT_EQ(window->size(), QSize(1000, 700));
    window->restoreDefaultLayout();
    EXPECT_NE(window->size(), QSize(1000, 700));
}

TEST_F(Window, SaysOnTheStartPageThatTheCommandLineAnswersNothing) {
    for (const std::string& program : {std::string("/no/such/program"), std::string("/bin/false")}) {
        setenv("CHOKEPOINT_CLI", program.c_str(), 1);
        const auto window = this->window();
        setenv("CHOKEPOINT_CLI", CHOKEPOINT_CLI, 1);
        window->show();
        Page* start = window->page("start");
        start->activate();
        ASSERT_TRUE(wait_until([&] { return !start->busy(); }));
        EXPECT_NE(start->problem(), "") << program;
        EXPECT_TRUE(start->empty()) << "a picture of it would show nothing that was computed";
        EXPECT_TRUE(std::ranges::any_of(start->findChildren<QLabel*>(), [&](const QLabel* label) {
            return label->isVisible() && label->text() == start->problem();
        })) << program;
    }
}

TEST_F(Window, TellsRecentFilesOfOneNameApart) {
    const std::string small = test::read_file(kSmall);
    const auto window = this->window();
    for (const char* folder : {"eu", "us"}) {
        std::filesystem::create_directory(scratch_.path() / folder);
        const std::string file = scratch_.write(std::string(folder) + "/same.toml", small);
        ASSERT_TRUE(window->open(QString::fromStdString(file)));
    }
    window->show();
    auto* recent = window->page("start")->findChild<QListWidget*>();
    ASSERT_EQ(recent->count(), 2);
    std::set<QString> shown;
    for (int i = 0; i < recent->count(); ++i) {
        const QStringList lines = recent->item(i)->text().split(QChar::LineSeparator);
        EXPECT_EQ(lines.front(), "same.toml");
        shown.insert(recent->fontMetrics().elidedText(lines.back(), Qt::ElideMiddle,
                                                      recent->viewport()->width() - 10));
    }
    EXPECT_EQ(shown.size(), 2U) << "also where the folder's name is shortened";
}

TEST_F(Window, AsksBeforeASaveUndoesWhatAnotherProgramWrote) {
    const std::string path = scratch_.write("a.toml", "title = \"a\"\n");
    const auto window = this->window();
    window->show();
    ASSERT_TRUE(window->open(QString::fromStdString(path)));
    QTextCursor(&window->document().editable()).insertText("# ours\n");
    ASSERT_EQ(scratch_.write("a.toml", "title = \"theirs\"\n"), path);
    ASSERT_TRUE(wait_until([&] { return !window->message().isEmpty(); }));
    EXPECT_THAT(window->message().toStdString(), HasSubstr("a.toml has been changed by another program"));
    const auto press = [](const QString& name) {
        whenAsked([name](QWidget& box) {
            for (auto* button : box.findChildren<QAbstractButton*>()) {
                if (button->text() == name) {
                    return button->click();
                }
            }
            FAIL() << "no " << name.toStdString();
        });
    };
    whenAsked([](QWidget& box) { box.close(); });
    choose(*window, "&Save");
    EXPECT_EQ(test::read_file(path), "title = \"theirs\"\n");
    EXPECT_TRUE(window->document().isModified());
    press("&Overwrite");
    choose(*window, "&Save");
    EXPECT_EQ(test::read_file(path), "# ours\ntitle = \"a\"\n");
    EXPECT_EQ(window->message(), "");
}

TEST_F(Window, SavesACopyOfAScenarioThatComesWithIt) {
    const QString shipped = shipped_scenarios().front().path;
    EXPECT_TRUE(is_shipped(shipped));
    EXPECT_FALSE(is_shipped(QString::fromStdString(scratch_.write("a.toml", ""))));
    const std::string before = test::read_file(shipped.toStdString());
    const std::string mine = (scratch_.path() / "mine.toml").string();
    const auto window = this->window();
    window->show();
    ASSERT_TRUE(window->open(shipped));
    QTextCursor(&window->document().editable()).insertText("# mine\n");
    whenAsked([](QWidget& dialog) { dialog.close(); });
    choose(*window, "&Save");
    EXPECT_TRUE(window->document().isModified());
    whenAsked([&](QWidget& dialog) { nameFile(dialog, mine); });
    choose(*window, "&Save");
    EXPECT_EQ(test::read_file(shipped.toStdString()), before);
    EXPECT_EQ(test::read_file(mine), "# mine\n" + before);
    EXPECT_EQ(window->document().path().toStdString(), mine);
}

TEST_F(Window, ChecksAndSavesATextThatHasNoFileYet) {
    const auto window = this->window();
    window->show();
    EXPECT_FALSE(window->document().isOpen());
    choose(*window, "&Save");
    EXPECT_THAT(window->message().toStdString(), HasSubstr("no scenario"));
    choose(*window, "&New");
    Page* page = window->page("scenario");
    EXPECT_TRUE(page->isVisible());
    EXPECT_TRUE(window->windowTitle().startsWith("untitled")) << window->windowTitle().toStdString();
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_THAT(page->problem().toStdString(), HasSubstr("cluster"));
    window->document().editable().setPlainText(QString::fromStdString(test::read_file(kSmall)));
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_EQ(page->problem(), "");
    EXPECT_FALSE(page->empty());
    const std::string mine = (scratch_.path() / "mine.toml").string();
    window->document().editable().setModified(true);
    whenAsked([&](QWidget& dialog) { nameFile(dialog, mine); });
    choose(*window, "&Save");
    EXPECT_EQ(test::read_file(mine), test::read_file(kSmall));
    EXPECT_EQ(window->windowTitle().section('[', 0, 0), "mine.toml");
}

TEST_F(Window, FitsASmallScreenWithAsManyScenariosAsThereCanBe) {
    const std::string small = test::read_file(kSmall);
    const auto window = this->window();
    window->resize(1024, 700);
    window->show();
    ASSERT_TRUE(window->open(kSmall));
    QStringList others;
    for (int i = 1; i < ComparePage::kMost; ++i) {
        others << QString::fromStdString(
            scratch_.write("a-rather-long-name" + std::to_string(i) + ".toml", small));
    }
    window->compareWith(others);
    for (const QString& page : page_names()) {
        window->showPage(page);
        // Figures make cards taller; the other pages are as wide while they compute.
        ASSERT_TRUE(wait_until([&] { return page != "compare" || !window->page(page)->busy(); }));
        QApplication::processEvents();
        EXPECT_LE(window->minimumSizeHint().width(), 1024) << page.toStdString();
        EXPECT_LE(window->minimumSizeHint().height(), 700) << page.toStdString();
    }
    window->showPage("scenario");
    QApplication::processEvents();
    for (const QLineEdit* value : window->findChild<ScenarioEditor*>()->form().findChildren<QLineEdit*>()) {
        if (value->isVisible()) {
            EXPECT_GE(value->width(), 80) << value->accessibleName().toStdString();
        }
    }
}

TEST_F(Window, ReachesCardsBeforeChartsAndShowsWhichChartHasTheKeys) {
    const auto window = this->window();
    window->show();
    ASSERT_TRUE(window->open(kSmall));
    window->compareWith({QString::fromStdString(scratch_.write("b.toml", test::read_file(kSmall)))});
    window->showPage("compare");
    Page* page = window->page("compare");
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    std::vector<std::string> order;
    QWidget* at = page->findChild<QPushButton*>("remarks");
    for (const QWidget* first = at; order.size() < 1000; at = at->nextInFocusChain()) {
        if (at == first && !order.empty()) {
            break;
        }
        const bool counts = at->isVisible() && (qobject_cast<QAbstractButton*>(at) != nullptr ||
                                                qobject_cast<ChartPanel*>(at) != nullptr);
        if (counts) {
            order.emplace_back(at->metaObject()->className());
        }
    }
    EXPECT_THAT(
        std::vector(order.begin(), order.begin() + 4),
        testing::ElementsAre("QPushButton", "QToolButton", "QPushButton", "chokepoint::gui::ChartPanel"));
    auto* chart = page->findChild<ChartPanel*>();
    const QRgb before = chart->grab().toImage().pixel(1, 1);
    QFocusEvent in(QEvent::FocusIn), out(QEvent::FocusOut);
    QApplication::sendEvent(chart, &in);
    EXPECT_EQ(chart->grab().toImage().pixel(1, 1), chart->palette().color(QPalette::Highlight).rgb());
    QApplication::sendEvent(chart, &out);
    EXPECT_EQ(chart->grab().toImage().pixel(1, 1), before);
}

TEST_F(Window, TellsOfTheOpenScenarioAlone) {
    const auto window = this->window();
    window->show();
    ASSERT_TRUE(window->open(kSmall));
    window->showPage("scenario");
    Page* page = window->page("scenario");
    ASSERT_TRUE(wait_until([&] { return !page->busy() && !page->empty(); }));
    auto* editor = window->findChild<ScenarioEditor*>();
    QLineEdit* nodes = nullptr;
    for (QLineEdit* edit : editor->form().findChildren<QLineEdit*>()) {
        nodes = edit->accessibleName() == "cluster.nodes" ? edit : nodes;
    }
    ASSERT_NE(nodes, nullptr);
    emit qApp->focusChanged(nullptr, nodes);
    const auto told = [&](const QString& words) {
        return std::ranges::any_of(editor->findChildren<QLabel*>(), [&](const QLabel* label) {
            return label->text().startsWith("<b>cluster.nodes</b>") && label->text().contains(words);
        });
    };
    EXPECT_TRUE(told("Now <b>2</b>"));
    ASSERT_TRUE(window->open(QString::fromStdString(scratch_.write("a.toml", "[cluster]\nnodes = \"x\"\n"))));
    EXPECT_TRUE(told(""));
    EXPECT_FALSE(told("Now")) << "of the scenario before";
    EXPECT_TRUE(page->empty()) << "nor its other values";
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_FALSE(told("Now"));
}

TEST_F(Window, SaysThatThereIsNoStepWhereTheCommandLineCannotBeStarted) {
    setenv("CHOKEPOINT_CLI", "/no/such/program", 1);
    const auto window = this->window();
    setenv("CHOKEPOINT_CLI", CHOKEPOINT_CLI, 1);
    window->show();
    ASSERT_TRUE(window->open(kSmall));
    window->showPage("compare");
    Page* page = window->page("compare");
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_THAT(page->problem().toStdString(), HasSubstr("cannot start"));
    EXPECT_EQ(page->findChild<ChartPanel*>()->hint(), "There is no step to see.");
}

TEST_F(Window, ShowsWhereEveryValueIsFrom) {
    const auto window = this->window();
    window->resize(1600, 1000);
    window->show();
    ASSERT_TRUE(window->open(kSmall));
    window->showPage("scenario");
    Page* page = window->page("scenario");
    ASSERT_TRUE(wait_until([&] { return !page->busy() && !page->empty(); }));
    auto* table = page->findChild<QTableView*>();
    constexpr int kWhere = 3;
    constexpr int kPadding = 8;
    for (int row = 0; row < table->model()->rowCount(); ++row) {
        const QModelIndex cell = table->model()->index(row, kWhere);
        const QString where = cell.data().toString();
        EXPECT_THAT(cell.data(Qt::ToolTipRole).toString().toStdString(),
                    HasSubstr(where.toHtmlEscaped().toStdString()));
        // "line 14:7", "hgx-8x400g": the file, or the catalog's entry, is read without a hover.
        const QString shown = table->fontMetrics().elidedText(where, table->textElideMode(),
                                                              table->visualRect(cell).width() - kPadding);
        if (cell.siblingAtColumn(2).data() == "catalog") {
            EXPECT_TRUE(shown.startsWith(where.section(QRegularExpression("[ :]"), 0, 0)))
                << shown.toStdString();
        }
        if (cell.siblingAtColumn(2).data() == "file") {
            EXPECT_EQ(shown, where);
        }
    }
}

TEST_F(Window, ShowsEveryPageWithoutADisplay) {
    // The others run more than one scenario each, which takes longer than a test may.
    for (const QString name : {"scenario", "compare", "timeline"}) {
        const QString file =
            QString::fromStdString((scratch_.path() / (name.toStdString() + ".png")).string());
        QProcess program;
        program.start(CHOKEPOINT_DESKTOP, {"--screenshot", name, "--out", file, kSmall});
        ASSERT_TRUE(program.waitForFinished(60'000));
        EXPECT_EQ(program.exitCode(), 0) << program.readAllStandardError().toStdString();
        EXPECT_EQ(QImage(file).size(), kScreenshotSize);
    }
}

TEST_F(Window, ShowsAnEditOfTheFormInTheTextAndBack) {
    const auto window = this->window();
    window->show();
    ASSERT_TRUE(window->open(kSmall));
    window->showPage("scenario");
    Page* page = window->page("scenario");
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    const QString before = window->document().text();
    auto* table = page->findChild<QTableView*>();
    auto* whole = page->findChild<QLabel*>("chosen-value");
    table->selectRow(0);
    const QString chosen = table->currentIndex().siblingAtColumn(0).data().toString();
    EXPECT_THAT(whole->text().toStdString(), HasSubstr(chosen.toStdString()));
    auto* editor = window->findChild<ScenarioEditor*>();
    editor->setValue("cluster.caps.nvlink", "\"200 GB/s\"");
    EXPECT_THAT(window->document().text().toStdString(), HasSubstr("caps.nvlink = \"200 GB/s\""));
    editor->setValue("plan.micro_batch", "\"many\"");
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    ASSERT_FALSE(editor->faults().isEmpty());
    EXPECT_THAT(editor->faults().front().toStdString(), HasSubstr("micro_batch: found"));
    EXPECT_FALSE(page->empty()) << "the last good values stay";
    window->document().editable().undo();
    window->document().editable().undo();
    EXPECT_EQ(window->document().text(), before);
    ASSERT_TRUE(wait_until([&] { return !page->busy(); }));
    EXPECT_TRUE(editor->faults().isEmpty());
    EXPECT_THAT(whole->text().toStdString(), HasSubstr(chosen.toStdString())) << "read on after an edit";
    window->document().editable().setModified(false);
}

TEST_F(Window, AddsKeysOfTheFabricAndTablesOfArraysByTheForm) {
    const auto window = this->window();
    window->show();
    ASSERT_TRUE(window->open(QString::fromStdString(
        scratch_.write("a.toml", "[cluster]\nfabric = \"fat-tree\" # cheap\n\n[plan]\nzero = 1\n"))));
    auto* editor = window->findChild<ScenarioEditor*>();
    editor->setValue("cluster.fabric.radix", "32");
    editor->setValue("cluster.fabric", "\"multi-plane\"");
    EXPECT_EQ(window->document().text().toStdString(),
              "[cluster]\nfabric.name = \"multi-plane\" # cheap\nfabric.radix = 32\n\n[plan]\nzero = 1\n");
    emit editor->form().tableAsked("perturb");
    const auto field = [&](const QString& key) -> QLineEdit* {
        for (QLineEdit* edit : editor->form().findChildren<QLineEdit*>()) {
            if (edit->accessibleName() == key) {
                return edit;
            }
        }
        return nullptr;
    };
    ASSERT_NE(field("perturb[0].speed"), nullptr);
    field("perturb[0].speed")->setText("0.8");
    emit field("perturb[0].speed")->editingFinished();
    EXPECT_THAT(window->document().text().toStdString(), testing::EndsWith("\n[[perturb]]\nspeed = 0.8\n"));
    window->document().editable().undo();
    window->document().editable().undo();
    EXPECT_TRUE(field("perturb[0].speed")->isHidden() || !field("perturb[0].speed")->isVisible());
    window->document().editable().setModified(false);
}

TEST_F(Window, NamesEveryControlAndReachesItByTheKeyboard) {
    const auto window = this->window();
    window->show();
    ASSERT_TRUE(window->open(kSmall));
    window->startGuide();
    for (const QString& page : page_names()) {
        window->showPage(page);
    }
    const auto told = [](QWidget* widget) { // to who cannot see it
        return QAccessible::queryAccessibleInterface(widget)->text(QAccessible::Name);
    };
    const auto where = [](const QWidget* widget) {
        return std::string(widget->metaObject()->className()) + " in " +
               widget->parent()->metaObject()->className();
    };
    int controls = 0;
    for (QWidget* widget : window->findChildren<QWidget*>()) {
        // Qt's own parts of other widgets.
        const bool part = widget->objectName().startsWith("qt_") || widget->focusProxy() != nullptr ||
                          qobject_cast<QComboBox*>(widget->parent()) != nullptr ||
                          qobject_cast<QAbstractSpinBox*>(widget->parent()) != nullptr ||
                          qobject_cast<QDockWidget*>(widget->parent()) != nullptr ||
                          qobject_cast<QLineEdit*>(widget->parent()) != nullptr ||
                          qobject_cast<QAbstractItemView*>(widget->parent()) != nullptr ||
                          widget->window() != window.get();
        const bool acts =
            qobject_cast<QAbstractButton*>(widget) != nullptr ||
            qobject_cast<QComboBox*>(widget) != nullptr || qobject_cast<QSlider*>(widget) != nullptr ||
            qobject_cast<QLineEdit*>(widget) != nullptr || qobject_cast<ChartPanel*>(widget) != nullptr;
        const bool reached = (widget->focusPolicy() & Qt::TabFocus) != 0;
        if (!part && (acts || reached)) {
            ++controls;
            EXPECT_TRUE(reached) << where(widget) << ": " << told(widget).toStdString();
            EXPECT_GT(told(widget).size(), 1) << where(widget);
        }
    }
    EXPECT_GT(controls, 100);
}

TEST_F(Window, RefusesPicturesOfNothing) {
    const std::string broken = scratch_.write("broken.toml", "title = 3\n");
    const auto exit_code = [&](const QStringList& arguments) {
        QProcess program;
        program.start(CHOKEPOINT_DESKTOP, arguments);
        program.waitForFinished(60'000);
        return program.exitCode();
    };
    const QString out = QString::fromStdString((scratch_.path() / "x.png").string());
    EXPECT_EQ(exit_code({"--screenshot", "compare", "--out", out, QString::fromStdString(broken)}), 1);
    EXPECT_EQ(exit_code({"--screenshot", "compare", "--out", out}), 1);
    EXPECT_FALSE(QFile::exists(out));
    EXPECT_EQ(exit_code({"--screenshot", "start", "--out", "/no/such/folder/x.png", kSmall}), 1);
    EXPECT_EQ(exit_code({"--screenshot", "cats", "--out", out, kSmall}), 2);
    EXPECT_EQ(exit_code({"--screenshot", "start", kSmall}), 2);
    EXPECT_EQ(exit_code({"--screenshot", "start", "--out", out, "/no/such.toml"}), 2);
    EXPECT_EQ(exit_code({"--no-such-option"}), 2);
}

} // namespace chokepoint::gui
