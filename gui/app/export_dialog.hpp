// SPDX-License-Identifier: GPL-3.0-or-later
// What charts and timelines share when they are written to a file.
#pragma once

#include <QString>
#include <QStringList>

#include <functional>

class QWidget;

namespace chokepoint::gui {

enum class ExportKind { png, svg, csv };
/// By the name's ending. @throws std::runtime_error naming the endings that there are.
ExportKind export_kind(const QString& file);

/// Asks for a file to write. A name without an ending gets that of the chosen filter, of which there is one
/// or more ("PNG (*.png)"). Empty if the question is closed.
QString ask_file(QWidget* parent, const QString& title, const QString& suggested, const QStringList& filters);
/// Asks where to, then export_to. The name that is suggested is made of `subject`.
void ask_export(QWidget* parent, const QString& title, const QString& subject,
                const std::function<void(const QString& file)>& write);
/// Says above the window's pages what went wrong if `write` throws; in a box of its own where there are none.
void export_to(QWidget* parent, const QString& title, const QString& file,
               const std::function<void(const QString& file)>& write);

} // namespace chokepoint::gui
