// SPDX-License-Identifier: GPL-3.0-or-later
// What a chart shows, as plain values: read from the JSON of docs/schema/chart.schema.json, drawn by render.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::gui {

struct Point {
    double x = 0.0, y = 0.0;
    friend bool operator==(const Point&, const Point&) = default;
};
/// An interval at x, as uncertainty draws it.
struct BandPoint {
    double x = 0.0, low = 0.0, high = 0.0;
};

struct Axis {
    std::string label; ///< with its unit
    bool log = false;
    std::optional<double> from, to;       ///< absent: from the data
    std::vector<double> ticks;            ///< empty: chosen
    std::vector<std::string> tick_labels; ///< one per tick, or none: the numbers
};

struct Series {
    std::string name;
    std::vector<Point> points;
    std::vector<std::string> labels; ///< one per point, drawn beside it; or none
    std::vector<std::string> notes;  ///< one per point, told when asked; or none
    std::vector<BandPoint> band;
    std::vector<double> values; ///< of bars and rows of heat maps: one per category; of the latter, NaN: none
    bool markers = false;       ///< of lines
    bool joined = false;        ///< of scatters: a line
    bool hidden = false;        ///< in the legend alone
    bool plain = false;         ///< its labels alone: neither line nor points
    bool ringed = false;        ///< its labels leave room for a ring around its points
    std::optional<std::size_t> style; ///< of points and bars: as series_color numbers them; absent: its place
};

enum class SpanKind { forward, backward, input_backward, weight_backward, other };
/// A part of a span, as wide as its share of it.
struct SpanPart {
    SpanKind kind = SpanKind::other;
    std::string text;
    double share = 1.0;
    int shade = 0; ///< 0: full colour; more: paler
};
struct Span {
    double start = 0.0, end = 0.0;
    std::vector<SpanPart> parts; ///< several: work that overlaps, drawn in one frame
};
struct Row {
    std::string label;
    std::vector<Span> spans;
};

/// A line across the plot with its name: a threshold, a published figure.
struct Mark {
    double at = 0.0;
    std::string label;
    bool horizontal = false;
};
/// A rectangle behind the data; an absent side lies on the plot's edge.
struct Region {
    std::optional<double> left, right, bottom, top;
    std::string label;
    std::size_t color = 0; ///< as series_color numbers them
    bool solid = false;    ///< a bar rather than a ground
};

/// Bars that begin where others end: totals, what leads from one to the next, and ranges around a value.
enum class BarKind { total, more, less, range };
struct FloatingBar {
    std::string label;
    double from = 0.0, to = 0.0;
    BarKind kind = BarKind::total;
    std::string text; ///< beside the bar
};
/// Bars one below the other. All panels of a chart have one axis.
struct BarPanel {
    std::string title;
    std::vector<FloatingBar> bars;
};

enum class ChartKind { line, scatter, stacked_bars, gantt, waterfall, heat_map, page };

struct Chart {
    ChartKind kind = ChartKind::line;
    std::string title;
    int width = 0, height = 0; ///< pixels; 0: chosen
    Axis x, y;
    std::vector<Series> series;
    std::vector<std::string> categories;   ///< of bars; the columns of heat maps
    std::optional<double> diagonal_margin; ///< of scatters: y = x, and a band of this share around it
    std::vector<Row> rows;                 ///< of gantt
    std::vector<BarPanel> panels;          ///< of waterfalls
    std::vector<Mark> marks;               ///< of lines and scatters
    std::vector<Region> regions;           ///< of lines and scatters
    bool legend_right = false;             ///< else below
    bool dark = false;                     ///< light ink on a dark ground
    std::vector<Chart> charts;             ///< of pages, row by row
    int columns = 1;                       ///< of pages
};

/// Every fault of a description, a line each, with its JSON pointer.
class ChartError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// @throws ChartError with every fault.
Chart parse_chart(std::string_view json);

} // namespace chokepoint::gui
