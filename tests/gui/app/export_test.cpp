// SPDX-License-Identifier: GPL-3.0-or-later
// An export that fails says so where the window says what is wrong.
#include "application.hpp"

#include <app/export_dialog.hpp>
#include <app/main_window.hpp>
#include <app/message_bar.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

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

} // namespace chokepoint::gui
