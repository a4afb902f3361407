// SPDX-License-Identifier: GPL-3.0-or-later
#include "export_dialog.hpp"

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
    if (file.isEmpty()) {
        return;
    }
    try {
        write(file);
    } catch (const std::exception& error) {
        QMessageBox::warning(parent, title, QString::fromUtf8(error.what()));
    }
}

std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) {
        return text;
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + '"';
}

} // namespace chokepoint::gui
