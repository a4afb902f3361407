// SPDX-License-Identifier: GPL-3.0-or-later
#include "screenshot.hpp"

#include "main_window.hpp"
#include "page.hpp"

#include "charts/save_file.hpp"

#include <QApplication>
#include <QBuffer>
#include <QElapsedTimer>
#include <QPixmap>
#include <QThread>

#include <stdexcept>

namespace chokepoint::gui {

namespace {

constexpr int kMostMilliseconds = 300'000;
/// Layouts, debounced checks and a first paint settle within this.
constexpr int kQuietMilliseconds = 700;

void settle(const Page& page) {
    QElapsedTimer whole, quiet;
    whole.start();
    quiet.start();
    while (quiet.elapsed() < kQuietMilliseconds) {
        QApplication::processEvents(QEventLoop::AllEvents, 50);
        QThread::msleep(5);
        if (page.busy()) {
            quiet.restart();
        }
        if (whole.elapsed() > kMostMilliseconds) {
            throw std::runtime_error("the page was not done within five minutes");
        }
    }
}

} // namespace

void take_screenshot(MainWindow& window, const QString& name, const QString& file) {
    window.resize(kScreenshotSize);
    window.show();
    window.showPage(name);
    Page* page = window.page(name);
    page->demonstrate();
    settle(*page);
    if (page->empty()) {
        const QString why = page->problem();
        throw std::runtime_error(
            ("the page '" + name + "' is empty" + (why.isEmpty() ? "" : ":\n" + why)).toStdString());
    }
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    window.grab().save(&buffer, "PNG");
    save_file(file, bytes);
}

} // namespace chokepoint::gui
