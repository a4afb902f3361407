// SPDX-License-Identifier: GPL-3.0-or-later
#include "export_dialog.hpp"

#include "message_bar.hpp"

#include <QCoreApplication>
#include <QFileDialog>
#include <QMessageBox>
#include <QRegularExpression>

#include <stdexcept>

namespace chokepoint::gui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("Export", text); }

/// "png" of "PNG (*.png)".
QString ending_of(const QString& filter) { return filter.section("*.", 1).section(')', 0, 0); }

/// "step-against-nvlink-cap"
QString plain_name(const QString& subject) {
    static const QRegularExpression kOther("[^a-z0-9.]+");
    QString name = subject.toLower().replace(kOther, "-");
    while (name.endsWith('-')) {
        name.chop(1);
    }
    return name.isEmpty() ? tr("export") : name;
}

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

QString ask_file(QWidget* parent, const QString& title, const QString& suggested,
                 const QStringList& filters) {
    QFileDialog dialog(parent, title);
    dialog.setAcceptMode(QFileDialog::AcceptSave);
    dialog.setNameFilters(filters);
    dialog.setDefaultSuffix(ending_of(filters.front()));
    QObject::connect(&dialog, &QFileDialog::filterSelected, &dialog, [&dialog](const QString& filter) {
        const QString before = "." + dialog.defaultSuffix();
        dialog.setDefaultSuffix(ending_of(filter));
        if (const QString name = dialog.selectedFiles().value(0); name.endsWith(before)) {
            dialog.selectFile(name.chopped(before.size()) + "." + dialog.defaultSuffix());
        }
    });
    dialog.selectFile(suggested);
    return dialog.exec() == QDialog::Accepted ? dialog.selectedFiles().value(0) : QString();
}

void ask_export(QWidget* parent, const QString& title, const QString& subject,
                const std::function<void(const QString& file)>& write) {
    const QString file = ask_file(parent, title, plain_name(subject) + ".png",
                                  {tr("PNG (*.png)"), tr("SVG (*.svg)"), tr("CSV (*.csv)")});
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
