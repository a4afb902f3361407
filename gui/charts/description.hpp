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
    std::optional<double> from, to; ///< absent: from the data
    std::vector<double> ticks;      ///< empty: chosen
};

struct Series {
    std::string name;
    std::vector<Point> points;
    std::vector<BandPoint> band;
    std::vector<double> values; ///< of bars: one per category
    bool markers = false;       ///< of lines
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

enum class ChartKind { line, scatter, stacked_bars, gantt };

struct Chart {
    ChartKind kind = ChartKind::line;
    std::string title;
    int width = 0, height = 0; ///< pixels; 0: chosen
    Axis x, y;
    std::vector<Series> series;
    std::vector<std::string> categories;   ///< of bars
    std::optional<double> diagonal_margin; ///< of scatters: y = x, and a band of this share around it
    std::vector<Row> rows;                 ///< of gantt
};

/// Every fault of a description, a line each, with its JSON pointer.
class ChartError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// @throws ChartError with every fault.
Chart parse_chart(std::string_view json);

} // namespace chokepoint::gui
