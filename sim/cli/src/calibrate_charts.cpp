// SPDX-License-Identifier: Apache-2.0
// Rooflines and residuals of a calibration.
#include "calibrate_view.hpp"
#include "json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <utility>

namespace chokepoint::cli {

namespace {

constexpr double kTera = 1e12;
constexpr double kGiga = 1e9;

struct Dot {
    double across = 0.0;                 ///< FLOP/B; of memory-bound kernels MB
    double measured = 0.0, fitted = 0.0; ///< seconds
    double work = 0.0;                   ///< FLOP; of memory-bound kernels bytes
};

/// What the fit has to do with rows, as a reader must know.
enum class Standing { fitted, held_out, checked };
constexpr std::array kStandings{std::pair{Standing::fitted, "fitted"},
                                std::pair{Standing::held_out, "kept from the fit"},
                                std::pair{Standing::checked, "not fitted"}};

/// Rows of one part, class and format: two charts.
struct Group {
    std::string title;
    bool streams = false;
    double roof = 0.0;   ///< FLOP/s; unused by memory-bound kernels
    double memory = 0.0; ///< B/s
    std::map<Standing, std::vector<Dot>> dots;
};

Standing standing_of(const hw::MeasurementSeries& series, bool holdout) {
    return series.use != hw::MeasurementUse::fit ? Standing::checked
           : holdout                             ? Standing::held_out
                                                 : Standing::fitted;
}

class Groups {
public:
    void add(const hw::RowScore& score) {
        const hw::Operator& op = score.row->op;
        const hw::MeasurementSeries& series = *score.series;
        if (series.use == hw::MeasurementUse::training || !hw::is_training_size(op)) {
            return; // the curve says nothing of them by itself
        }
        const bool streams = hw::is_memory_bound(op.kernel);
        Group& group = group_of(series, op);
        double flops = hw::arithmetic(op).value();
        double bytes = (op.read + op.written + score.row->side).value();
        for (const hw::Operator& next : score.row->then) {
            flops += hw::arithmetic(next).value();
            bytes += (next.read + next.written).value();
        }
        if (bytes > 0.0 && (streams || flops > 0.0)) {
            group.dots[standing_of(series, score.row->holdout)].push_back(
                {streams ? bytes / kMega : flops / bytes, score.row->time.value(), score.predicted.value(),
                 streams ? bytes : flops});
        }
    }
    [[nodiscard]] const std::vector<Group>& all() const { return groups_; }

private:
    Group& group_of(const hw::MeasurementSeries& series, const hw::Operator& op) {
        const std::string format = format_name(op.kernel, op.dtype, op.scaling);
        const std::string title = fmt::format("{}, {}{}{}", series.part.id, hw::name(op.kernel),
                                              format.empty() ? "" : ", ", format);
        const auto found = std::ranges::find(groups_, title, &Group::title);
        if (found != groups_.end()) {
            return *found;
        }
        const bool streams = hw::is_memory_bound(op.kernel);
        groups_.push_back({title,
                           streams,
                           streams ? 0.0 : series.part.peak(op.dtype).value(),
                           series.part.memory_bandwidth.value(),
                           {}});
        return groups_.back();
    }
    std::vector<Group> groups_;
};

Json points_of(const std::vector<Dot>& dots,
               const std::function<std::pair<double, double>(const Dot&)>& place) {
    Json points = Json::array();
    for (const Dot& dot : dots) {
        const auto [x, y] = place(dot);
        points.push_back({x, y});
    }
    return points;
}

/// A line from the lowest to the highest place of a dot, with its corner.
Json roof_of(const Group& group) {
    double low = std::numeric_limits<double>::infinity();
    double high = 0.0;
    for (const auto& [standing, dots] : group.dots) {
        for (const Dot& dot : dots) {
            low = std::min(low, dot.across);
            high = std::max(high, dot.across);
        }
    }
    const auto at = [&](double x) -> Json {
        const double y =
            group.streams ? group.memory / kGiga : std::min(group.memory * x, group.roof) / kTera;
        return {x, y};
    };
    Json points = Json::array({at(low)});
    if (const double corner = group.roof / group.memory; corner > low && corner < high) {
        points.push_back(at(corner));
    }
    points.push_back(at(high));
    return points;
}

Json roofline(const Group& group) {
    const double unit = group.streams ? kGiga : kTera;
    Json series = Json::array();
    Json fit = Json::array();
    for (const auto& [standing, name] : kStandings) {
        const auto found = group.dots.find(standing);
        if (found == group.dots.end()) {
            continue;
        }
        const auto of_fit = points_of(found->second, [&](const Dot& dot) {
            return std::pair(dot.across, dot.work / dot.fitted / unit);
        });
        fit.insert(fit.end(), of_fit.begin(), of_fit.end());
        series.push_back({{"name", name}, {"points", points_of(found->second, [&](const Dot& dot) {
                                               return std::pair(dot.across, dot.work / dot.measured / unit);
                                           })}});
    }
    series.push_back({{"name", "the fit"}, {"points", std::move(fit)}});
    series.push_back({{"name", group.streams ? "memory bandwidth" : "roof of the part"},
                      {"points", roof_of(group)},
                      {"joined", true}});
    return {{"schema", "chokepoint/chart/1"},
            {"kind", "scatter"},
            {"title", group.title},
            {"x",
             {{"label", group.streams ? "read and written (MB)" : "arithmetic intensity (FLOP/B)"},
              {"log", true}}},
            {"y", {{"label", group.streams ? "GB/s" : "TFLOP/s"}, {"log", true}}},
            {"series", std::move(series)}};
}

Json residuals(const Group& group) {
    Json series = Json::array();
    for (const auto& [standing, name] : kStandings) {
        const auto found = group.dots.find(standing);
        if (found != group.dots.end()) {
            series.push_back({{"name", name}, {"points", points_of(found->second, [](const Dot& dot) {
                                                   return std::pair(dot.measured / kMicro,
                                                                    kPercent *
                                                                        (dot.fitted / dot.measured - 1.0));
                                               })}});
        }
    }
    return {{"schema", "chokepoint/chart/1"},
            {"kind", "scatter"},
            {"title", "Error of the fit"},
            {"x", {{"label", "measured (us)"}, {"log", true}}},
            {"y", {{"label", "fit against measured (%)"}}},
            {"marks", Json::array({{{"at", 0.0}, {"horizontal", true}}})},
            {"series", std::move(series)}};
}

} // namespace

Json calibration_chart(const std::vector<Calibrated>& all) {
    Groups groups;
    for (const Calibrated& one : all) {
        for (const hw::RowScore& row : one.rows) {
            groups.add(row);
        }
    }
    Json charts = Json::array();
    for (const Group& group : groups.all()) {
        charts.push_back(roofline(group));
        charts.push_back(residuals(group));
    }
    return {{"schema", "chokepoint/chart/1"},
            {"kind", "page"},
            {"title", "Kernels: measured, and as the curves have them"},
            {"columns", 2},
            {"charts", std::move(charts)}};
}

} // namespace chokepoint::cli
