// SPDX-License-Identifier: GPL-3.0-or-later
// Published training runs and kernels: what was measured beside what the command line predicts.
#pragma once

#include "page.hpp"

#include "validated_runs.hpp"

#include <memory>
#include <vector>

class QLabel;
class QStandardItemModel;
class QTableView;

namespace chokepoint::gui {

class ChartPanel;
class KernelPanel;
class RunFilterBar;
class Runner;
class ShownRuns;
class WorkBar;

class ValidatePage : public Page {
    Q_OBJECT

public:
    explicit ValidatePage(QWidget* parent = nullptr);
    ~ValidatePage() override;

    void activate() override;
    void demonstrate() override;
    [[nodiscard]] bool busy() const override;
    [[nodiscard]] bool empty() const override;
    [[nodiscard]] QString problem() const override;

private:
    void take(const QByteArray& json);
    void fillTable();
    void refresh();
    void choose(const QString& id);
    void showDetails();

    std::unique_ptr<Runner> runner_;
    std::vector<ValidatedRun> runs_;
    RunFilterBar* filter_;
    QLabel* scores_;
    ChartPanel* panel_;
    QTableView* table_;
    QStandardItemModel* model_;
    ShownRuns* shown_;
    QLabel* details_;
    KernelPanel* kernels_;
    WorkBar* work_;
};

} // namespace chokepoint::gui
