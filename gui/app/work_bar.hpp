// SPDX-License-Identifier: GPL-3.0-or-later
// A strip that shows what a page computes, cancels it, and says in place what went wrong.
#pragma once

#include <QWidget>

class QLabel;
class QProgressBar;
class QToolButton;

namespace chokepoint::gui {

class Runner;

class WorkBar : public QWidget {
    Q_OBJECT

public:
    explicit WorkBar(QWidget* parent = nullptr);

    /// Shows the runner's progress and its failures. Several may be watched.
    void watch(Runner&);
    /// Takes the bar and its button away; a message stays.
    void endProgress();
    void setProgress(const QString& phase, double share);
    void setMessage(const QString&);
    void clear();
    [[nodiscard]] const QString& message() const { return message_; }

signals:
    void cancelled();

private:
    QLabel* label_;
    QProgressBar* progress_;
    QToolButton* cancel_;
    QString message_;
};

} // namespace chokepoint::gui
