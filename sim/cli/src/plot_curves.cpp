// SPDX-License-Identifier: Apache-2.0
// Turns points into curves.
#include "plot_curves.hpp"

#include "commands.hpp"

#include <chokepoint/sim/knee.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace chokepoint::cli {

namespace {

constexpr std::array kFigures{
    FigureField{"step_seconds", "seconds per step", "step_p5", "step_p95"},
    FigureField{"gpu_hours", "GPU-hours", "gpu_hours_p5", "gpu_hours_p95"},
    FigureField{"usd", "million USD", "usd_p5", "usd_p95", 1e-6},
    FigureField{"mfu", "model FLOPs utilisation (%)", {}, {}, 100.0, true},
    FigureField{"tokens_per_second_per_gpu", "tokens per second and GPU", {}, {}, 1.0, true},
    FigureField{"peak_memory_bytes", "memory of the fullest GPU (GB)", {}, {}, 1e-9},
    FigureField{"wall_seconds", "seconds to simulate"},
};

bool is_better(double a, double b, const FigureField& figure) {
    return figure.more_is_better ? a > b : a < b;
}

std::optional<double> scaled(const FieldValue& value, double scale) {
    return value.number ? std::optional(*value.number * scale) : std::nullopt;
}

} // namespace

const FigureField& figure_field(const std::string& name) {
    const auto found = std::ranges::find(kFigures, std::string_view(name), &FigureField::name);
    if (found == kFigures.end()) {
        std::vector<std::string_view> names;
        std::ranges::transform(kFigures, std::back_inserter(names), &FigureField::name);
        throw UsageError(
            fmt::format("no figure is called '{}'; expected one of {}", name, fmt::join(names, ", ")));
    }
    return *found;
}

AxisUnit unit_of(const sim::Axis& axis) {
    const std::string& text = axis.positions.front().front().text;
    const std::size_t end = text.find_first_not_of("+-.0123456789eE");
    if (end == std::string::npos || end == 0) {
        return {};
    }
    std::string unit = text.substr(end);
    unit.erase(0, unit.find_first_not_of(' '));
    const auto one = hw::parse_quantity("1 " + unit);
    return one ? AxisUnit{unit, one->base} : AxisUnit{};
}

const sim::Axis* find_axis(const Fields& fields, const std::string& name) {
    for (const sim::Axis& axis : fields.grid().axes()) {
        if (axis.name() == name || std::ranges::find(axis.keys, name) != axis.keys.end()) {
            return &axis;
        }
    }
    return nullptr;
}

std::vector<Curve> curves(const std::vector<sim::StoredPoint>& points, const Fields& fields,
                          const std::string& x, const FigureField& y, const std::string& series,
                          const std::string& best_of) {
    const std::vector<sim::Axis>& axes = fields.grid().axes();
    const sim::Axis* along = find_axis(fields, x);
    const sim::Axis* lines = series.empty() ? nullptr : find_axis(fields, series);
    const sim::Axis* settled = best_of.empty() ? nullptr : find_axis(fields, best_of);
    const std::string key = along->keys.front();
    const AxisUnit unit = unit_of(*along);
    std::map<std::size_t, std::map<double, CurvePoint>> found; // by position on the axis of lines, then by x
    std::map<std::size_t, std::set<std::size_t>> undecided;    // of axes that nothing settles
    for (const sim::StoredPoint& point : points) {
        const std::vector<std::size_t> at = fields.grid().coordinates(point.position);
        const auto place = [&](const sim::Axis* axis) {
            return axis == nullptr ? 0 : at[static_cast<std::size_t>(axis - axes.data())];
        };
        for (std::size_t i = 0; i < axes.size(); ++i) {
            if (&axes[i] != along && &axes[i] != lines && &axes[i] != settled) {
                undecided[i].insert(at[i]);
            }
        }
        const std::optional<double> value = scaled(fields.value(point, std::string(y.name)), y.scale);
        const FieldValue where = fields.value(point, key);
        if (!value || !where.number) {
            continue;
        }
        CurvePoint made{*where.number / unit.base,
                        *value,
                        {},
                        {},
                        settled == nullptr ? "" : settled->label(place(settled))};
        if (!y.p5.empty()) {
            made.low = scaled(fields.value(point, std::string(y.p5)), y.scale);
            made.high = scaled(fields.value(point, std::string(y.p95)), y.scale);
        }
        auto [slot, fresh] = found[place(lines)].emplace(made.x, made);
        if (!fresh && is_better(made.y, slot->second.y, y)) {
            slot->second = made;
        }
    }
    for (const auto& [axis, positions] : undecided) {
        if (positions.size() > 1) {
            throw UsageError(
                fmt::format("the points differ in {} too ({} values): draw it with --series, take its best "
                            "with --best-of, or choose with --where",
                            axes[axis].name(), positions.size()));
        }
    }
    std::vector<Curve> curves;
    for (const auto& [line, by_x] : found) {
        Curve& curve = curves.emplace_back();
        curve.name = lines != nullptr ? lines->label(line) : std::string(y.label);
        for (const auto& [at, point] : by_x) {
            curve.points.push_back(point);
        }
    }
    return curves;
}

std::optional<double> knee(const Curve& curve, double rise, bool more_is_better) {
    std::vector<std::pair<double, double>> points;
    for (const CurvePoint& p : curve.points) {
        points.emplace_back(p.x, p.y);
    }
    return sim::knee(points, rise, more_is_better);
}

} // namespace chokepoint::cli
