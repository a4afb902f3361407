// SPDX-License-Identifier: GPL-3.0-or-later
#include "export_dialog.hpp"

#include "message_bar.hpp"

#include <QCoreApplication>
#include <QFileDialog>
#include <QMessageBox>

#include <stdexcept>

namespace chokepoint::gui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("Export", text); }

} // namespace

ExportKind export_kind(const QString& file) {
    const QString ending = file.section('.', -1).toLower();
    if (ending == "png") {
        return ExportKind::png;
    }
    if (ending == "svg") {
        return ExportKind::svg;
    }
    if (ending == "csv") {
        return ExportKind::csv;
    }
    throw std::runtime_error(
        tr("cannot export '%1': expected a name that ends in .png, .svg or .csv").arg(file).toStdString());
}

void ask_export(QWidget* parent, const QString& title,
                const std::function<void(const QString& file)>& write) {
    const QString file =
        QFileDialog::getSaveFileName(parent, title, {}, tr("PNG (*.png);;SVG (*.svg);;CSV (*.csv)"));
    if (!file.isEmpty()) {
        export_to(parent, title, file, write);
    }
}

void export_to(QWidget* parent, const QString& title, const QString& file,
               const std::function<void(const QString& file)>& write) {
    MessageBar* bar = MessageBar::of_window(*parent);
    try {
        write(file);
        if (bar != nullptr) {
            bar->clear();
        }
    } catch (const std::exception& error) {
        const QString what = QString::fromUtf8(error.what());
        if (bar != nullptr) {
            bar->tell(what);
        } else {
            QMessageBox::warning(parent, title, what);
        }
    }
}

} // namespace chokepoint::gui
