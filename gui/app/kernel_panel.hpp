// SPDX-License-Identifier: GPL-3.0-or-later
// The kernels behind every prediction: how fast they were measured, and how near the fits come.
#pragma once

#include "kernel_charts.hpp"
#include "runner.hpp"

#include <QWidget>

class QComboBox;

namespace chokepoint::gui {

class ChartPanel;
class WorkBar;

class KernelPanel : public QWidget {
    Q_OBJECT

public:
    explicit KernelPanel(QWidget* parent = nullptr);
    ~KernelPanel() override;

    /// Asks for the published measurements, unless they are there.
    void activate();
    [[nodiscard]] bool busy() const { return runner_.running(); }
    [[nodiscard]] bool empty() const { return groups_.empty(); }
    [[nodiscard]] QString problem() const;

private:
    void take(const QByteArray& json);
    void refresh();

    Runner runner_;
    std::vector<KernelGroup> groups_;
    QComboBox* which_;
    ChartPanel* roofline_;
    ChartPanel* residuals_;
    WorkBar* work_;
};

} // namespace chokepoint::gui
