// SPDX-License-Identifier: GPL-3.0-or-later
// The guided example: a strip above the pages that says what to look at, page by page.
#pragma once

#include "theme.hpp"

class QLabel;
class QPushButton;

namespace chokepoint::gui {

class GuideBar : public Card {
    Q_OBJECT

public:
    explicit GuideBar(QWidget* parent = nullptr);

    void begin();
    [[nodiscard]] static int steps();

signals:
    /// The step is about this page.
    void pageAsked(const QString& page);

private:
    void go(int step);

    int step_ = 0;
    QLabel* count_;
    QLabel* words_;
    QPushButton* back_;
    QPushButton* next_;
    QPushButton* end_;
};

} // namespace chokepoint::gui
