// SPDX-License-Identifier: GPL-3.0-or-later
// Files that are dropped on the window.
#include "main_window.hpp"
#include "message_bar.hpp"

#include <QDockWidget>
#include <QDropEvent>
#include <QMimeData>
#include <QTimer>

namespace chokepoint::gui {

namespace {

QStringList files_of(const QDropEvent& event) {
    QStringList files;
    for (const QUrl& url : event.mimeData()->urls()) {
        if (url.isLocalFile()) {
            files << url.toLocalFile();
        }
    }
    return files;
}

} // namespace

bool MainWindow::eventFilter(QObject* object, QEvent* event) {
    const bool drop = event->type() == QEvent::Drop;
    if (!drop && event->type() != QEvent::DragEnter && event->type() != QEvent::DragMove) {
        return false;
    }
    const auto* widget = qobject_cast<QWidget*>(object);
    const bool ours =
        widget != nullptr && (widget->window() == this || (qobject_cast<QDockWidget*>(widget->window()) &&
                                                           widget->window()->parentWidget() == this));
    auto& dragged = static_cast<QDropEvent&>(*event);
    const QStringList files = ours ? files_of(dragged) : QStringList();
    if (files.isEmpty()) {
        return false;
    }
    dragged.acceptProposedAction();
    if (drop) {
        // Later, since whoever dropped them waits for the end of this event, and opening may ask questions.
        QTimer::singleShot(0, this, [this, files] { openDropped(files); });
    }
    return true;
}

void MainWindow::openDropped(const QStringList& files) {
    message_->clear();
    bool opened = false;
    QString fault;
    // The first that can be read is opened, the others stand beside it.
    qsizetype next = 0;
    while (!opened && next < files.size()) {
        if (opened = open(files[next++]); !opened) {
            fault = message();
            if (fault.isEmpty()) {
                return; // the present text is to stay
            }
        }
    }
    if (opened) {
        compareWith(files.mid(next));
    }
    if (!fault.isEmpty()) {
        message_->tell(fault); // however well the others went
    }
    if (opened) {
        showPage("compare");
    }
}

} // namespace chokepoint::gui
