// SPDX-License-Identifier: GPL-3.0-or-later
// A scenario's headline figures with their intervals.
#pragma once

#include "contract.hpp"
#include "theme.hpp"

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
    void setRemovable(bool);

signals:
    void removed();

private:
    struct Line {
        QLabel* value;
        QLabel* detail;
    };
    Line addLine(const QString& name);
    static void fill(const Line&, const QString& value, const QString& detail);

    QLabel* title_;
    QLabel* subtitle_;
    QToolButton* remove_;
    Line step_, hours_, cost_, rate_;
};

/// "A" to "F".
QString letter_of(int number);

} // namespace chokepoint::gui
