// SPDX-License-Identifier: GPL-3.0-or-later
// Light and dark, for widgets as for charts.
#pragma once

#include <QFrame>
#include <QLabel>
#include <QPalette>

class QPainter;

namespace chokepoint::gui {

enum class Look { system, light, dark };

/// Sets the whole program's palette; charts follow on their next palette change.
void apply_look(Look);
bool is_dark(const QWidget&);
/// Readable on the ground of windows and fields in that look.
QColor fault_color(bool dark);
/// A type size in pixels. A style sheet would set it too, but keeps the colours of the look it was set in.
void set_type(QWidget&, int pixels, bool bold = false);
void set_bold(QWidget&);

/// Around a widget that has the keys and does not show it itself.
void paint_focus(QPainter&, const QWidget&);

/// A frame with round corners on the ground of fields.
class Card : public QFrame {
    Q_OBJECT

public:
    using QFrame::QFrame;

protected:
    void paintEvent(QPaintEvent*) override;
};

/// Words on what went wrong.
class FaultLabel : public QLabel {
    Q_OBJECT

public:
    explicit FaultLabel(QWidget* parent = nullptr);

protected:
    void changeEvent(QEvent*) override;

private:
    void takeColor();
};

} // namespace chokepoint::gui
