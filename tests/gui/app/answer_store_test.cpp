// SPDX-License-Identifier: GPL-3.0-or-later
// Answers that take long are kept, and never shown for another program's or other data's.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/answer_store.hpp>
#include <app/chart_panel.hpp>
#include <app/main_window.hpp>
#include <app/page.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QDir>
#include <QFile>
#include <QLabel>
#include <QPushButton>
#include <QTableView>
#include <QToolButton>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <tuple>

namespace chokepoint::gui {

using test::need_application;
using test::read_file;
using test::ScratchDirectory;
using test::settings_in;
using test::wait_until;
using testing::HasSubstr;

namespace {

/// A command line with data of its own, which notes down every call.
class Answers : public testing::Test {
protected:
    static void SetUpTestSuite() { need_application(); }

    void SetUp() override {
        for (const char* folder : {"bin", "share/chokepoint/catalog/gpu"}) {
            std::filesystem::create_directories(scratch_.path() / folder);
        }
        writeProgram("");
        writeData("tpp = 1\n");
        setenv("CHOKEPOINT_CLI", path("bin/chokepoint").c_str(), 1);
    }
    void TearDown() override { setenv("CHOKEPOINT_CLI", CHOKEPOINT_CLI, 1); }

    std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
    void writeProgram(const std::string& more) {
        QFile::remove(QString::fromStdString(path("bin/chokepoint")));
        const std::string file =
            scratch_.write("bin/chokepoint", "#!/bin/sh\necho \"$1\" >> '" + path("calls") +
                                                 R"('
case "$1" in
validate) shift; set -- validate --filter gpu=h200 "$@" ;;
calibrate) set -- calibrate --holdout --points --json - "$6" ;;
esac
exec ')" CHOKEPOINT_CLI R"(' "$@"
)" + more);
        QFile::setPermissions(QString::fromStdString(file),
                              QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    }
    void writeData(const std::string& text) {
        std::ignore = scratch_.write("share/chokepoint/catalog/gpu/x.toml", text);
    }
    long calls(const std::string& command) const {
        std::ifstream file(path("calls"));
        std::string line;
        long count = 0;
        while (std::getline(file, line)) {
            count += line == command ? 1 : 0;
        }
        return count;
    }
    std::unique_ptr<MainWindow> window() {
        auto window = std::make_unique<MainWindow>(settings_in(scratch_), QString(),
                                                   QString::fromStdString(path("answers")));
        window->resize(1400, 900);
        window->show();
        return window;
    }
    static bool dimmed(Page& page) {
        return std::ranges::any_of(page.findChildren<ChartPanel*>(),
                                   [](const ChartPanel* panel) { return !panel->isEnabled(); });
    }
    static bool says(Page& page, const QString& words) {
        return std::ranges::any_of(page.findChildren<QLabel*>(),
                                   [&](const QLabel* label) { return label->text().contains(words); });
    }
    static QAbstractButton* button(Page& page, const QString& text) {
        for (QAbstractButton* one : page.findChildren<QAbstractButton*>()) {
            if (one->text() == text && one->isVisibleTo(&page)) {
                return one;
            }
        }
        return nullptr;
    }

    ScratchDirectory scratch_;
};

} // namespace

TEST_F(Answers, AreFoundAsLongAsNothingTheyRestOnIsAnother) {
    const AnswerStore store(QString::fromStdString(path("answers")));
    const QStringList question{"validate", "--json", "-"};
    const QByteArray key = store.key(question);
    ASSERT_FALSE(key.isEmpty());
    EXPECT_FALSE(store.find(question, key)) << "nothing was kept yet";
    store.keep(question, key, "answer");
    ASSERT_TRUE(store.find(question, store.key(question)));
    EXPECT_EQ(store.find(question, store.key(question))->json, "answer");

    EXPECT_FALSE(store.find({"validate"}, store.key({"validate"}))) << "another question";
    writeData("tpp = 2\n");
    EXPECT_FALSE(store.find(question, store.key(question))) << "other data of the same length";
    writeData("tpp = 1\n");
    EXPECT_TRUE(store.find(question, store.key(question))) << "as it was";
    std::ignore = scratch_.write("share/chokepoint/catalog/gpu/y.toml", "");
    EXPECT_FALSE(store.find(question, store.key(question))) << "one more file";
    std::filesystem::remove(path("share/chokepoint/catalog/gpu/y.toml"));
    EXPECT_TRUE(store.find(question, store.key(question)));
    writeProgram("# newer\n");
    EXPECT_FALSE(store.find(question, store.key(question))) << "another program";

    const QByteArray newer = store.key(question);
    store.keep(question, newer, "newer answer");
    EXPECT_EQ(store.find(question, newer)->json, "newer answer");
    EXPECT_FALSE(store.find(question, key)) << "one answer to a question is kept";
}

TEST_F(Answers, AreNotKeptWhereNobodyKnowsWhatTheyRestOn) {
    std::filesystem::remove_all(path("share"));
    const AnswerStore store(QString::fromStdString(path("answers")));
    EXPECT_TRUE(store.key({"validate"}).isEmpty());
    store.keep({"validate"}, store.key({"validate"}), "answer");
    EXPECT_FALSE(store.find({"validate"}, store.key({"validate"})));
    EXPECT_FALSE(std::filesystem::exists(path("answers")));
}

TEST_F(Answers, CostNothingToADiskThatTakesNone) {
    std::ignore = scratch_.write("file", "");
    const AnswerStore store(QString::fromStdString(path("file")) + "/answers");
    const QByteArray key = store.key({"validate"});
    EXPECT_NO_THROW(store.keep({"validate"}, key, "answer"));
    EXPECT_FALSE(store.find({"validate"}, key));
}

TEST_F(Answers, AreThereAtOnceWhenAPageIsOpenedAgain) {
    std::string title;
    int rows = 0;
    {
        const auto window = this->window();
        window->showPage("validate");
        Page& page = *window->page("validate");
        EXPECT_TRUE(page.busy());
        ASSERT_TRUE(wait_until([&] { return !page.busy(); }));
        ASSERT_EQ(page.problem(), "");
        EXPECT_FALSE(dimmed(page));
        EXPECT_FALSE(says(page, "Computed")) << "what was just computed needs no date";
        rows = page.findChild<QTableView*>()->model()->rowCount();
        EXPECT_GT(rows, 0);
        EXPECT_EQ(calls("validate"), 1);
        EXPECT_EQ(calls("calibrate"), 1);
    }
    const auto window = this->window();
    window->showPage("validate");
    Page& page = *window->page("validate");
    EXPECT_FALSE(page.busy());
    EXPECT_FALSE(page.empty());
    EXPECT_FALSE(dimmed(page));
    EXPECT_EQ(page.findChild<QTableView*>()->model()->rowCount(), rows);
    EXPECT_TRUE(says(page, "Computed " + QDate::currentDate().toString("yyyy-")));
    EXPECT_EQ(calls("validate"), 1);
    EXPECT_EQ(calls("calibrate"), 1);
    for (const ChartPanel* panel : page.findChildren<ChartPanel*>()) {
        EXPECT_FALSE(panel->isEmpty()) << panel->chart().title;
    }

    button(page, "&Recompute")->click();
    EXPECT_TRUE(page.busy());
    EXPECT_TRUE(dimmed(page));
    EXPECT_FALSE(page.empty()) << "the old result stays";
    ASSERT_TRUE(wait_until([&] { return !page.busy(); }));
    EXPECT_FALSE(dimmed(page));
    EXPECT_EQ(calls("validate"), 2);
    EXPECT_EQ(calls("calibrate"), 2);
}

TEST_F(Answers, AreDimmedAndReplacedOnceTheirDataIsAnother) {
    const auto window = this->window();
    window->showPage("validate");
    Page& page = *window->page("validate");
    ASSERT_TRUE(wait_until([&] { return !page.busy(); }));
    window->showPage("start");
    window->showPage("validate");
    EXPECT_FALSE(page.busy()) << "nothing has changed";
    writeData("tpp = 3\n");
    window->showPage("start");
    window->showPage("validate");
    EXPECT_TRUE(page.busy());
    EXPECT_TRUE(dimmed(page));
    for (QAbstractButton* cancel = nullptr; (cancel = button(page, "Cancel")) != nullptr;) {
        cancel->click();
    }
    EXPECT_FALSE(page.busy());
    EXPECT_TRUE(dimmed(page)) << "it is still of the old data";
    EXPECT_TRUE(says(page, "other data"));
    window->showPage("start");
    window->showPage("validate");
    ASSERT_TRUE(wait_until([&] { return !page.busy(); }));
    EXPECT_FALSE(dimmed(page));
    EXPECT_FALSE(says(page, "other data"));
}

TEST_F(Answers, AreComputedAgainIfTheFileIsBroken) {
    {
        const auto window = this->window();
        window->showPage("validate");
        Page& page = *window->page("validate");
        ASSERT_TRUE(wait_until([&] { return !page.busy(); }));
    }
    for (const auto& entry : std::filesystem::directory_iterator(path("answers"))) {
        std::filesystem::resize_file(entry.path(), 100);
    }
    const auto window = this->window();
    window->showPage("validate");
    Page& page = *window->page("validate");
    EXPECT_TRUE(page.busy());
    ASSERT_TRUE(wait_until([&] { return !page.busy(); }));
    EXPECT_EQ(page.problem(), "");
    EXPECT_FALSE(page.empty());
    EXPECT_EQ(calls("validate"), 2);
}

} // namespace chokepoint::gui
