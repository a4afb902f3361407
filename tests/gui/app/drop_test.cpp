// SPDX-License-Identifier: GPL-3.0-or-later
// Files dropped on the window: scenarios are opened wherever they fall, and of others it says what they are.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/compare_page.hpp>
#include <app/document.hpp>
#include <app/main_window.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QDropEvent>
#include <QMimeData>
#include <QPlainTextEdit>

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

QList<QUrl> urls_of(const QStringList& files) {
    QList<QUrl> urls;
    for (const QString& file : files) {
        urls << QUrl::fromLocalFile(file);
    }
    return urls;
}

/// As a desktop delivers it: to the widget at that place, or the nearest above it that takes drops. False if
/// the drag was refused where it entered.
bool drop(QWidget& at, const QList<QUrl>& urls) {
    QMimeData data;
    data.setUrls(urls);
    const QPoint middle = at.rect().center();
    QDragEnterEvent enter(middle, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&at, &enter);
    if (!enter.isAccepted()) {
        QDragLeaveEvent leave;
        QApplication::sendEvent(&at, &leave);
        return false;
    }
    QDragMoveEvent move(middle, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&at, &move);
    QDropEvent event(middle, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&at, &event);
    EXPECT_TRUE(event.isAccepted()) << "or the file manager shows that it failed";
    QApplication::processEvents();
    return true;
}

class Drops : public testing::Test {
protected:
    static void SetUpTestSuite() { need_application(); }
    void SetUp() override {
        window_.resize(1400, 900);
        window_.show();
        QApplication::processEvents();
    }
    QString copy(const std::string& name) {
        return QString::fromStdString(scratch_.write(name, read_file(kSmall)));
    }
    ComparePage& compare() { return *static_cast<ComparePage*>(window_.page("compare")); }

    ScratchDirectory scratch_;
    MainWindow window_{settings_in(scratch_), QString()};
};

} // namespace

TEST_F(Drops, OpenAScenarioFromTheStartPage) {
    const QString file = copy("dropped.toml");
    Page* start = window_.page("start");
    ASSERT_TRUE(start->isVisible());
    ASSERT_TRUE(drop(*start, urls_of({file})));
    EXPECT_EQ(window_.document().path(), file);
    EXPECT_TRUE(compare().isVisible()) << "what it costs is shown at once";
    EXPECT_EQ(window_.message(), "");
    ASSERT_TRUE(wait_until([&] { return !compare().busy(); }));
    EXPECT_FALSE(compare().empty());
}

TEST_F(Drops, OpenAScenarioWhereverTheyFall) {
    ASSERT_TRUE(window_.open(kSmall));
    int n = 0;
    constexpr int kApart = 90; // pixels between places
    for (const QString& page : page_names()) {
        window_.showPage(page);
        QApplication::processEvents();
        std::set<QWidget*> places;
        for (int x = 10; x < window_.width(); x += kApart) {
            for (int y = 10; y < window_.height(); y += kApart) {
                places.insert(window_.childAt(x, y));
            }
        }
        places.erase(nullptr);
        EXPECT_GT(places.size(), 3U) << page.toStdString();
        for (QWidget* place : places) {
            const std::string where =
                page.toStdString() + ": " + place->metaObject()->className() + " in " +
                (place->parent() != nullptr ? place->parent()->metaObject()->className() : "nothing");
            const QString file = copy("n" + std::to_string(++n) + ".toml");
            window_.showPage(page);
            QApplication::processEvents();
            ASSERT_TRUE(drop(*place, urls_of({file}))) << where;
            EXPECT_EQ(window_.document().path(), file) << where;
            EXPECT_FALSE(window_.document().isModified()) << where << " took it for text";
        }
    }
}

TEST_F(Drops, OpenTheFirstAndCompareTheOthers) {
    const QStringList files{copy("a.toml"), copy("b.toml"), copy("c.toml")};
    ASSERT_TRUE(drop(*window_.page("start"), urls_of(files)));
    EXPECT_EQ(window_.document().path(), files[0]);
    EXPECT_EQ(compare().files(), files.mid(1));
    QStringList more;
    for (int i = 0; i < ComparePage::kMost; ++i) {
        more << copy("more" + std::to_string(i) + ".toml");
    }
    more << copy("more6.toml");
    ASSERT_TRUE(drop(compare(), urls_of(more)));
    EXPECT_EQ(compare().files().size(), ComparePage::kMost - 1) << "beside the open one";
    EXPECT_THAT(window_.message().toStdString(), HasSubstr("'more5.toml', 'more6.toml'"))
        << "says which ones have no room";
}

TEST_F(Drops, SayInPlaceWhatIsNoScenarioAndKeepWhatIsOpen) {
    ASSERT_TRUE(window_.open(kSmall));
    window_.document().editable().setPlainText("precious");
    window_.document().editable().setModified(false);
    const QString path = window_.document().path();
    const QString picture = QString::fromStdString(scratch_.write("p.png", "\x89PNG\r\n\x1a\n"));
    const QString gone = QString::fromStdString((scratch_.path() / "gone.toml").string());
    for (const auto& [file, why] :
         {std::pair(picture, "p.png' is no scenario"), std::pair(gone, "cannot read '"),
          std::pair(QString::fromStdString(scratch_.path().string()), "cannot read '")}) {
        window_.showPage("start");
        ASSERT_TRUE(drop(*window_.page("start"), urls_of({file})));
        EXPECT_THAT(window_.message().toStdString(), HasSubstr(why));
        EXPECT_EQ(window_.document().path(), path);
        EXPECT_EQ(window_.document().text(), "precious");
        EXPECT_TRUE(window_.page("start")->isVisible()) << "there is nothing new to look at";
        EXPECT_EQ(QApplication::activeModalWidget(), nullptr) << "the program goes on";
    }
    const QString good = copy("good.toml");
    ASSERT_TRUE(drop(*window_.page("start"), urls_of({picture, good})));
    EXPECT_EQ(window_.document().path(), good);
    EXPECT_THAT(window_.message().toStdString(), HasSubstr("p.png")) << "though the other was opened";
    ASSERT_TRUE(drop(*window_.page("start"), urls_of({good})));
    EXPECT_EQ(window_.message(), "");
}

TEST_F(Drops, ShowWhatTheCommandLineSaysOfTextThatIsNoScenario) {
    const QString letter = QString::fromStdString(scratch_.write("letter.txt", "Dear reader,\n"));
    ASSERT_TRUE(drop(*window_.page("start"), urls_of({letter})));
    ASSERT_TRUE(wait_until([&] { return !compare().busy(); }));
    EXPECT_THAT(compare().problem().toStdString(), HasSubstr("letter.txt:1:"));
}

TEST_F(Drops, LeaveWhatIsNoFileToWhoeverTakesIt) {
    ASSERT_TRUE(window_.open(kSmall));
    EXPECT_FALSE(drop(*window_.page("start"), {QUrl("https://example.org/a.toml")}));
    window_.showPage("scenario");
    auto* text = window_.findChild<QPlainTextEdit*>();
    QMimeData words;
    words.setText("# a note\n");
    QDragEnterEvent enter({5, 5}, Qt::CopyAction, &words, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(text->viewport(), &enter);
    EXPECT_TRUE(enter.isAccepted()) << "words can be dragged into the text";
}

} // namespace chokepoint::gui
