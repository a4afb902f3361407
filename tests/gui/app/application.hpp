// SPDX-License-Identifier: GPL-3.0-or-later
// One QApplication without a display for every test of a program, and waiting that ends.
#pragma once

#include "cli/run_cli.hpp"

#include <QApplication>
#include <QElapsedTimer>
#include <QSettings>

#include <cstdlib>
#include <memory>

namespace chokepoint::test {

/// A scenario that runs in a moment.
inline constexpr const char* kSmall = "scenarios/small-16-gpus.toml";

inline void need_application() {
    setenv("QT_QPA_PLATFORM", "offscreen", 1);
    setenv("CHOKEPOINT_CLI", CHOKEPOINT_CLI, 1);
    if (QApplication::instance() == nullptr) {
        static int argc = 1;
        static char name[] = "gui_app_test";
        static char* argv[] = {name, nullptr};
        new QApplication(argc, argv); // lives as long as the program
    }
}

/// A window's settings, which nobody else has and which last as long as the folder.
inline std::unique_ptr<QSettings> settings_in(const ScratchDirectory& folder) {
    return std::make_unique<QSettings>(QString::fromStdString((folder.path() / "s.ini").string()),
                                       QSettings::IniFormat);
}

/// Runs the event loop until the condition holds; false if `hopeless` comes first, or five minutes, which
/// only a machine with many other things to do takes.
template <class Condition, class End> bool wait_until(Condition holds, End hopeless) {
    constexpr int kMostMilliseconds = 300'000;
    QElapsedTimer timer;
    timer.start();
    while (!holds()) {
        if (hopeless() || timer.elapsed() > kMostMilliseconds) {
            return false;
        }
        QApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents, 50);
    }
    return true;
}
template <class Condition> bool wait_until(Condition holds) {
    return wait_until(holds, [] { return false; });
}

} // namespace chokepoint::test
