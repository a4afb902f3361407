// SPDX-License-Identifier: GPL-3.0-or-later
// Published training runs and kernels: what was measured beside what the command line predicts.
#pragma once

#include "kept_question.hpp"
#include "page.hpp"
#include "validated_runs.hpp"

#include <vector>

class QLabel;
class QPushButton;
class QStandardItemModel;
class QTableView;

namespace chokepoint::gui {

class ChartPanel;
class KernelPanel;
class RunFilterBar;
class ShownRuns;
class WorkBar;

class ValidatePage : public Page {
    Q_OBJECT

public:
    explicit ValidatePage(const AnswerStore&, QWidget* parent = nullptr);

    void activate() override;
    void demonstrate() override;
    [[nodiscard]] bool busy() const override;
    [[nodiscard]] bool empty() const override;
    [[nodiscard]] QString problem() const override;

private:
    bool take(const QByteArray& json);
    void recompute();
    /// Figures that are not of this program and its data are dimmed, and the rest say when they were
    /// computed.
    void showAge();
    void fillTable();
    void refresh();
    void choose(const QString& id);
    void showDetails();

    std::vector<ValidatedRun> runs_;
    KeptQuestion question_;
    RunFilterBar* filter_;
    QLabel* scores_;
    QLabel* age_;
    QPushButton* recompute_;
    ChartPanel* panel_;
    QTableView* table_;
    QStandardItemModel* model_;
    ShownRuns* shown_;
    QLabel* details_;
    KernelPanel* kernels_;
    WorkBar* work_;
};

} // namespace chokepoint::gui
