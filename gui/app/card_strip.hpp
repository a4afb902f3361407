// SPDX-License-Identifier: GPL-3.0-or-later
// Cards side by side: as tall as their words need, and scrolled sideways where the window is too narrow.
#pragma once

#include <QScrollArea>

class QHBoxLayout;

namespace chokepoint::gui {

class CardStrip : public QScrollArea {
    Q_OBJECT

public:
    /// At least so many pixels tall, whatever the cards say.
    explicit CardStrip(QWidget* parent = nullptr, int least = 0);
    void add(QWidget* card);

protected:
    void resizeEvent(QResizeEvent*) override;
    bool eventFilter(QObject*, QEvent*) override;

private:
    void fit();

    QHBoxLayout* cards_;
    int least_;
};

} // namespace chokepoint::gui
