// SPDX-License-Identifier: GPL-3.0-or-later
// From the open scenario's figure to each other's, resource by resource: `chokepoint compare` as a chart.
#pragma once

#include "runner.hpp"

#include "charts/description.hpp"

#include <QWidget>

class QComboBox;

namespace chokepoint::gui {

class ChartPanel;
class WorkBar;

class DifferencePanel : public QWidget {
    Q_OBJECT

public:
    explicit DifferencePanel(QWidget* parent = nullptr);

    /// `comparison` is a call of `compare`, with its scenarios alone. What stands here stays, dimmed, until
    /// the answer is there; a call that has been answered is not made again, unless `revision` has changed.
    void explain(const Invocation& comparison, int revision);
    /// A chart of one scenario, in place of a comparison.
    void showAlone(Chart);
    void setStale(bool);
    [[nodiscard]] bool busy() const { return runner_.running(); }
    [[nodiscard]] ChartPanel& chart() { return *panel_; }

signals:
    void ended();

private:
    void ask();

    Runner runner_;
    Invocation comparison_;
    QStringList answered_; ///< arguments
    int revision_ = -1, answeredRevision_ = -1;
    QComboBox* measure_;
    ChartPanel* panel_;
    WorkBar* work_;
};

} // namespace chokepoint::gui
