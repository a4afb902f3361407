// SPDX-License-Identifier: GPL-3.0-or-later
// The text being edited: nothing is lost, neither to a crash nor to a full disk.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/document.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QDir>
#include <QTextCursor>

#include <csignal>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chokepoint::gui {

using test::need_application;
using test::read_file;
using test::ScratchDirectory;
using test::wait_until;

namespace {

class Documents : public testing::Test {
protected:
    static void SetUpTestSuite() { need_application(); }

    QString file(const std::string& name, const std::string& text) {
        return QString::fromStdString(scratch_.write(name, text));
    }
    QString recovery() { return QString::fromStdString((scratch_.path() / "unsaved").string()); }
    static void type(Document& document, const QString& text) {
        QTextCursor cursor(&document.editable());
        cursor.movePosition(QTextCursor::End);
        cursor.insertText(text);
    }

    ScratchDirectory scratch_;
};

} // namespace

TEST_F(Documents, SaveUnchangedBytesUnchanged) {
    for (const std::string text : {"", "title = \"a\"\n", "title = \"a\"", "# é\r\n\r\ntitle = \"b\" # c\r\n",
                                   "\n\n\tx\n", "mixed = 1\r\nends = 2\n", "\xEF\xBB\xBFmarked = 1\n"}) {
        const QString path = file("a.toml", text);
        Document document({});
        document.open(path);
        document.save(path);
        EXPECT_EQ(read_file(path.toStdString()), text);
    }
}

TEST_F(Documents, KeepTheirTextWhenTheFileCannotBeWrittenOrRead) {
    Document document({});
    document.open(file("a.toml", "title = \"a\"\n"));
    type(document, "x");
    EXPECT_THROW(document.save("/no/such/folder/a.toml"), std::runtime_error);
    EXPECT_TRUE(document.isModified());
    EXPECT_THROW(document.open("/no/such/file.toml"), std::runtime_error);
    EXPECT_EQ(document.text(), "title = \"a\"\nx");
    EXPECT_TRUE(document.path().endsWith("a.toml"));
}

TEST_F(Documents, TellThatAnotherProgramChangedTheirFile) {
    const QString path = file("a.toml", "title = \"a\"\n");
    Document document({});
    int told = 0;
    QObject::connect(&document, &Document::overtaken, [&] { ++told; });
    document.open(path);
    EXPECT_FALSE(document.changedOnDisk());
    type(document, "x");
    document.save(path);
    QApplication::processEvents();
    EXPECT_FALSE(document.changedOnDisk()) << "what was saved here is no news";
    EXPECT_EQ(told, 0);
    for (int times = 1; times <= 2; ++times) { // in place, and by a file that takes its place
        const QString other = times == 1 ? path : file("b.toml", "");
        file(times == 1 ? "a.toml" : "b.toml", "title = \"theirs " + std::to_string(times) + "\"\n");
        if (other != path) {
            QFile::remove(path);
            QFile::rename(other, path);
        }
        ASSERT_TRUE(wait_until([&] { return told > 0; }));
        EXPECT_TRUE(document.changedOnDisk());
        document.open(path);
        QApplication::processEvents();
        told = 0;
        EXPECT_FALSE(document.changedOnDisk());
    }
    QFile::remove(path);
    EXPECT_FALSE(document.changedOnDisk()) << "nothing is lost when it is written again";
}

TEST_F(Documents, KeepTheirTextWhenAFileIsNoText) {
    Document document({});
    document.open(file("a.toml", "title = \"a\"\n"));
    type(document, "x");
    for (const std::string& bytes : {std::string("\x89PNG\r\n\x1a\n"), std::string("a\0b", 3)}) {
        EXPECT_THROW(document.open(file("b.toml", bytes)), std::runtime_error);
        EXPECT_EQ(document.text(), "title = \"a\"\nx");
        EXPECT_TRUE(document.isModified());
    }
}

TEST_F(Documents, LoseNothingToADiskThatIsFull) {
    const QString path = file("a.toml", "title = \"a\"\n");
    Document document({});
    document.open(path);
    type(document, QString(5000, 'x'));
    // A limit of this process's files, which is met as a full disk is: within a write.
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit small = before;
    small.rlim_cur = 1000;
    const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    std::string why;
    try {
        document.save(path);
    } catch (const std::runtime_error& error) {
        why = error.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, ignored);
    EXPECT_THAT(why, testing::HasSubstr("cannot write '" + path.toStdString() + "': "));
    EXPECT_EQ(read_file(path.toStdString()), "title = \"a\"\n") << "what was there stays";
    EXPECT_TRUE(document.isModified());
    document.save(path);
    EXPECT_EQ(read_file(path.toStdString()).size(), 12 + 5000U);
}

TEST_F(Documents, OutliveACrash) {
    const QString path = file("a.toml", "title = \"a\"\r\n");
    const QString folder = recovery();
    // Its process dies without a chance to tidy up.
    const pid_t child = fork();
    if (child == 0) {
        Document document(folder);
        document.open(path);
        type(document, "precious");
        wait_until([&] {
            return !QDir(folder).isEmpty(QDir::Files) && QDir(folder).entryList({"*.json"}).size() == 1;
        });
        _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    const std::vector<Recovered> left = recoverable(folder);
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0].text, "title = \"a\"\nprecious");
    Document document(folder);
    document.restore(left[0]);
    EXPECT_EQ(document.path(), path);
    EXPECT_TRUE(document.isModified());
    EXPECT_FALSE(document.changedOnDisk()) << "the file is as it was when it was opened";
    EXPECT_TRUE(recoverable(folder).empty()) << "a session that still runs is not robbed of its copy";
    document.save(path);
    EXPECT_EQ(read_file(path.toStdString()), "title = \"a\"\r\nprecious") << "with the file's line ends";
    EXPECT_TRUE(QDir(folder).entryList({"*.json"}, QDir::Files).isEmpty());
}

} // namespace chokepoint::gui
