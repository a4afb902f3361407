// SPDX-License-Identifier: GPL-3.0-or-later
// Qt writes a group with every attribute before each stroke, most of them empty: pictures in a repository or
// a page need a sixth of that.
#pragma once

#include <QString>

namespace chokepoint::gui {

/// The same picture without empty groups, attributes that say what holds anyway, and groups that repeat the
/// one before.
QString compact_svg(QString svg);

} // namespace chokepoint::gui
