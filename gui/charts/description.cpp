// SPDX-License-Identifier: GPL-3.0-or-later
// Reads a chart from JSON and names everything that is wrong with it at once.
#include "description.hpp"

#include "json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace chokepoint::gui {

namespace {

constexpr std::string_view kSchema = "chokepoint/chart/1";
constexpr int kMaxPixels = 20'000;
constexpr int kMostColumns = 8;

constexpr std::array<std::pair<std::string_view, ChartKind>, 7> kKinds{
    {{"line", ChartKind::line},
     {"scatter", ChartKind::scatter},
     {"stacked-bars", ChartKind::stacked_bars},
     {"gantt", ChartKind::gantt},
     {"waterfall", ChartKind::waterfall},
     {"heat-map", ChartKind::heat_map},
     {"page", ChartKind::page}}};
constexpr std::array<std::pair<std::string_view, BarKind>, 4> kBarKinds{
    {{"total", BarKind::total}, {"more", BarKind::more}, {"less", BarKind::less}, {"range", BarKind::range}}};
constexpr std::array<std::pair<std::string_view, SpanKind>, 5> kSpanKinds{
    {{"forward", SpanKind::forward},
     {"backward", SpanKind::backward},
     {"input_backward", SpanKind::input_backward},
     {"weight_backward", SpanKind::weight_backward},
     {"other", SpanKind::other}}};

Axis read_axis(JsonReader& reader, const Json& chart, std::string_view name, const std::string& of) {
    Axis axis;
    if (!chart.contains(name)) {
        return axis;
    }
    const std::string place = fmt::format("{}/{}", of, name);
    const Json& json = chart[std::string(name)];
    if (!reader.object(json, place, {"label", "log", "from", "to", "ticks"})) {
        return axis;
    }
    axis.label = reader.text(json, "label", place);
    axis.log = reader.flag(json, "log", place);
    axis.from = reader.number(json, "from", place);
    axis.to = reader.number(json, "to", place);
    if (axis.from && axis.to && *axis.from >= *axis.to) {
        reader.fault(place, fmt::format("from ({}) is not below to ({})", *axis.from, *axis.to));
    }
    reader.list(json, "ticks", place, false, [&](const Json& item, const std::string& at) {
        if (JsonReader::is_number(item)) {
            axis.ticks.push_back(item.get<double>());
        } else {
            reader.fault(at, "expected a finite number");
        }
    });
    for (const double value : {axis.from.value_or(1.0), axis.to.value_or(1.0)}) {
        if (axis.log && value <= 0.0) {
            reader.fault(place, fmt::format("{} on a logarithmic axis; expected more than 0", value));
        }
    }
    if (axis.log && std::ranges::any_of(axis.ticks, [](double tick) { return tick <= 0.0; })) {
        reader.fault(place + "/ticks", "a tick of 0 or less on a logarithmic axis");
    }
    return axis;
}

Series read_series(JsonReader& reader, const Json& json, const std::string& place, bool heat_map) {
    Series series;
    if (!reader.object(json, place,
                       {"name", "points", "labels", "band", "values", "markers", "plain", "joined"})) {
        return series;
    }
    series.name = reader.text(json, "name", place, true);
    series.markers = reader.flag(json, "markers", place);
    series.plain = reader.flag(json, "plain", place);
    series.joined = reader.flag(json, "joined", place);
    reader.list(json, "labels", place, false, [&](const Json& item, const std::string& at) {
        if (item.is_string()) {
            series.labels.push_back(item.get<std::string>());
        } else {
            reader.fault(at, "expected text");
        }
    });
    reader.list(json, "points", place, false, [&](const Json& item, const std::string& at) {
        if (const auto pair = reader.numbers<2>(item, at)) {
            series.points.push_back({(*pair)[0], (*pair)[1]});
        }
    });
    reader.list(json, "band", place, false, [&](const Json& item, const std::string& at) {
        if (const auto triple = reader.numbers<3>(item, at)) {
            series.band.push_back({(*triple)[0], (*triple)[1], (*triple)[2]});
        }
    });
    reader.list(json, "values", place, false, [&](const Json& item, const std::string& at) {
        if (JsonReader::is_number(item) && item.get<double>() >= 0.0) {
            series.values.push_back(item.get<double>());
        } else if (heat_map && item.is_null()) {
            series.values.push_back(std::numeric_limits<double>::quiet_NaN());
        } else {
            reader.fault(at, "expected a finite number of at least 0");
        }
    });
    return series;
}

SpanPart read_part(JsonReader& reader, const Json& json, const std::string& place) {
    SpanPart part;
    if (!reader.object(json, place, {"kind", "text", "share", "shade"})) {
        return part;
    }
    part.kind = reader.choice(json, "kind", place, kSpanKinds);
    part.text = reader.text(json, "text", place);
    part.share = reader.number(json, "share", place).value_or(1.0);
    part.shade = static_cast<int>(std::clamp(reader.number(json, "shade", place).value_or(0.0), 0.0, 4.0));
    if (part.share <= 0.0) {
        reader.fault(place + "/share", fmt::format("{}; expected more than 0", part.share));
    }
    return part;
}

Row read_row(JsonReader& reader, const Json& json, const std::string& place) {
    Row row;
    if (!reader.object(json, place, {"label", "spans"})) {
        return row;
    }
    row.label = reader.text(json, "label", place, true);
    reader.list(json, "spans", place, true, [&](const Json& item, const std::string& at) {
        Span span;
        if (!reader.object(item, at, {"start", "end", "parts"})) {
            return;
        }
        span.start = reader.number(item, "start", at, true).value_or(0.0);
        span.end = reader.number(item, "end", at, true).value_or(span.start);
        if (span.end < span.start || span.start < 0.0) {
            reader.fault(at,
                         fmt::format("runs from {} to {}; expected 0 <= start <= end", span.start, span.end));
        }
        reader.list(item, "parts", at, true, [&](const Json& part, const std::string& part_at) {
            span.parts.push_back(read_part(reader, part, part_at));
        });
        row.spans.push_back(std::move(span));
    });
    return row;
}

BarPanel read_panel(JsonReader& reader, const Json& json, const std::string& place) {
    BarPanel panel;
    if (!reader.object(json, place, {"title", "bars"})) {
        return panel;
    }
    panel.title = reader.text(json, "title", place);
    reader.list(json, "bars", place, true, [&](const Json& item, const std::string& at) {
        if (!reader.object(item, at, {"label", "from", "to", "kind", "text"})) {
            return;
        }
        FloatingBar bar;
        bar.label = reader.text(item, "label", at, true);
        bar.from = reader.number(item, "from", at, true).value_or(0.0);
        bar.to = reader.number(item, "to", at, true).value_or(0.0);
        bar.kind = reader.choice(item, "kind", at, kBarKinds);
        bar.text = reader.text(item, "text", at);
        panel.bars.push_back(std::move(bar));
    });
    if (panel.bars.empty()) {
        reader.fault(place + "/bars", "has no bars");
    }
    return panel;
}

int read_pixels(JsonReader& reader, const Json& json, std::string_view name, const std::string& of) {
    const double pixels = reader.number(json, name, of).value_or(0.0);
    if (pixels < 0.0 || pixels > kMaxPixels) {
        reader.fault(fmt::format("{}/{}", of, name),
                     fmt::format("{}; expected 1 to {} pixels", pixels, kMaxPixels));
        return 0;
    }
    return static_cast<int>(pixels);
}

/// What no single field shows.
void check_whole(JsonReader& reader, const Chart& chart, const std::string& of) {
    const bool bars = chart.kind == ChartKind::stacked_bars || chart.kind == ChartKind::heat_map;
    const auto [empty, what] = chart.kind == ChartKind::gantt ? std::pair(chart.rows.empty(), "rows")
                               : chart.kind == ChartKind::waterfall
                                   ? std::pair(chart.panels.empty(), "panels")
                               : chart.kind == ChartKind::page ? std::pair(chart.charts.empty(), "charts")
                                                               : std::pair(chart.series.empty(), "series");
    if (empty) {
        reader.fault(of, fmt::format("has no {}", what));
    }
    for (std::size_t i = 0; i < chart.marks.size(); ++i) {
        const Mark& mark = chart.marks[i];
        if (mark.at <= 0.0 && (mark.horizontal ? chart.y.log : chart.x.log)) {
            reader.fault(fmt::format("{}/marks/{}", of, i), "lies at 0 or less on a logarithmic axis");
        }
    }
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
        const Series& series = chart.series[i];
        const std::string place = fmt::format("{}/series/{}", of, i);
        if (bars && series.values.size() != chart.categories.size()) {
            reader.fault(place, fmt::format("{} values; expected one for each of {} categories",
                                            series.values.size(), chart.categories.size()));
        }
        if (!series.labels.empty() && series.labels.size() != series.points.size()) {
            reader.fault(place, fmt::format("{} labels; expected one for each of {} points",
                                            series.labels.size(), series.points.size()));
        }
        if (!bars && series.points.empty() && series.band.empty()) {
            reader.fault(place, "has no points");
        }
        const auto low = [](double a, double b) { return std::min(a, b); };
        double x = std::numeric_limits<double>::infinity();
        double y = x;
        for (const Point& point : series.points) {
            x = low(x, point.x);
            y = low(y, point.y);
        }
        for (const BandPoint& point : series.band) {
            x = low(x, point.x);
            y = low(y, point.low);
            if (point.low > point.high) {
                reader.fault(place + "/band",
                             fmt::format("from {} to {} at {}: upside down", point.low, point.high, point.x));
            }
        }
        if ((chart.x.log && x <= 0.0) || (chart.y.log && y <= 0.0)) {
            reader.fault(place, "a point at 0 or less on a logarithmic axis");
        }
    }
}

Chart read_chart(JsonReader& reader, const Json& json, const std::string& of) {
    Chart chart;
    if (!reader.object(json, of,
                       {"schema", "kind", "title", "width", "height", "x", "y", "series", "categories",
                        "diagonal_margin", "rows", "panels", "marks", "legend_right", "charts", "columns"})) {
        return chart;
    }
    if (const std::string schema = reader.text(json, "schema", of, true);
        !schema.empty() && schema != kSchema) {
        reader.fault(of + "/schema", fmt::format("found \"{}\"; expected \"{}\"", schema, kSchema));
    }
    chart.kind = reader.choice(json, "kind", of, kKinds);
    chart.title = reader.text(json, "title", of);
    chart.width = read_pixels(reader, json, "width", of);
    chart.height = read_pixels(reader, json, "height", of);
    chart.x = read_axis(reader, json, "x", of);
    chart.y = read_axis(reader, json, "y", of);
    chart.legend_right = reader.flag(json, "legend_right", of);
    chart.diagonal_margin = reader.number(json, "diagonal_margin", of);
    reader.list(json, "series", of, false, [&](const Json& item, const std::string& at) {
        chart.series.push_back(read_series(reader, item, at, chart.kind == ChartKind::heat_map));
    });
    reader.list(json, "categories", of, false, [&](const Json& item, const std::string& at) {
        if (item.is_string()) {
            chart.categories.push_back(item.get<std::string>());
        } else {
            reader.fault(at, "expected text");
        }
    });
    reader.list(json, "rows", of, false, [&](const Json& item, const std::string& at) {
        chart.rows.push_back(read_row(reader, item, at));
    });
    reader.list(json, "panels", of, false, [&](const Json& item, const std::string& at) {
        chart.panels.push_back(read_panel(reader, item, at));
    });
    reader.list(json, "marks", of, false, [&](const Json& item, const std::string& at) {
        if (reader.object(item, at, {"at", "label", "horizontal"})) {
            chart.marks.push_back({reader.number(item, "at", at, true).value_or(1.0),
                                   reader.text(item, "label", at), reader.flag(item, "horizontal", at)});
        }
    });
    if (chart.diagonal_margin && (*chart.diagonal_margin < 0.0 || *chart.diagonal_margin >= 1.0)) {
        reader.fault(of + "/diagonal_margin", "expected 0 to below 1");
    }
    const double columns = reader.number(json, "columns", of).value_or(1.0);
    if (columns < 1.0 || columns > kMostColumns || columns != std::floor(columns)) {
        reader.fault(of + "/columns", fmt::format("{}; expected 1 to {}", columns, kMostColumns));
    } else {
        chart.columns = static_cast<int>(columns);
    }
    reader.list(json, "charts", of, false, [&](const Json& item, const std::string& at) {
        // Only a page holds charts, and no page holds another: hostile nesting ends here.
        if (!of.empty() || (item.is_object() && item.value("kind", Json()) == "page")) {
            reader.fault(at, "a chart inside a chart inside a page");
            return;
        }
        chart.charts.push_back(read_chart(reader, item, at));
    });
    check_whole(reader, chart, of);
    return chart;
}

} // namespace

Chart parse_chart(std::string_view text) {
    Json json;
    try {
        json = Json::parse(text);
    } catch (const Json::exception& error) {
        throw ChartError(fmt::format("not JSON: {}", error.what()));
    }
    JsonReader reader;
    Chart chart = read_chart(reader, json, "");
    reader.throw_if_any();
    return chart;
}

} // namespace chokepoint::gui
