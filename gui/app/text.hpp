// SPDX-License-Identifier: GPL-3.0-or-later
// Figures as the command line prints them: every string comes from the same functions.
#pragma once

#include "contract.hpp"

#include <QString>

namespace chokepoint::gui {

QString seconds_text(double seconds);
QString bytes_text(double bytes);
QString usd_text(double usd);
QString count_text(double count);
/// "2,464,688": whole, in groups of three.
QString whole_text(double count);
QString percent_text(double share);

enum class Unit { seconds, gpu_hours, usd };
QString figure_text(double value, Unit);
/// "16.76 s to 20.10 s"; empty without an interval.
QString interval_text(const Figure&, Unit);

/// Where a file lies, as short as one says it: "~/runs".
QString folder_text(const QString& path);

} // namespace chokepoint::gui
