// SPDX-License-Identifier: GPL-3.0-or-later
// chokepoint-gui: the desktop program. Looks at what the command line computes.
#include "main_window.hpp"
#include "screenshot.hpp"

#include <chokepoint/hwmodels/build_info.hpp>

#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QFileInfo>
#include <QIcon>
#include <QSettings>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTimer>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using namespace chokepoint::gui;

constexpr int kFine = 0;
constexpr int kFailed = 1;
constexpr int kWrongInput = 2;

int complain(int code, const QString& text) {
    fmt::print(stderr, "chokepoint-gui: {}\n", text.toStdString());
    return code;
}

int screenshot(const QString& page, const QString& file, const QStringList& scenarios, const QString& look) {
    if (!page_names().contains(page)) {
        return complain(
            kWrongInput,
            QString("--screenshot: found '%1'; expected one of %2").arg(page, page_names().join(", ")));
    }
    if (file.isEmpty()) {
        return complain(kWrongInput, "--screenshot needs --out FILE");
    }
    if (look != "light" && look != "dark") {
        return complain(kWrongInput, QString("--colours: found '%1'; expected light or dark").arg(look));
    }
    for (const QString& scenario : scenarios) {
        if (!QFileInfo(scenario).isReadable()) {
            return complain(kWrongInput, QString("cannot read '%1'").arg(scenario));
        }
    }
    // Said before minutes are spent on what cannot be kept.
    if (const QFileInfo folder(QFileInfo(file).absolutePath()); !folder.isDir() || !folder.isWritable()) {
        return complain(kFailed,
                        QString("cannot write '%1': there is no such folder, or it is closed").arg(file));
    }
    // Nobody's settings: the same picture everywhere.
    const QTemporaryDir folder;
    auto settings = std::make_unique<QSettings>(folder.filePath("settings.ini"), QSettings::IniFormat);
    settings->setValue("look", static_cast<int>(look == "dark" ? Look::dark : Look::light));
    MainWindow window(std::move(settings), {});
    try {
        if (!scenarios.isEmpty()) {
            window.open(scenarios.front());
        }
        window.compareWith(scenarios.mid(1));
        take_screenshot(window, page, file);
    } catch (const std::exception& error) {
        return complain(kFailed, error.what());
    }
    return kFine;
}

int desktop(const QStringList& scenarios) {
    const QString recovery = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + "/unsaved";
    const QString answers = QStandardPaths::writableLocation(QStandardPaths::CacheLocation) + "/answers";
    MainWindow window(std::make_unique<QSettings>(), recovery, answers);
    window.show();
    QTimer::singleShot(0, &window, [&] {
        const bool recovered = window.offerRecovery();
        if (!scenarios.isEmpty() && !recovered && window.open(scenarios.front())) {
            window.compareWith(scenarios.mid(1));
            window.showPage("compare");
        }
    });
    return QApplication::exec();
}

} // namespace

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        // Neither pictures nor help need a display.
        for (const char* option : {"--screenshot", "--help", "-h", "--version"}) {
            if (std::strncmp(argv[i], option, std::strlen(option)) == 0) {
                setenv("QT_QPA_PLATFORM", "offscreen", 1);
            }
        }
    }
    // Qt's own remarks (a runtime directory it does not need) are no part of our output.
    qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& text) {
        if (type == QtCriticalMsg || type == QtFatalMsg) {
            fmt::print(stderr, "chokepoint-gui: {}\n", text.toStdString());
        }
    });
    QApplication application(argc, argv);
    QApplication::setOrganizationName("chokepoint");
    QApplication::setApplicationName("chokepoint-gui");
    QApplication::setApplicationDisplayName("Chokepoint");
    QApplication::setApplicationVersion(
        QString::fromStdString(fmt::format("{} ({})", chokepoint::hw::version(), chokepoint::hw::commit())));
    QApplication::setDesktopFileName("org.chokepoint.Chokepoint");
    QApplication::setWindowIcon(QIcon(":/chokepoint-gui.svg"));

    QCommandLineParser parser;
    parser.setApplicationDescription(
        "Shows what a hardware restriction does to the cost of training a model.");
    parser.addPositionalArgument(
        "SCENARIO", "Scenario files: the first is opened, the others are compared with it", "[SCENARIO…]");
    const QCommandLineOption help = parser.addHelpOption();
    const QCommandLineOption version = parser.addVersionOption();
    const QCommandLineOption page(
        "screenshot", "Write a picture of this page, without a display: " + page_names().join(", "), "PAGE");
    const QCommandLineOption out("out", "PNG file of --screenshot", "FILE");
    const QCommandLineOption look("colours", "light or dark, of --screenshot", "LOOK", "light");
    parser.addOptions({page, out, look});
    if (!parser.parse(QApplication::arguments())) {
        return complain(kWrongInput, parser.errorText());
    }
    if (parser.isSet(help)) {
        fmt::print("{}", parser.helpText().toStdString());
        return kFine;
    }
    if (parser.isSet(version)) {
        fmt::print("chokepoint-gui {}\n", QApplication::applicationVersion().toStdString());
        return kFine;
    }
    if (parser.isSet(page)) {
        return screenshot(parser.value(page), parser.value(out), parser.positionalArguments(),
                          parser.value(look));
    }
    return desktop(parser.positionalArguments());
}
