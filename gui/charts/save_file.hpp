// SPDX-License-Identifier: GPL-3.0-or-later
// Files that are either written whole or left as they were.
#pragma once

#include <QByteArray>
#include <QString>

namespace chokepoint::gui {

/// @throws std::runtime_error saying why the file could not be written; what it held before is still there.
void save_file(const QString& path, const QByteArray& bytes);

} // namespace chokepoint::gui
