// SPDX-License-Identifier: GPL-3.0-or-later
// The kernels behind every prediction: how fast they were measured, and how near the fits come.
#pragma once

#include "kept_question.hpp"
#include "kernel_charts.hpp"

#include <QWidget>

class QComboBox;

namespace chokepoint::gui {

class ChartPanel;
class WorkBar;

class KernelPanel : public QWidget {
    Q_OBJECT

public:
    explicit KernelPanel(const AnswerStore&, QWidget* parent = nullptr);

    /// Asks for the published measurements, unless they are there.
    void activate();
    /// Asks anew, whatever is kept.
    void recompute();
    [[nodiscard]] bool busy() const { return question_.runner().running(); }
    [[nodiscard]] bool empty() const { return groups_.empty(); }
    [[nodiscard]] QString problem() const;

private:
    bool take(const QByteArray& json);
    void refresh();

    KeptQuestion question_;
    std::vector<KernelGroup> groups_;
    QComboBox* which_;
    ChartPanel* roofline_;
    ChartPanel* residuals_;
    WorkBar* work_;
};

} // namespace chokepoint::gui
