// SPDX-License-Identifier: GPL-3.0-or-later
// A cost curve as a chart: computed points, their band, the knee, and the thresholds of export rules.
#pragma once

#include "contract.hpp"

#include "charts/description.hpp"

#include <QJsonObject>
#include <QString>

#include <map>
#include <optional>
#include <vector>

namespace chokepoint::gui {

/// An axis that a curve can run along.
struct CurveAxis {
    QString label, key, unit; ///< "NVLink cap", "cluster.caps.nvlink", " GB/s"
    double from = 0.0, to = 0.0;
    bool logarithmic = false;
    QString figure;     ///< of the rules' thresholds: "aggregate_io"; empty if no rule speaks of it
    double scale = 1.0; ///< of the rules' unit in this axis'
    bool whole = false; ///< it counts things
    int points = 19;    ///< to begin with
};
const std::vector<CurveAxis>& curve_axes();

/// What a curve shows of each result.
struct Metric {
    QString label;
    double scale = 1.0;
    std::optional<Figure> (*figure)(const RunResult&);
    bool more_is_better = false;
};
const std::vector<Metric>& metrics();

/// What has been computed of a series, by the axis' value.
using Curve = std::map<double, RunResult>;

/// Where the curve, coming from its best point towards the left, is a twentieth worse for the first time;
/// straight between points on logarithmic axes, as `chokepoint plot` has it. Nothing if it never is.
std::optional<double> knee_of(const std::vector<Point>& points, bool more_is_better);

struct CurveView {
    CurveAxis axis;
    Metric metric;
    bool log_x = false, log_y = false;
    std::vector<Mark> marks; ///< thresholds and parts
};
Chart curve_chart(const CurveView&, const std::vector<QString>& names, const std::vector<Curve>&);

/// From `chokepoint rules --json`: each threshold on the axis' figure, and the parts that stand on it.
std::vector<Mark> threshold_marks(const QJsonObject& rules, const CurveAxis&);

} // namespace chokepoint::gui
