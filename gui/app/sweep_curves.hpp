// SPDX-License-Identifier: GPL-3.0-or-later
// What to sweep for a set of curves, and the curves that a sweep's points make.
#pragma once

#include "cost_curve.hpp"
#include "sweep_store.hpp"

#include <QStringList>

#include <map>
#include <utility>
#include <vector>

namespace chokepoint::gui {

/// `count` values from end to end; evenly spaced, or by equal factors; whole where the axis counts things.
/// @throws std::invalid_argument if there are none: count below 2, an empty range, factors of nothing.
std::vector<double> axis_values(double from, double to, int count, bool by_factors, bool whole = false);
/// The order in which points are run: ends first, then halves, so that the curve shows its shape early.
std::vector<std::size_t> coarse_to_fine(std::size_t count);
/// What --axis takes: "cluster.caps.nvlink=50 GB/s,900 GB/s,200 GB/s", coarse to fine.
QString axis_argument(const CurveAxis&, const std::vector<double>& values);

/// A sweep as curves: one axis across, a curve for each combination of the others.
class SweepCurves {
public:
    SweepCurves() = default;
    /// Across: the axis of this key, or without one the axis with most numbers.
    /// @throws std::runtime_error if no axis of the sweep has numbers
    explicit SweepCurves(StoredSweep, const QString& key = {});

    void add(const StoredPoint&);

    [[nodiscard]] const StoredSweep& sweep() const { return sweep_; }
    /// Positions that have been added.
    [[nodiscard]] const std::vector<bool>& known() const { return known_; }
    [[nodiscard]] qint64 finished() const { return finished_; }
    [[nodiscard]] const CurveAxis& axis() const { return axis_; }
    [[nodiscard]] const std::vector<QString>& names() const { return names_; }
    [[nodiscard]] const std::vector<Curve>& curves() const { return curves_; }
    /// Every value across at which some curve has a point, ascending.
    [[nodiscard]] std::vector<double> places() const;
    [[nodiscard]] bool empty() const;
    /// "on h20-sxm at 50 GB/s: why", a line for each point without a result.
    [[nodiscard]] const QStringList& refusals() const { return refusals_; }
    /// Why a curve has no point at a place; empty if it has one, or none yet.
    [[nodiscard]] QString refusal(std::size_t curve, double x) const;

private:
    [[nodiscard]] std::size_t curve_of(qint64 position) const;

    StoredSweep sweep_;
    std::size_t across_ = 0;
    CurveAxis axis_;
    std::vector<double> values_; ///< by step of the axis across
    std::vector<QString> names_;
    std::vector<Curve> curves_;
    std::vector<bool> known_;
    qint64 finished_ = 0;
    QStringList refusals_;
    std::map<std::pair<std::size_t, double>, QString> whys_; ///< by curve and place
};

} // namespace chokepoint::gui
