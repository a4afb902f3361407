// SPDX-License-Identifier: GPL-3.0-or-later
// Every colour and the font, named once: readable when colour-blind, and near those of the Perfetto export.
#pragma once

#include "description.hpp"

#include <QColor>
#include <QFont>

namespace chokepoint::gui {

/// Colours of series, in the order in which they are added.
QColor series_color(std::size_t number, bool dark = false);
/// Forward green, backward blue, weight gradient orange, as the trace for ui.perfetto.dev has them; a higher
/// shade is paler.
QColor span_color(SpanKind, int shade);
std::string_view span_name(SpanKind);

/// Dearer orange, cheaper green, totals grey, ranges blue: apart for the colour-blind, and in print.
QColor bar_color(BarKind);

QColor text_color(bool dark = false);
QColor grid_color(bool dark = false);
QColor background_color(bool dark = false);
/// What every SVG asks for; browsers without it fall back to another without serifs.
QFont chart_font(int pixels);

} // namespace chokepoint::gui
