// SPDX-License-Identifier: GPL-3.0-or-later
// What the window asks of each of its pages.
#pragma once

#include <QWidget>

namespace chokepoint::gui {

class Page : public QWidget {
    Q_OBJECT

public:
    using QWidget::QWidget;
    /// Computes what the page shows, if that is missing or out of date. Called when it comes to the front.
    virtual void activate() {}
    /// Something is being computed.
    [[nodiscard]] virtual bool busy() const { return false; }
    /// There is nothing to look at.
    [[nodiscard]] virtual bool empty() const = 0;
    /// Why, where that is known: the command line's own words.
    [[nodiscard]] virtual QString problem() const { return {}; }
    /// Works through the page's usual example, for pictures of it.
    virtual void demonstrate() { activate(); }
};

} // namespace chokepoint::gui
