// SPDX-License-Identifier: GPL-3.0-or-later
// Children of the window: their answers, their failures, and silence once they are cancelled or replaced.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <app/contract.hpp>
#include <app/runner.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QFile>

#include <filesystem>

namespace chokepoint::gui {

using test::need_application;
using test::ScratchDirectory;
using test::wait_until;
using testing::HasSubstr;

namespace {

class Children : public testing::Test {
protected:
    static void SetUpTestSuite() { need_application(); }

    /// A program of the test's own in place of the command line.
    QString script(const std::string& text) {
        const std::string file = scratch_.write("fake", "#!/bin/sh\n" + text);
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
        return QString::fromStdString(file);
    }
    /// Listens to a runner; the latest answer and failure.
    void listen(Runner& runner) {
        QObject::connect(&runner, &Runner::finished, [this](const QByteArray& out) { outputs_ << out; });
        QObject::connect(&runner, &Runner::failed, [this](const QString& message) { failures_ << message; });
        QObject::connect(&runner, &Runner::progressed, [this](const QString& phase, double share) {
            progress_ << QString("%1 %2").arg(phase).arg(share);
        });
    }

    ScratchDirectory scratch_;
    QList<QByteArray> outputs_;
    QStringList failures_, progress_;
};

} // namespace

TEST_F(Children, AnswerAboutTheTextTheyAreFed) {
    Runner runner;
    listen(runner);
    QFile file("scenarios/small-16-gpus.toml");
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    runner.start({{"run", "-", "--json", "-", "--progress", "json"}, file.readAll(), "scenarios"});
    ASSERT_TRUE(wait_until([&] { return !runner.running(); }));
    ASSERT_EQ(outputs_.size(), 1) << failures_.join("\n").toStdString();
    const RunResult run = parse_run(outputs_.front());
    EXPECT_EQ(run.gpus, 16.0);
    EXPECT_GT(run.step_seconds.value, 0.0);
    ASSERT_TRUE(run.step_seconds.interval);
    EXPECT_LT(run.step_seconds.interval->first, run.step_seconds.value);
    double sum = 0.0;
    for (const Share& phase : run.phases) {
        sum += phase.value;
    }
    EXPECT_NEAR(sum, run.step_seconds.value, 1e-9);
}

TEST_F(Children, ShowTheirOwnMessageWhenTheyRefuse) {
    Runner runner;
    listen(runner);
    runner.start({{"run", "-", "--json", "-"}, "[cluster]\ngpu = \"h900\"\n", {}});
    ASSERT_TRUE(wait_until([&] { return !runner.running(); }));
    ASSERT_EQ(failures_.size(), 1);
    EXPECT_THAT(failures_.front().toStdString(), HasSubstr("<stdin>:2:7: error: "));
    EXPECT_TRUE(outputs_.isEmpty());
}

TEST_F(Children, ReportProgressApartFromMessages) {
    Runner runner(nullptr, script("echo '{\"progress\":{\"phase\":\"fit\",\"share\":0.5}}' >&2\n"
                                  "echo 'careful' >&2\necho answer\n"));
    listen(runner);
    runner.start({});
    ASSERT_TRUE(wait_until([&] { return !runner.running(); }));
    EXPECT_EQ(progress_, QStringList{"fit 0.5"});
    EXPECT_EQ(runner.messages(), "careful\n");
    EXPECT_EQ(outputs_, QList<QByteArray>{"answer\n"});
}

TEST_F(Children, EndWhenCancelledAndAreHeardNoMore) {
    Runner runner(nullptr, script("echo early\nsleep 60\necho late\n"));
    listen(runner);
    bool ended = false;
    QObject::connect(&runner, &Runner::ended, [&] { ended = true; });
    QByteArray seen;
    QObject::connect(&runner, &Runner::received, [&](const QByteArray& piece) { seen += piece; });
    runner.start({});
    ASSERT_TRUE(wait_until([&] { return !seen.isEmpty(); }));
    runner.cancel();
    EXPECT_FALSE(runner.running());
    EXPECT_TRUE(ended);
    QApplication::processEvents();
    EXPECT_TRUE(outputs_.isEmpty());
    EXPECT_TRUE(failures_.isEmpty());
}

TEST_F(Children, DropTheAnswerOfAnOlderRun) {
    Runner runner(nullptr, script("sleep \"$1\"\necho \"$1\"\n"));
    listen(runner);
    runner.start({{"0.2"}, {}, {}});
    runner.start({{"0.01"}, {}, {}});
    ASSERT_TRUE(wait_until([&] { return !runner.running(); }));
    EXPECT_EQ(outputs_, QList<QByteArray>{"0.01\n"});
}

TEST_F(Children, ThatCrashAreToldApartFromThoseThatRefuse) {
    Runner crashing(nullptr, script("echo working >&2\nkill -SEGV $$\n"));
    listen(crashing);
    crashing.start({});
    ASSERT_TRUE(wait_until([&] { return !crashing.running(); }));
    ASSERT_EQ(failures_.size(), 1);
    EXPECT_THAT(failures_.front().toStdString(), HasSubstr("crashed:\nworking"));

    Runner missing(nullptr, "/no/such/program");
    listen(missing);
    missing.start({});
    ASSERT_TRUE(wait_until([&] { return failures_.size() == 2; }));
    EXPECT_THAT(failures_.back().toStdString(), HasSubstr("cannot start '/no/such/program'"));
}

TEST(Contract, RefusesAnswersOfAnotherVersion) {
    EXPECT_THROW(parse_run(R"({"schema":"chokepoint/run/2"})"), ContractError);
    EXPECT_THROW(parse_run("Segmentation fault"), ContractError);
}

} // namespace chokepoint::gui
