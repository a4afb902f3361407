// SPDX-License-Identifier: GPL-3.0-or-later
// The program itself on a display of its own: opens a scenario and runs a sweep by clicks and keys, and
// exports what the command line computes.
#include "application.hpp"
#include "cli/run_cli.hpp"

#include <gtest/gtest.h>

#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QStandardPaths>
#include <QThread>

#include <iostream>
#include <map>

namespace chokepoint::gui {

using test::ScratchDirectory;
using test::wait_until;

namespace {

constexpr int kPoints = 5;
// Milliseconds, on a machine that has other things to do.
constexpr qint64 kPatience = 240'000;
constexpr qint64 kOneTry = 20'000; // of what is tried again
// Inside the list of pages, whose rows are this high, and inside the chart.
constexpr QPoint kCurvesPage{60, 152};
constexpr QPoint kChart{760, 330};

/// An X server without a screen, and the keys and clicks of whoever sits there.
class Display {
public:
    bool start() {
        // Without -noreset it starts anew, and ends whoever connects meanwhile, when its last client leaves:
        // xdotool leaves after each word.
        server_.start("Xvfb",
                      {"-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"});
        if (!server_.waitForStarted(-1) || !server_.waitForReadyRead(-1)) { // or it ends
            return false;
        }
        name_ = ":" + QString::fromUtf8(server_.readLine().trimmed());
        return true;
    }
    ~Display() {
        program_.kill();
        program_.waitForFinished();
        server_.terminate();
        server_.waitForFinished();
    }
    /// Starts the program on this display, with a home of its own.
    QProcess& run(const QString& home) {
        QProcessEnvironment variables = environment();
        for (const char* folder : {"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"}) {
            variables.insert(folder, home);
        }
        program_.setProcessEnvironment(variables);
        program_.start(CHOKEPOINT_DESKTOP, QStringList());
        return program_;
    }

    QProcessEnvironment environment() const {
        QProcessEnvironment variables = QProcessEnvironment::systemEnvironment();
        variables.insert("DISPLAY", name_);
        variables.insert("QT_QPA_PLATFORM", "xcb");
        return variables;
    }

    /// What xdotool prints; empty if it fails.
    QString act(const QStringList& arguments) const {
        QProcess tool;
        tool.setProcessEnvironment(environment());
        tool.start("xdotool", arguments);
        tool.waitForFinished();
        return tool.exitCode() == 0 ? QString::fromUtf8(tool.readAllStandardOutput()).trimmed() : QString();
    }
    void key(const QString& name) const { act({"key", "--delay", "60", name}); }
    void type(const QString& text) const { act({"type", "--delay", "15", text}); }
    void click(const QPoint& at) const {
        act({"mousemove", QString::number(at.x()), QString::number(at.y()), "click", "1"});
    }
    /// Waits for a window of this title, brings it to the upper left corner and gives it the keys; false if
    /// the program ends, or `most_milliseconds` pass.
    bool waitForWindow(const QString& title, qint64 most_milliseconds = kPatience) const {
        QElapsedTimer timer;
        timer.start();
        const auto hopeless = [&] { return ended() || timer.elapsed() > most_milliseconds; };
        QString window;
        const auto shows = [&] {
            window = act({"search", "--onlyvisible", "--name", title}).section('\n', -1);
            return !window.isEmpty();
        };
        const auto has_keys = [&] {
            act({"windowmove", window, "0", "0"});
            act({"windowfocus", window});
            return act({"getwindowfocus"}) == window;
        };
        return wait_until(shows, hopeless) && wait_until(has_keys, hopeless);
    }
    bool ended() const { return program_.state() == QProcess::NotRunning; }

private:
    QProcess server_;
    QProcess program_;
    QString name_;
};

/// The curve of an exported chart: cap in GB/s to step in seconds.
std::map<double, double> exported_curve(const QString& file) {
    std::map<double, double> curve;
    QFile csv(file);
    if (csv.open(QIODevice::ReadOnly)) {
        const QStringList lines = QString::fromUtf8(csv.readAll()).split('\n', Qt::SkipEmptyParts);
        for (const QString& line : lines.mid(1)) {
            // The series' name, which may have commas, is quoted then.
            const QStringList cells = line.section(line.startsWith('"') ? "\"," : ",", 1).split(',');
            curve[cells[0].toDouble()] = cells[1].toDouble();
        }
    }
    return curve;
}

std::map<double, double> cli_curve(const std::map<double, double>& caps, const std::string& scenario,
                                   const std::string& store) {
    std::string axis = "cluster.caps.nvlink=";
    for (const auto& [cap, step] : caps) {
        axis += (axis.back() == '=' ? "" : ",") + QString::number(cap).toStdString() + " GB/s";
    }
    EXPECT_EQ(
        test::run_cli({"sweep", scenario, "--axis", axis, "--store", store, "--progress", "none"}).exit_code,
        0);
    const test::CliResult results = test::run_cli({"results", store, "--csv", "-"});
    const QStringList lines = QString::fromStdString(results.out).split('\n', Qt::SkipEmptyParts);
    const QStringList head = lines.front().split(',');
    std::map<double, double> curve;
    auto cap = caps.begin();
    for (const QString& line : lines.mid(1)) { // in the order of the axis
        if (cap == caps.end()) {
            ADD_FAILURE() << "more points than caps";
            break;
        }
        curve[(cap++)->first] = line.split(',')[head.indexOf("step_seconds")].toDouble();
    }
    return curve;
}

} // namespace

TEST(Smoke, SweepsByClicksAndKeysWhatTheCommandLineComputes) {
    test::need_application();
    for (const char* tool : {"Xvfb", "xdotool"}) {
        if (QStandardPaths::findExecutable(tool).isEmpty()) {
            std::cerr << "SKIPPED: no " << tool << ", so the program was not tried on a display\n";
            GTEST_SKIP() << "no " << tool;
        }
    }
    const ScratchDirectory scratch;
    const QString folder = QString::fromStdString(scratch.path().string());
    const std::string scenario = scratch.write("small.toml", test::read_file("scenarios/small-16-gpus.toml"));
    Display display;
    ASSERT_TRUE(display.start());

    QProcess& program = display.run(folder);
    ASSERT_TRUE(program.waitForStarted());
    ASSERT_TRUE(display.waitForWindow("Chokepoint"))
        << "exit code " << program.exitCode() << ": " << program.readAllStandardError().toStdString();
    display.key("ctrl+o");
    ASSERT_TRUE(display.waitForWindow("Open a scenario"));
    display.type(QString::fromStdString(scenario));
    display.key("Return");
    ASSERT_TRUE(display.waitForWindow("small.toml"));

    display.click(kCurvesPage);
    display.key("alt+p");
    display.key("ctrl+a");
    display.type(QString::number(kPoints));
    display.key("Tab");
    display.key("alt+r");
    // No key tells when the curve is whole, so it is exported until it is.
    std::map<double, double> curve;
    int attempt = 0;
    const bool whole = wait_until(
        [&] {
            QThread::msleep(500);
            const QString file = folder + QString("/curve%1.csv").arg(++attempt);
            display.click(kChart);
            display.key("ctrl+e");
            if (display.waitForWindow("Export chart", kOneTry)) {
                display.type(file);
                display.key("Return");
                QElapsedTimer timer;
                timer.start();
                wait_until([&] { return QFile::exists(file); }, [&] { return timer.elapsed() > kOneTry; });
            }
            display.waitForWindow("small.toml", kOneTry);
            curve = exported_curve(file);
            return curve.size() == kPoints;
        },
        [&] { return display.ended(); });
    EXPECT_TRUE(whole) << curve.size() << " points in the last of " << attempt << " exports";
    const auto expected = cli_curve(curve, scenario, (scratch.path() / "cli.db").string());
    EXPECT_EQ(curve, expected);

    display.key("ctrl+q");
    EXPECT_TRUE(program.waitForFinished(60'000));
    EXPECT_EQ(program.exitCode(), 0);
}

} // namespace chokepoint::gui
