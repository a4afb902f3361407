// SPDX-License-Identifier: GPL-3.0-or-later
// Light and dark, for widgets as for charts.
#pragma once

#include <QPalette>
#include <QString>

class QWidget;

namespace chokepoint::gui {

enum class Look { system, light, dark };

/// Sets the whole program's palette; charts follow on their next palette change.
void apply_look(Look);
bool is_dark(const QWidget&);
/// The frame of cards, in either look.
QString card_style();

} // namespace chokepoint::gui
