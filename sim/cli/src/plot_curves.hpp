// SPDX-License-Identifier: Apache-2.0
// Curves through the points of a sweep, and where they bend.
#pragma once

#include "results_filter.hpp"

#include <map>
#include <set>

namespace chokepoint::cli {

struct CurvePoint {
    double x = 0.0, y = 0.0;
    std::optional<double> low, high; ///< 5th and 95th percentile
    std::string label;               ///< of what was best there, where an axis was settled so
};
struct Curve {
    std::string name;
    std::vector<CurvePoint> points; ///< ascending x
};

/// Figures by name, and how a chart shows them.
struct FigureField {
    std::string_view name, label;
    std::string_view p5 = {}, p95 = {}; ///< its percentiles' fields
    double scale = 1.0;                 ///< from base units to the label's
    bool more_is_better = false;
};
/// @throws UsageError naming the figures there are.
const FigureField& figure_field(const std::string& name);

/// The unit that an axis' values are written in: "GB/s", and one of it in base units; empty for bare numbers.
struct AxisUnit {
    std::string text;
    double base = 1.0;
};
AxisUnit unit_of(const sim::Axis&);

/// @param best_of axes that are not drawn, of which the best position counts at each place
std::vector<Curve> curves(const std::vector<sim::StoredPoint>&, const Fields&, const std::string& x,
                          const FigureField& y, const std::string& series, const std::string& best_of);

/// Where a curve has risen (of a figure that should be large: fallen) by a share over its best value for the
/// last time, coming from its best end; straight between points on logarithmic axes. Nothing if it never
/// does.
std::optional<double> knee(const Curve&, double rise, bool more_is_better);

/// The axis of this name or with this key; nullptr: none.
const sim::Axis* find_axis(const Fields&, const std::string& name);

} // namespace chokepoint::cli
