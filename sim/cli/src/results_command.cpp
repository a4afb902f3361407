// SPDX-License-Identifier: Apache-2.0
// The command `results`: points of a store as a table, CSV or JSON.
#include "results_filter.hpp"
#include "sweep_commands.hpp"

#include "json.hpp"
#include "output_file.hpp"
#include "result.hpp"
#include "sweep_text.hpp"

#include <chokepoint/sim/wording.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

namespace chokepoint::cli {

namespace {

Json sweep_json(const sim::ResultStore& store, const sim::SweepRecord& sweep) {
    return {{"id", sweep.id},
            {"title", sweep.title},
            {"file", sweep.file},
            {"program", sweep.program},
            {"created", sweep.created},
            {"points", sweep.points},
            {"finished", store.finished(sweep.id).size()},
            {"overrides", sweep.options.overrides},
            {"axes", axes_json(sweep.axes)}};
}

Json value_json(const FieldValue& value) {
    if (value.number) {
        return *value.number;
    }
    return value.text.empty() ? Json(nullptr) : Json(value.text);
}

Json point_json(const sim::StoredPoint& point, const Fields& fields) {
    const std::vector<std::size_t> at = fields.grid().coordinates(point.position);
    Json axes = Json::object();
    for (std::size_t i = 0; i < at.size(); ++i) {
        const sim::Axis& axis = fields.grid().axes()[i];
        for (std::size_t k = 0; k < axis.keys.size(); ++k) {
            axes[axis.keys[k]] = axis.positions[at[i]][k].text;
        }
    }
    Json json{{"key", point.key}, {"axes", std::move(axes)}};
    for (const std::string& name : headline_fields()) {
        json[name] = value_json(fields.value(point, name));
    }
    json["position"] = point.position; // a whole number
    return json;
}

std::string to_csv(const std::vector<sim::StoredPoint>& points, const Fields& fields) {
    std::string csv = fmt::format("{}\n", fmt::join(fields.names(), ","));
    for (const sim::StoredPoint& point : points) {
        std::vector<std::string> cells;
        for (const std::string& name : fields.names()) {
            cells.push_back(sim::csv_cell(fields.value(point, name).text));
        }
        csv += fmt::format("{}\n", fmt::join(cells, ","));
    }
    return csv;
}

/// Columns as wide as their widest cell; numbers stand to the right.
std::string to_table(const std::vector<std::vector<std::string>>& rows, std::size_t left_columns) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const bool left = i < left_columns || i + 1 == row.size();
            line += left ? fmt::format("{:<{}}  ", row[i], widths[i])
                         : fmt::format("{:>{}}  ", row[i], widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string points_table(const std::vector<sim::StoredPoint>& points, const Fields& fields,
                         const hw::Catalog& catalog) {
    std::vector<std::vector<std::string>> rows(1);
    for (const sim::Axis& axis : fields.grid().axes()) {
        rows.front().push_back(axis.name());
    }
    const std::size_t axes = rows.front().size();
    for (const char* head : {"point", "step", "p5", "p95", "GPU-hours", "USD", "MFU", "memory", ""}) {
        rows.front().emplace_back(head);
    }
    for (const sim::StoredPoint& point : points) {
        std::vector<std::string>& row = rows.emplace_back();
        const std::vector<std::size_t> at = fields.grid().coordinates(point.position);
        for (std::size_t i = 0; i < axes; ++i) {
            row.push_back(fields.grid().axes()[i].label(at[i]));
        }
        row.push_back(fmt::format("{}", point.position));
        const sim::Headline& h = point.result.headline;
        if (point.result.status != sim::PointStatus::done) {
            constexpr std::size_t kWidth = 100;
            row.insert(row.end(), 7, "");
            row.push_back(
                fmt::format("{}: {}", name(point.result.status), point.result.error.substr(0, kWidth)));
            continue;
        }
        constexpr double kPercent = 100.0;
        row.push_back(hw::to_text(h.step.value));
        row.push_back(hw::to_text(h.step.p5));
        row.push_back(hw::to_text(h.step.p95));
        row.push_back(h.gpu_hours ? hw::group_digits(h.gpu_hours->value) : "");
        row.push_back(h.usd ? hw::group_digits(h.usd->value.value()) : "");
        row.push_back(fmt::format("{:.1f}%", kPercent * h.mfu));
        row.push_back(hw::to_text(h.peak_memory));
        row.push_back(memory_note(h, catalog));
    }
    return to_table(rows, axes);
}

int list_sweeps(const sim::ResultStore& store, const Common& common) {
    Json list = Json::array();
    std::vector<std::vector<std::string>> rows{{"sweep", "begun", "points", "finished", "title", "axes"}};
    for (const sim::SweepRecord& sweep : store.sweeps()) {
        list.push_back(sweep_json(store, sweep));
        std::vector<std::string> axes;
        for (const sim::Axis& axis : sweep.axes) {
            axes.push_back(axis.name());
        }
        rows.push_back({fmt::format("{}", sweep.id), sweep.created, fmt::format("{}", sweep.points),
                        fmt::format("{}", store.finished(sweep.id).size()), sweep.title,
                        fmt::format("{}", fmt::join(axes, ", "))});
    }
    constexpr std::size_t kLeft = 2;
    emit(common,
         {{"schema", "chokepoint/results/1"}, {"program", program_json("")}, {"sweeps", std::move(list)}},
         to_table(rows, kLeft));
    return kFine;
}

int print_point(const sim::ResultStore& store, const sim::SweepRecord& sweep, std::int64_t position) {
    for (const sim::StoredPoint& point : store.points(sweep.id)) {
        if (point.position == position) {
            if (point.result.status != sim::PointStatus::done) {
                throw std::runtime_error(fmt::format("point {} is {}: {}", position,
                                                     name(point.result.status), point.result.error));
            }
            fmt::print("{}\n", Json::parse(store.json(point.key)).dump(2));
            return kFine;
        }
    }
    throw UsageError(fmt::format("--point: sweep {} has no finished point {}; its points are 0 to {}",
                                 sweep.id, position, sweep.points - 1));
}

std::vector<sim::StoredPoint> chosen_points(const sim::ResultStore& store, const sim::SweepRecord& sweep,
                                            const ResultsOptions& options, const Fields& fields) {
    std::vector<Condition> conditions;
    for (const std::string& text : options.where) {
        conditions.emplace_back(text, fields);
    }
    std::vector<sim::StoredPoint> points = store.points(sweep.id);
    std::erase_if(points, [&](const sim::StoredPoint& point) {
        return !std::ranges::all_of(conditions, [&](const Condition& c) { return c.holds(point, fields); });
    });
    if (!options.sort.empty()) {
        sort_points(points, options.sort, fields);
    }
    if (options.limit > 0 && points.size() > static_cast<std::size_t>(options.limit)) {
        points.resize(static_cast<std::size_t>(options.limit));
    }
    return points;
}

} // namespace

sim::ResultStore open_results(const std::string& file) {
    try {
        return sim::ResultStore::open_to_read(file);
    } catch (const std::runtime_error& error) {
        throw UsageError(error.what());
    }
}

sim::SweepRecord chosen_sweep(const sim::ResultStore& store, const std::string& file, std::int64_t id) {
    const std::vector<sim::SweepRecord> sweeps = store.sweeps();
    if (sweeps.empty()) {
        throw UsageError(fmt::format("'{}' has no sweep", file));
    }
    if (id == 0) {
        return sweeps.back();
    }
    const auto found = std::ranges::find(sweeps, id, &sim::SweepRecord::id);
    if (found == sweeps.end()) {
        throw UsageError(fmt::format("'{}' has no sweep {}; it has 1 to {}", file, id, sweeps.back().id));
    }
    return *found;
}

int results_command(const ResultsOptions& options, const Common& common) {
    if (options.csv == "-" && common.json == "-") {
        throw UsageError("only one of --csv and --json can go to standard output");
    }
    const sim::ResultStore store = open_results(options.store);
    if (options.sweeps) {
        return list_sweeps(store, common);
    }
    const sim::SweepRecord sweep = chosen_sweep(store, options.store, options.sweep);
    if (options.point) {
        return print_point(store, sweep, *options.point);
    }
    const Fields fields(sweep);
    const auto csv = options.csv.empty() ? nullptr : std::make_unique<OutputFile>(options.csv);
    const std::vector<sim::StoredPoint> points = chosen_points(store, sweep, options, fields);
    Json rows = Json::array();
    for (const sim::StoredPoint& point : points) {
        rows.push_back(point_json(point, fields));
    }
    if (csv) {
        csv->commit(to_csv(points, fields));
    }
    emit(common,
         {{"schema", "chokepoint/results/1"},
          {"program", program_json(sweep.catalog_hash)},
          {"sweep", sweep_json(store, sweep)},
          {"points", std::move(rows)}},
         options.csv == "-" ? ""
                            : points_table(points, fields, hw::Catalog::load(common.catalog_directories)));
    return kFine;
}

} // namespace chokepoint::cli
