// SPDX-License-Identifier: GPL-3.0-or-later
// The window's menus, and what they ask before anything is lost.
#include "compare_page.hpp"
#include "document.hpp"
#include "export_dialog.hpp"
#include "guide_bar.hpp"
#include "main_window.hpp"
#include "message_bar.hpp"
#include "start_page.hpp"
#include "text.hpp"

#include <QActionGroup>
#include <QApplication>
#include <QDir>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QListWidget>
#include <QMenuBar>
#include <QMessageBox>
#include <QPushButton>
#include <QSettings>
#include <QStandardPaths>

namespace chokepoint::gui {

void MainWindow::makeMenus() {
    makeFileMenu();
    QMenu* edit = menus_->addMenu(tr("&Edit"));
    edit->addAction(tr("&Undo"), QKeySequence::Undo, this, [this] { document_->editable().undo(); });
    edit->addAction(tr("&Redo"), QKeySequence::Redo, this, [this] { document_->editable().redo(); });
    makeViewMenu();
    QMenu* help = menus_->addMenu(tr("&Help"));
    help->addAction(tr("&Guided example"), this, &MainWindow::startGuide);
    help->addAction(tr("&About Chokepoint"), this, [this] {
        QMessageBox::about(
            this, tr("About Chokepoint"),
            tr("<b>Chokepoint</b> %1<p>What does a hardware restriction do to the cost of training "
               "a model?</p><p>Every figure comes from the command line, %2.</p><p>This program is free "
               "software under the GNU General Public License, version 3 or later; the command line is "
               "under the Apache License, version 2.0.</p>")
                .arg(QApplication::applicationVersion().toHtmlEscaped(), cli_program().toHtmlEscaped()));
    });
    help->addAction(tr("About &Qt"), this, [this] { QMessageBox::aboutQt(this); });
}

void MainWindow::makeFileMenu() {
    QMenu* file = menus_->addMenu(tr("&File"));
    file->addAction(tr("&New"), QKeySequence::New, this, &MainWindow::begin);
    file->addAction(tr("&Open…"), QKeySequence::Open, this, &MainWindow::askOpen);
    recentMenu_ = file->addMenu(tr("Open &recent"));
    connect(recentMenu_, &QMenu::aboutToShow, this, [this] {
        recentMenu_->clear();
        for (const QString& path : settings_->value("recent").toStringList()) {
            const QString words = tr("%1 in %2").arg(QFileInfo(path).fileName(), folder_text(path));
            recentMenu_->addAction(QString(words).replace('&', "&&"), this, [this, path] { open(path); });
        }
    });
    file->addAction(tr("Re&load"), QKeySequence(Qt::Key_F5), this, [this] {
        if (!document_->path().isEmpty()) {
            open(QString(document_->path()));
        }
    });
    file->addSeparator();
    file->addAction(tr("&Save"), QKeySequence::Save, this, [this] { save(false); });
    file->addAction(tr("Save &as…"), QKeySequence::SaveAs, this, [this] { save(true); });
    file->addSeparator();
    file->addAction(tr("&Quit"), QKeySequence::Quit, this, &QWidget::close);
}

void MainWindow::makeViewMenu() {
    QMenu* view = menus_->addMenu(tr("&View"));
    for (int i = 0; i < navigation_->count(); ++i) {
        view->addAction(navigation_->item(i)->text(),
                        QKeySequence(Qt::ALT | static_cast<Qt::Key>(Qt::Key_1 + i)), this,
                        [this, i] { navigation_->setCurrentRow(i); });
    }
    view->addAction(scenarioDock_->toggleViewAction());
    view->addSeparator();
    QMenu* look = view->addMenu(tr("&Colours"));
    auto* group = new QActionGroup(this);
    const auto chosen = static_cast<Look>(settings_->value("look", static_cast<int>(Look::light)).toInt());
    for (const auto& [name, which] :
         {std::pair(tr("As the &desktop"), Look::system), std::pair(tr("&Light"), Look::light),
          std::pair(tr("&Dark"), Look::dark)}) {
        QAction* action = look->addAction(name, this, [this, which = which] { setLook(which); });
        action->setCheckable(true);
        action->setChecked(which == chosen);
        group->addAction(action);
    }
    view->addSeparator();
    view->addAction(tr("&Restore default layout"), this, &MainWindow::restoreDefaultLayout);
}

void MainWindow::askOpen() {
    const QString path =
        QFileDialog::getOpenFileName(this, tr("Open a scenario"), QFileInfo(document_->path()).absolutePath(),
                                     tr("Scenarios (*.toml);;All files (*)"));
    if (!path.isEmpty() && open(path)) {
        showPage("compare");
    }
}

void MainWindow::begin() {
    if (mayDiscard()) {
        // The tables that every scenario has: what each of them lacks stands below the text.
        document_->begin("title = \"untitled\"\n\n[cluster]\n\n[model]\n\n[plan]\n");
        message_->clear();
        showPage("scenario");
    }
}

bool MainWindow::save(bool as) {
    if (!document_->isOpen()) {
        message_->tell(tr("There is no scenario to save."));
        return false;
    }
    as = as || document_->path().isEmpty() || is_shipped(document_->path());
    QString path = as ? askSaveAs() : document_->path();
    if (!as && document_->changedOnDisk()) {
        path = askOvertaken();
    }
    if (path.isEmpty()) {
        return false;
    }
    try {
        document_->save(path);
    } catch (const std::exception& error) {
        message_->tell(QString::fromUtf8(error.what()));
        return false;
    }
    message_->clear();
    remember(document_->path());
    return true;
}

QString MainWindow::askSaveAs() {
    QString at = document_->path();
    if (at.isEmpty() || is_shipped(at)) {
        const QString documents = QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation);
        at = (QFileInfo(documents).isDir() ? documents : QDir::homePath()) + "/" +
             (at.isEmpty() ? tr("untitled.toml") : QFileInfo(at).fileName());
    }
    return ask_file(this, tr("Save the scenario"), at, {tr("Scenarios (*.toml)")});
}

QString MainWindow::askOvertaken() {
    QMessageBox box(QMessageBox::Warning, tr("The file has changed"),
                    tr("Another program has changed %1 since it was opened here.\n\nOverwrite its changes?")
                        .arg(document_->name()),
                    QMessageBox::Cancel, this);
    const auto* overwrite = box.addButton(tr("&Overwrite"), QMessageBox::DestructiveRole);
    const auto* elsewhere = box.addButton(tr("Save &as…"), QMessageBox::AcceptRole);
    box.setDefaultButton(QMessageBox::Cancel);
    box.exec();
    if (box.clickedButton() == overwrite) {
        return document_->path();
    }
    return box.clickedButton() == elsewhere ? askSaveAs() : QString();
}

bool MainWindow::mayDiscard() {
    if (!document_->isModified() || !document_->isOpen()) {
        return true;
    }
    const auto answer = QMessageBox::question(this, tr("Unsaved changes"),
                                              tr("Save the changes to %1?").arg(document_->name()),
                                              QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel);
    return answer == QMessageBox::Discard || (answer == QMessageBox::Save && save(false));
}

bool MainWindow::offerRecovery() {
    for (const Recovered& recovered : recoverable(recovery_)) {
        const auto answer = QMessageBox::question(
            this, tr("Unsaved text"),
            tr("An earlier session ended without saving its changes to\n%1\n\nTake them back?")
                .arg(recovered.path.isEmpty() ? tr("a scenario that has no file yet") : recovered.path));
        if (answer == QMessageBox::Yes) {
            document_->restore(recovered);
            compareWith(earlierFiles_);
            showPage(earlierPage_);
            return true;
        }
        QFile::remove(recovered.file);
    }
    return false;
}

void MainWindow::startGuide() {
    // The study that the README begins with: the cap's price, as the difference to the part it caps.
    for (const Shipped& shipped : shipped_scenarios()) {
        if (shipped.path.endsWith("deepseek-v3-h800.toml") && open(shipped.path)) {
            compareWith({QString(shipped.path).replace("h800", "h100")});
            guide_->begin();
        }
    }
}

} // namespace chokepoint::gui
