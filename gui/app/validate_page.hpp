// SPDX-License-Identifier: GPL-3.0-or-later
// Published training runs and kernels: what was measured beside what the command line predicts.
#pragma once

#include "page.hpp"

#include "charts/description.hpp"

#include <QJsonObject>

#include <memory>
#include <vector>

class QComboBox;
class QLabel;
class QLineEdit;
class QSortFilterProxyModel;
class QStandardItemModel;
class QTableView;

namespace chokepoint::gui {

class ChartPanel;
class KernelPanel;
class Runner;
class WorkBar;

/// A row of `chokepoint validate --json`.
struct ValidatedRun {
    QString id, model, gpu, precision, stack, source, bound, assumed, note, reason;
    double gpus = 0.0;
    std::optional<double> measured, predicted, error; ///< seconds, and relative
};
std::vector<ValidatedRun> validated_runs(const QJsonObject& validate);
/// Predicted against measured step times, a series per part, with the diagonal and 10% around it.
Chart validation_chart(const std::vector<const ValidatedRun*>&, const ValidatedRun* chosen);

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
    void showDetails();

    std::unique_ptr<Runner> runner_;
    std::vector<ValidatedRun> runs_;
    QLineEdit* filter_;
    QComboBox* gpu_;
    QLabel* scores_;
    ChartPanel* panel_;
    QTableView* table_;
    QStandardItemModel* model_;
    QSortFilterProxyModel* shown_;
    QLabel* details_;
    KernelPanel* kernels_;
    WorkBar* work_;
};

} // namespace chokepoint::gui
