// SPDX-License-Identifier: GPL-3.0-or-later
// A scenario's headline figures with their intervals.
#pragma once

#include "contract.hpp"
#include "theme.hpp"

class QPushButton;
class QToolButton;

namespace chokepoint::gui {

class HeadlineCard : public Card {
    Q_OBJECT

public:
    /// `letter` names the scenario on charts; -1: no letter and no way to remove it.
    explicit HeadlineCard(int letter, QWidget* parent = nullptr);

    void setTitle(const QString&);
    /// `basis`: what differences are given against.
    void show(const RunResult&, const RunResult* basis);
    void setMessage(const QString&);
    /// Why there are no figures, in their place.
    void showRefusal(const QString& why);
    void setRemovable(bool);
    /// In the order of the tab key, from `before` on. @return the last
    QWidget* placeInTabOrder(QWidget* before);

signals:
    void removed();

private:
    struct Line {
        QLabel* value;
        QLabel* detail;
    };
    Line addLine(const QString& name);
    static void fill(const Line&, const QString& value, const QString& detail);
    void tellRemarks(const QStringList&);
    void showRemarks();

    QLabel* title_;
    QLabel* subtitle_;
    QToolButton* remove_;
    Line step_, hours_, cost_, rate_;
    QPushButton* remarksButton_;
    QStringList remarks_; ///< of the run
};

/// "A" to "F".
QString letter_of(int number);

} // namespace chokepoint::gui
