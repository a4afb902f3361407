// SPDX-License-Identifier: GPL-3.0-or-later
// What went wrong with a file, above every page: read on while one works, and gone once something else went
// well.
#pragma once

#include <QWidget>

namespace chokepoint::gui {

class FaultLabel;

class MessageBar : public QWidget {
    Q_OBJECT

public:
    explicit MessageBar(QWidget* parent = nullptr);

    void tell(const QString& message);
    /// The one of the window that `widget` stands in; nullptr without one.
    static MessageBar* of_window(const QWidget& widget);
    void clear();
    [[nodiscard]] QString message() const;

private:
    FaultLabel* label_;
};

} // namespace chokepoint::gui
