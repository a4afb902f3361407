// SPDX-License-Identifier: GPL-3.0-or-later
// A chart's data for a spreadsheet.
#include "chart_panel.hpp"

#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>

namespace chokepoint::gui {

using sim::csv_cell;

namespace {

void append_points(std::string& out, const Series& series) {
    for (std::size_t i = 0; i < series.points.size(); ++i) {
        const Point& p = series.points[i];
        out += fmt::format("{},{},{}", csv_cell(series.name), p.x, p.y);
        out += i < series.band.size() ? fmt::format(",{},{}", series.band[i].low, series.band[i].high) : ",,";
        out += "," + csv_cell(i < series.notes.size() ? series.notes[i] : "") + "\n";
    }
}

} // namespace

QByteArray to_csv(const Chart& chart) {
    std::string out;
    if (chart.kind == ChartKind::stacked_bars) {
        out = fmt::format("category,series,{}\n", csv_cell(chart.y.label));
        for (std::size_t c = 0; c < chart.categories.size(); ++c) {
            for (const Series& series : chart.series) {
                if (c < series.values.size()) {
                    out += fmt::format("{},{},{}\n", csv_cell(chart.categories[c]), csv_cell(series.name),
                                       series.values[c]);
                }
            }
        }
    } else if (chart.kind == ChartKind::waterfall) {
        out = fmt::format("panel,bar,from,to,{}\n", csv_cell(chart.x.label));
        for (const BarPanel& panel : chart.panels) {
            for (const FloatingBar& bar : panel.bars) {
                out += fmt::format("{},{},{},{},{}\n", csv_cell(panel.title), csv_cell(bar.label), bar.from,
                                   bar.to, csv_cell(bar.text));
            }
        }
    } else {
        out = fmt::format("series,{},{},low,high,note\n", csv_cell(chart.x.label), csv_cell(chart.y.label));
        for (const Series& series : chart.series) {
            append_points(out, series);
        }
    }
    return QByteArray::fromStdString(out);
}

} // namespace chokepoint::gui
