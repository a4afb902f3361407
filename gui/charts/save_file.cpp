// SPDX-License-Identifier: GPL-3.0-or-later
#include "save_file.hpp"

#include <QCoreApplication>
#include <QSaveFile>

#include <stdexcept>

namespace chokepoint::gui {

void save_file(const QString& path, const QByteArray& bytes) {
    QSaveFile file(path);
    // Unbuffered: commit() does not see that a buffer was flushed in vain, and puts an empty file in place.
    if (!file.open(QIODevice::WriteOnly | QIODevice::Unbuffered) || file.write(bytes) != bytes.size() ||
        !file.commit()) {
        throw std::runtime_error(QCoreApplication::translate("SaveFile", "cannot write '%1': %2")
                                     .arg(path, file.errorString())
                                     .toStdString());
    }
}

} // namespace chokepoint::gui
