// SPDX-License-Identifier: GPL-3.0-or-later
// Pictures of pages without a display, for the documentation and for a look at one's work.
#pragma once

#include <QSize>
#include <QString>

namespace chokepoint::gui {

class MainWindow;

inline constexpr QSize kScreenshotSize{1600, 1000};

/// Shows the page, waits until it has computed its content, and writes a PNG.
/// @throws std::runtime_error if the page stays empty, fails, or the file cannot be written.
void take_screenshot(MainWindow&, const QString& page, const QString& file);

} // namespace chokepoint::gui
