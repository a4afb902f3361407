// SPDX-License-Identifier: GPL-3.0-or-later
// A chart's data for a spreadsheet.
#include "chart_panel.hpp"

#include <fmt/format.h>

namespace chokepoint::gui {

namespace {

/// Quoted where a comma, a quote or a line break would break the row.
std::string cell(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) {
        return text;
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + '"';
}

void append_points(std::string& out, const Series& series) {
    for (std::size_t i = 0; i < series.points.size(); ++i) {
        const Point& p = series.points[i];
        out += fmt::format("{},{},{}", cell(series.name), p.x, p.y);
        out += i < series.band.size() ? fmt::format(",{},{}", series.band[i].low, series.band[i].high) : ",,";
        out += "," + cell(i < series.notes.size() ? series.notes[i] : "") + "\n";
    }
}

} // namespace

QByteArray to_csv(const Chart& chart) {
    std::string out;
    if (chart.kind == ChartKind::stacked_bars) {
        out = fmt::format("category,series,{}\n", cell(chart.y.label));
        for (std::size_t c = 0; c < chart.categories.size(); ++c) {
            for (const Series& series : chart.series) {
                if (c < series.values.size()) {
                    out += fmt::format("{},{},{}\n", cell(chart.categories[c]), cell(series.name),
                                       series.values[c]);
                }
            }
        }
    } else if (chart.kind == ChartKind::waterfall) {
        out = fmt::format("panel,bar,from,to,{}\n", cell(chart.x.label));
        for (const BarPanel& panel : chart.panels) {
            for (const FloatingBar& bar : panel.bars) {
                out += fmt::format("{},{},{},{},{}\n", cell(panel.title), cell(bar.label), bar.from, bar.to,
                                   cell(bar.text));
            }
        }
    } else {
        out = fmt::format("series,{},{},low,high,note\n", cell(chart.x.label), cell(chart.y.label));
        for (const Series& series : chart.series) {
            append_points(out, series);
        }
    }
    return QByteArray::fromStdString(out);
}

} // namespace chokepoint::gui
