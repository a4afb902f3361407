// SPDX-License-Identifier: GPL-3.0-or-later
// Runs the points of a curve, a few children at a time, and hands each result over as it comes.
#pragma once

#include "contract.hpp"
#include "runner.hpp"

#include <QObject>
#include <QStringList>

#include <memory>
#include <vector>

namespace chokepoint::gui {

/// `count` values from end to end; evenly spaced, or by equal factors.
/// @throws std::invalid_argument if there are none: count below 2, an empty range, factors of nothing.
std::vector<double> axis_values(double from, double to, int count, bool by_factors);

/// One curve: what sets it apart from the scenario, as --set takes it.
struct CurveSeries {
    QString name;
    QStringList overrides;
};
struct SweepPlan {
    Invocation base; ///< of `run`, to which --set KEY=VALUE is added
    QString key;     ///< "cluster.caps.nvlink"
    QString unit;    ///< " GB/s"
    std::vector<double> values;
    std::vector<CurveSeries> series;
};
/// The order in which points are run: ends first, then halves, so that the curve shows its shape early.
std::vector<std::size_t> coarse_to_fine(std::size_t count);

class PointSweep : public QObject {
    Q_OBJECT

public:
    explicit PointSweep(int jobs, QObject* parent = nullptr);
    ~PointSweep() override;

    void start(SweepPlan);
    void cancel();
    [[nodiscard]] bool running() const;
    [[nodiscard]] const SweepPlan& plan() const { return plan_; }

signals:
    void computed(int series, int value, const RunResult& result);
    /// A point that the command line refuses (a plan that does not fit, say) is left out, with its reason.
    void refused(int series, int value, const QString& message);
    void progressed(double share);
    void ended(bool complete);

private:
    struct Point {
        int series = 0, value = 0;
    };
    void feed(Runner&);

    std::vector<std::unique_ptr<Runner>> runners_;
    SweepPlan plan_;
    std::vector<Point> waiting_; ///< the next is the last
    std::size_t total_ = 0, done_ = 0;
};

} // namespace chokepoint::gui
