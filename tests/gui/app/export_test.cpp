// SPDX-License-Identifier: GPL-3.0-or-later
// An export that fails says so where the window says what is wrong.
#include "application.hpp"

#include <app/export_dialog.hpp>
#include <app/main_window.hpp>
#include <app/message_bar.hpp>
#include <app/page.hpp>

#include <gtest/gtest.h>

#include <QFileDialog>
#include <QTimer>

#include <stdexcept>
#include <utility>

namespace chokepoint::gui {

using test::need_application;
using test::ScratchDirectory;
using test::settings_in;

TEST(Export, SaysAboveThePagesWhyItFailed) {
    need_application();
    const ScratchDirectory scratch;
    MainWindow window(settings_in(scratch), QString());
    Page* page = window.page("compare");
    const MessageBar* bar = MessageBar::of_window(*page);
    ASSERT_NE(bar, nullptr);
    export_to(page, "Export", "a.png", [](const QString& file) {
        throw std::runtime_error("cannot write '" + file.toStdString() + "': No space left on device");
    });
    EXPECT_EQ(bar->message(), "cannot write 'a.png': No space left on device");
    EXPECT_TRUE(bar->isVisibleTo(&window));
    export_to(page, "Export", "a.png", [](const QString&) {});
    EXPECT_EQ(bar->message(), "");
    EXPECT_FALSE(bar->isVisibleTo(&window));
}

TEST(Export, SuggestsANameAndAddsTheEndingOfTheChosenKind) {
    need_application();
    const ScratchDirectory scratch;
    const QString folder = QString::fromStdString(scratch.path().string());
    QWidget window;
    const auto asked = [&](const QString& filter, const QString& name) {
        QString suggested;
        QTimer::singleShot(0, &window, [&] {
            auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
            ASSERT_NE(dialog, nullptr);
            dialog->selectNameFilter(filter);
            emit dialog->filterSelected(filter);
            suggested = QFileInfo(dialog->selectedFiles().value(0)).fileName();
            dialog->setDirectory(folder);
            dialog->selectFile(name.isEmpty() ? folder + "/" + suggested : name);
            QMetaObject::invokeMethod(dialog, "accept");
        });
        QString file;
        window.show();
        ask_export(&window, "Export", "Where the step goes, mean", [&](const QString& to) { file = to; });
        return std::pair(suggested, file);
    };
    const QString suggested = "where-the-step-goes-mean";
    EXPECT_EQ(asked("PNG (*.png)", {}), std::pair(suggested + ".png", folder + "/" + suggested + ".png"));
    EXPECT_EQ(asked("SVG (*.svg)", {}), std::pair(suggested + ".svg", folder + "/" + suggested + ".svg"));
    EXPECT_EQ(asked("PNG (*.png)", folder + "/foo").second, folder + "/foo.png");
    EXPECT_EQ(asked("CSV (*.csv)", folder + "/foo").second, folder + "/foo.csv");
    EXPECT_EQ(asked("CSV (*.csv)", folder + "/foo.svg").second, folder + "/foo.svg") << "as it was typed";
}

} // namespace chokepoint::gui
