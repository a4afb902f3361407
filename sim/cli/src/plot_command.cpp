// SPDX-License-Identifier: Apache-2.0
// The command `plot`: describes charts of a store; chokepoint-plot draws them.
#include "plot_curves.hpp"
#include "sweep_commands.hpp"

#include "json.hpp"
#include "output_file.hpp"
#include "result.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace chokepoint::cli {

namespace {

struct Drawn {
    Json chart;
    Json knees = Json::array();
    std::string text; ///< what the picture says
};

struct Points {
    sim::SweepRecord sweep;
    Fields fields;
    std::vector<sim::StoredPoint> points;
};

Points read_points(const PlotOptions& options) {
    const sim::ResultStore store = open_results(options.store);
    const sim::SweepRecord sweep = chosen_sweep(store, options.store, options.sweep);
    Points read{sweep, Fields(sweep), store.points(sweep.id)};
    std::vector<Condition> conditions;
    for (const std::string& text : options.where) {
        conditions.emplace_back(text, read.fields);
    }
    std::erase_if(read.points, [&](const sim::StoredPoint& point) {
        return point.result.status != sim::PointStatus::done ||
               !std::ranges::all_of(conditions,
                                    [&](const Condition& c) { return c.holds(point, read.fields); });
    });
    if (read.points.empty()) {
        throw UsageError("no feasible point is left to draw");
    }
    return read;
}

const sim::Axis& known_axis(const Fields& fields, const std::string& name, const char* option) {
    if (const sim::Axis* axis = find_axis(fields, name)) {
        return *axis;
    }
    std::vector<std::string> names;
    for (const sim::Axis& axis : fields.grid().axes()) {
        names.push_back(axis.name());
    }
    throw UsageError(fmt::format("{}: no axis of the sweep is called '{}'; expected one of {}", option, name,
                                 fmt::join(names, ", ")));
}

bool is_numeric(const sim::Axis& axis) {
    return std::ranges::all_of(axis.positions, [](const auto& p) { return p.front().number.has_value(); });
}

/// The longest axis of numbers.
std::string longest_axis(const Fields& fields) {
    const sim::Axis* longest = nullptr;
    for (const sim::Axis& axis : fields.grid().axes()) {
        if (axis.keys.size() == 1 && is_numeric(axis) &&
            (longest == nullptr || axis.positions.size() > longest->positions.size())) {
            longest = &axis;
        }
    }
    if (longest == nullptr) {
        throw UsageError("the sweep has no axis of numbers to draw along; --kind heat-map takes names too");
    }
    return longest->name();
}

/// Of keys that change together the labels say enough.
std::string with_unit(const sim::Axis& axis) {
    if (axis.keys.size() > 1) {
        return {};
    }
    const AxisUnit unit = unit_of(axis);
    return unit.text.empty() ? axis.name() : fmt::format("{} ({})", axis.name(), unit.text);
}

/// Thresholds that a chart over NVLink is read against, where they lie on it.
std::vector<std::pair<double, std::string>> marks_of(const PlotOptions& options, const sim::Axis& x) {
    std::vector<std::pair<double, std::string>> marks;
    const AxisUnit unit = unit_of(x);
    if (x.keys.front() == "cluster.caps.nvlink") {
        // Aggregate bidirectional, as datasheets have it: A800 and H800 (hwmodels/catalog/gpu), and the
        // threshold of 15 CFR 774, ECCN 3A090 of October 2022 (hwmodels/catalog/rule/us-2022-10.toml).
        marks = {{400e9 / unit.base, "A800, H800"}, {600e9 / unit.base, "rule of 2022"}};
    }
    for (const std::string& text : options.marks) {
        double at = 0.0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), at);
        if (error != std::errc() || end == text.data() + text.size() || *end != '=') {
            throw UsageError(fmt::format("--mark: \"{}\" is not X=TEXT, as in 600=threshold", text));
        }
        marks.emplace_back(at, std::string(end + 1, text.data() + text.size()));
    }
    double low = x.positions.front().front().number.value_or(0.0) / unit.base;
    double high = low;
    for (const auto& position : x.positions) {
        const double at = position.front().number.value_or(0.0) / unit.base;
        low = std::min(low, at);
        high = std::max(high, at);
    }
    std::erase_if(marks, [&](const auto& mark) { return mark.first < low || mark.first > high; });
    return marks;
}

constexpr double kTenfold = 10.0; // the range from which an axis is logarithmic

bool spans_tenfold(const std::vector<Curve>& lines) {
    double low = std::numeric_limits<double>::infinity();
    double high = 0.0;
    for (const Curve& line : lines) {
        for (const CurvePoint& p : line.points) {
            low = std::min(low, p.low.value_or(p.y));
            high = std::max(high, p.high.value_or(p.y));
        }
    }
    return low > 0.0 && high > kTenfold * low;
}

Json series_json(const Curve& line) {
    Json points = Json::array();
    Json band = Json::array();
    for (const CurvePoint& p : line.points) {
        points.push_back({p.x, p.y});
        if (p.low && p.high) {
            band.push_back({p.x, *p.low, *p.high});
        }
    }
    Json series{{"name", line.name}, {"points", std::move(points)}, {"markers", true}};
    if (!band.empty()) {
        series["band"] = std::move(band);
    }
    return series;
}

/// y between the two points around x.
double height_at(const Curve& line, double x) {
    for (std::size_t i = 0; i + 1 < line.points.size(); ++i) {
        const CurvePoint& a = line.points[i];
        const CurvePoint& b = line.points[i + 1];
        if (x >= a.x && x <= b.x) {
            return a.y * std::pow(b.y / a.y, (x - a.x) / (b.x - a.x));
        }
    }
    return line.points.back().y;
}

Drawn line_chart(const PlotOptions& options, const Points& read) {
    const std::string x = options.x.empty() ? longest_axis(read.fields) : options.x;
    const sim::Axis& along = known_axis(read.fields, x, "--x");
    if (!is_numeric(along)) {
        throw UsageError(fmt::format("--x: {} has names rather than numbers; draw a heat map", along.name()));
    }
    for (const auto& [name, option] :
         {std::pair{options.series, "--series"}, std::pair{options.best_of, "--best-of"}}) {
        if (!name.empty()) {
            (void)known_axis(read.fields, name, option);
        }
    }
    const FigureField& y = figure_field(options.y.empty() ? "step_seconds" : options.y);
    std::vector<Curve> lines = curves(read.points, read.fields, x, y, options.series, options.best_of);
    if (lines.empty()) {
        throw UsageError(
            fmt::format("no point has {}: does the scenario have a [campaign] with a price?", y.name));
    }
    Drawn drawn;
    Json series = Json::array();
    Json bends{{"name", ""}, {"points", Json::array()}, {"labels", Json::array()}, {"plain", true}};
    const AxisUnit unit = unit_of(along);
    bool above_zero = true;
    for (const Curve& line : lines) {
        series.push_back(series_json(line));
        above_zero = above_zero && line.points.front().x > 0.0;
        constexpr double kPercent = 100.0;
        if (const auto at = knee(line, options.knee, y.more_is_better)) {
            const std::string words = fmt::format("{:.0f} {}: {}{:.0f}%", *at, unit.text,
                                                  y.more_is_better ? "-" : "+", kPercent * options.knee);
            bends["points"].push_back({*at, height_at(line, *at)});
            bends["labels"].push_back(words);
            drawn.knees.push_back(
                {{"series", line.name}, {"x", *at}, {"unit", unit.text}, {"rise", options.knee}});
            drawn.text += fmt::format("{:<32} knee at {}\n", line.name, words);
        } else if (options.knee > 0.0) {
            drawn.text += fmt::format("{:<32} no knee of {:.0f}%\n", line.name, kPercent * options.knee);
        }
    }
    constexpr std::size_t kFew = 4; // more names take several rows below a chart, and their knees hide it
    const bool many = lines.size() > kFew;
    if (!bends["points"].empty() && !many) {
        series.push_back(std::move(bends));
    }
    Json marks = Json::array();
    for (const auto& [at, label] : marks_of(options, along)) {
        marks.push_back({{"at", at}, {"label", label}});
    }
    drawn.chart = {
        {"schema", "chokepoint/chart/1"},
        {"kind", "line"},
        {"title", options.title.empty() ? read.sweep.title : options.title},
        {"x", {{"label", with_unit(along)}, {"log", above_zero && !options.linear_x}}},
        {"y", {{"label", std::string(y.label)}, {"log", spans_tenfold(lines) && !options.linear_y}}},
        {"series", std::move(series)},
        {"marks", std::move(marks)},
        {"legend_right", many}};
    return drawn;
}

Drawn heat_map(const PlotOptions& options, const Points& read) {
    const std::vector<sim::Axis>& axes = read.fields.grid().axes();
    if (axes.size() < 2 && (options.x.empty() || options.y.empty())) {
        throw UsageError("a heat map needs a sweep of two axes");
    }
    const sim::Axis& x = options.x.empty() ? axes.front() : known_axis(read.fields, options.x, "--x");
    const sim::Axis& y = options.y.empty() ? (&x == axes.data() ? axes[1] : axes.front())
                                           : known_axis(read.fields, options.y, "--y");
    const FigureField& cell = figure_field(options.series.empty() ? "step_seconds" : options.series);
    const auto x_at = static_cast<std::size_t>(&x - axes.data());
    const auto y_at = static_cast<std::size_t>(&y - axes.data());
    std::vector<std::vector<std::optional<double>>> cells(
        y.positions.size(), std::vector<std::optional<double>>(x.positions.size()));
    for (const sim::StoredPoint& point : read.points) {
        const std::vector<std::size_t> at = read.fields.grid().coordinates(point.position);
        const FieldValue value = read.fields.value(point, std::string(cell.name));
        std::optional<double>& slot = cells[at[y_at]][at[x_at]];
        if (value.number) { // of other axes, the best
            const double shown = *value.number * cell.scale;
            const bool better = !slot || (cell.more_is_better ? shown > *slot : shown < *slot);
            slot = better ? shown : *slot;
        }
    }
    const auto short_label = [](const sim::Axis& axis, std::size_t i) {
        const auto number = axis.positions[i].front().number;
        return axis.labels.empty() && number ? fmt::format("{:.4g}", *number / unit_of(axis).base)
                                             : axis.label(i);
    };
    Json columns = Json::array();
    for (std::size_t i = 0; i < x.positions.size(); ++i) {
        columns.push_back(short_label(x, i));
    }
    Json rows = Json::array();
    for (std::size_t i = y.positions.size(); i-- > 0;) { // the first at the bottom, as on an axis
        Json values = Json::array();
        for (const auto& value : cells[i]) {
            values.push_back(value ? Json(*value) : Json(nullptr));
        }
        rows.push_back({{"name", short_label(y, i)}, {"values", std::move(values)}});
    }
    Drawn drawn;
    drawn.chart = {{"schema", "chokepoint/chart/1"},
                   {"kind", "heat-map"},
                   {"title", fmt::format("{}: {}", options.title.empty() ? read.sweep.title : options.title,
                                         cell.label)},
                   {"x", {{"label", with_unit(x)}}},
                   {"y", {{"label", with_unit(y)}}},
                   {"categories", std::move(columns)},
                   {"series", std::move(rows)}};
    return drawn;
}

/// Step time against memory: every plan, and those that no other beats in both.
Drawn front_chart(const PlotOptions& options, const Points& read) {
    std::vector<sim::StoredPoint> points = read.points;
    std::ranges::stable_sort(points, {},
                             [](const sim::StoredPoint& p) { return p.result.headline.step.value; });
    Json all = Json::array();
    Json front = Json::array();
    Drawn drawn;
    hw::Bytes least(std::numeric_limits<double>::infinity());
    for (const sim::StoredPoint& point : points) {
        const sim::Headline& h = point.result.headline;
        const Json at{h.peak_memory.value() / 1e9, h.step.value.value()};
        if (h.peak_memory < least) {
            least = h.peak_memory;
            front.push_back(at);
            drawn.text += fmt::format("{:>10}  {:>9}  point {}\n", hw::to_text(h.step.value),
                                      hw::to_text(h.peak_memory), point.position);
        } else {
            all.push_back(at);
        }
    }
    Json series = Json::array();
    if (!all.empty()) {
        series.push_back({{"name", "others"}, {"points", std::move(all)}});
    }
    // Last, since it is drawn on top.
    series.push_back({{"name", "no other is better in both"}, {"points", std::move(front)}});
    const double slowest =
        points.back().result.headline.step.value / points.front().result.headline.step.value;
    drawn.chart = {{"schema", "chokepoint/chart/1"},
                   {"kind", "scatter"},
                   {"title", options.title.empty() ? read.sweep.title : options.title},
                   {"x", {{"label", "memory of the fullest GPU (GB)"}}},
                   {"y", {{"label", "seconds per step"}, {"log", slowest > kTenfold && !options.linear_y}}},
                   {"series", std::move(series)}};
    return drawn;
}

/// The axis that is not `x`; empty if there is none.
std::string other_axis(const Fields& fields, const std::string& x, const std::string& store) {
    std::vector<std::string> others;
    for (const sim::Axis& axis : fields.grid().axes()) {
        if (axis.name() != x && axis.positions.size() > 1) {
            others.push_back(axis.name());
        }
    }
    if (others.size() > 1) {
        throw UsageError(fmt::format("'{}': a sweep over {} axes is no single chart; expected one or two. "
                                     "`chokepoint plot` draws parts of it",
                                     store, others.size() + 1));
    }
    return others.empty() ? std::string() : others.front();
}

std::string most_telling_figure(const std::vector<sim::StoredPoint>& points) {
    const auto all_have = [&](auto figure) {
        return std::ranges::all_of(
            points, [&](const sim::StoredPoint& p) { return (p.result.headline.*figure).has_value(); });
    };
    return all_have(&sim::Headline::usd)         ? "usd"
           : all_have(&sim::Headline::gpu_hours) ? "gpu_hours"
                                                 : "step_seconds";
}

} // namespace

Json store_chart(const std::string& store) {
    PlotOptions options{.store = store};
    const Points read = read_points(options);
    options.x = longest_axis(read.fields);
    options.series = other_axis(read.fields, options.x, store);
    options.y = most_telling_figure(read.points);
    return line_chart(options, read).chart;
}

int plot_command(const PlotOptions& options, const Common& common) {
    const Points read = read_points(options);
    const auto json = common.json.empty() ? nullptr : std::make_unique<OutputFile>(common.json);
    ChartOutput charts(options.charts);
    const Drawn drawn = options.kind == "heat-map" ? heat_map(options, read)
                        : options.kind == "front"  ? front_chart(options, read)
                                                   : line_chart(options, read);
    charts.write(drawn.chart);
    if (json) {
        json->commit(Json{{"schema", "chokepoint/plot/1"},
                          {"program", program_json(read.sweep.catalog_hash)},
                          {"sweep", read.sweep.id},
                          {"knees", drawn.knees},
                          {"chart", drawn.chart}}
                         .dump(2) +
                     "\n");
    }
    const bool on_stdout = common.json == "-" || options.charts.svg == "-" || options.charts.png == "-" ||
                           options.charts.description == "-";
    if (!on_stdout) {
        fmt::print("{}", drawn.text);
    }
    return kFine;
}

} // namespace chokepoint::cli
