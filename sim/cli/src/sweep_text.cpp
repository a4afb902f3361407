// SPDX-License-Identifier: Apache-2.0
// Puts the outcome of a sweep into words and into JSON.
#include "sweep_text.hpp"

#include "json.hpp"
#include "result.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace chokepoint::cli {

using sim::PointStatus;

namespace {

const sim::StoredPoint* fastest(const std::vector<sim::StoredPoint>& points) {
    const sim::StoredPoint* best = nullptr;
    for (const sim::StoredPoint& point : points) {
        if (point.result.status == PointStatus::done &&
            (best == nullptr || point.result.headline.step.value < best->result.headline.step.value)) {
            best = &point;
        }
    }
    return best;
}

/// What points of a status say, the most frequent first.
std::vector<std::pair<std::string, int>> reasons(const std::vector<sim::StoredPoint>& points,
                                                 PointStatus status) {
    std::map<std::string, int> counts;
    for (const sim::StoredPoint& point : points) {
        if (point.result.status == status) {
            ++counts[point.result.error];
        }
    }
    std::vector<std::pair<std::string, int>> order(counts.begin(), counts.end());
    std::ranges::stable_sort(order, std::greater{}, &std::pair<std::string, int>::second);
    return order;
}

std::string reason_lines(const std::vector<sim::StoredPoint>& points, PointStatus status) {
    constexpr std::size_t kShown = 3;
    constexpr std::size_t kWidth = 150;
    const auto order = reasons(points, status);
    std::string text;
    for (std::size_t i = 0; i < std::min(kShown, order.size()); ++i) {
        const auto& [reason, count] = order[i];
        text += fmt::format("             {:>6} x {}{}\n", count, reason.substr(0, kWidth),
                            reason.size() > kWidth ? "…" : "");
    }
    if (order.size() > kShown) {
        text += fmt::format("             and {} other reasons\n", order.size() - kShown);
    }
    return text;
}

std::string axis_line(const sim::Axis& axis) {
    constexpr std::size_t kListed = 6;
    const std::size_t count = axis.positions.size();
    std::vector<std::string> labels;
    for (std::size_t i = 0; i < count; ++i) {
        labels.push_back(axis.label(i));
    }
    const std::string values = count <= kListed
                                   ? fmt::format("{}", fmt::join(labels, ", "))
                                   : fmt::format("{} values, {} to {}", count, labels.front(), labels.back());
    const std::string name =
        axis.keys.size() == 1 ? axis.name() : fmt::format("{} keys together", axis.keys.size());
    return fmt::format("  {:<24} {}\n", name, values);
}

std::string count_line(std::int64_t count, const std::string& what) {
    return count == 0 ? std::string()
                      : fmt::format("{:>10} {}\n", hw::group_digits(static_cast<double>(count)), what);
}

} // namespace

std::string place_text(const sim::Grid& grid, std::int64_t position) {
    const std::vector<std::size_t> at = grid.coordinates(position);
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < at.size(); ++i) {
        const sim::Axis& axis = grid.axes()[i];
        parts.push_back(axis.labels.empty() ? fmt::format("{} = {}", axis.name(), axis.label(at[i]))
                                            : fmt::format("\"{}\"", axis.label(at[i])));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string memory_note(const sim::Headline& headline, const hw::Catalog& catalog) {
    const hw::GpuSpec* part = catalog.find_gpu(headline.gpu);
    return part == nullptr || headline.peak_memory <= part->memory
               ? std::string()
               : fmt::format("more than the {} of {}: may not fit", hw::to_text(part->memory), part->id);
}

std::string sweep_text(const FinishedSweep& sweep, const hw::Catalog& catalog) {
    const sim::SweepOutcome& outcome = sweep.outcome;
    const sim::SweepProgress& progress = outcome.progress;
    std::string text = fmt::format("{}\n{} points\n", sweep.record.title,
                                   hw::group_digits(static_cast<double>(sweep.record.points)));
    for (const sim::Axis& axis : sweep.record.axes) {
        text += axis_line(axis);
    }
    const double busy =
        outcome.wall > hw::Seconds() ? outcome.worked / (outcome.wall * double(sweep.workers)) : 0.0;
    text += "\n";
    if (progress.simulated > 0) {
        constexpr double kPercent = 100.0;
        text += count_line(progress.simulated,
                           fmt::format("simulated in {}, {:.1f} a second; {} workers were busy {:.0f}% of it",
                                       hw::to_text(outcome.wall),
                                       static_cast<double>(progress.simulated) / outcome.wall.value(),
                                       sweep.workers, kPercent * busy));
    }
    text += count_line(progress.finished - progress.simulated,
                       "were in the store before, are as another, or need no simulation");
    text += count_line(progress.infeasible, "of all are infeasible");
    text += reason_lines(sweep.points, PointStatus::infeasible);
    text += count_line(progress.failed, "of all failed; --retry runs them again");
    text += reason_lines(sweep.points, PointStatus::failed);
    if (const sim::StoredPoint* best = fastest(sweep.points)) {
        const sim::Grid grid(sweep.record.axes, sweep.record.points);
        const sim::Headline& headline = best->result.headline;
        text += fmt::format("\nShortest step  {}  at {}\n", hw::to_text(headline.step.value),
                            place_text(grid, best->position));
        if (const std::string note = memory_note(headline, catalog); !note.empty()) {
            text += fmt::format("               needs {}, {}\n", hw::to_text(headline.peak_memory), note);
        }
    }
    return text;
}

Json axes_json(const std::vector<sim::Axis>& axes) {
    Json list = Json::array();
    for (const sim::Axis& axis : axes) {
        Json positions = Json::array();
        for (std::size_t i = 0; i < axis.positions.size(); ++i) {
            Json values = Json::array();
            for (const sim::AxisValue& value : axis.positions[i]) {
                values.push_back(
                    {{"text", value.text}, {"number", value.number ? Json(*value.number) : Json(nullptr)}});
            }
            positions.push_back({{"label", axis.label(i)}, {"values", std::move(values)}});
        }
        list.push_back({{"name", axis.name()}, {"keys", axis.keys}, {"positions", std::move(positions)}});
    }
    return list;
}

Json sweep_json(const FinishedSweep& sweep) {
    const sim::SweepOutcome& outcome = sweep.outcome;
    const sim::SweepProgress& progress = outcome.progress;
    Json best = nullptr;
    if (const sim::StoredPoint* point = fastest(sweep.points)) {
        best = {{"position", point->position},
                {"overrides", sim::Grid(sweep.record.axes, sweep.record.points).overrides(point->position)},
                {"step_seconds", point->result.headline.step.value.value()}};
    }
    return {{"schema", "chokepoint/sweep/1"},
            {"program", program_json(sweep.record.catalog_hash)},
            {"store", sweep.store},
            {"sweep", sweep.record.id},
            {"title", sweep.record.title},
            {"file", sweep.record.file},
            {"axes", axes_json(sweep.record.axes)},
            {"points", sweep.record.points},
            {"finished", progress.finished},
            {"simulated", progress.simulated},
            {"infeasible", progress.infeasible},
            {"failed", progress.failed},
            {"interrupted", outcome.stopped},
            {"workers", sweep.workers},
            {"wall_seconds", outcome.wall.value()},
            {"worked_seconds", outcome.worked.value()},
            {"best", std::move(best)}};
}

} // namespace chokepoint::cli
