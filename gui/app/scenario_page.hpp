// SPDX-License-Identifier: GPL-3.0-or-later
// Every value that the open scenario comes down to, with where it comes from.
#pragma once

#include "page.hpp"

#include <QJsonObject>

class QLabel;
class QLineEdit;
class QSortFilterProxyModel;
class QStandardItemModel;
class QTableView;

namespace chokepoint::gui {

class ScenarioEditor;

class ScenarioPage : public Page {
    Q_OBJECT

public:
    /// The editor is the one whose text is checked; it stands in a dock beside the page.
    explicit ScenarioPage(ScenarioEditor&, QWidget* parent = nullptr);

    [[nodiscard]] bool busy() const override;
    [[nodiscard]] bool empty() const override;
    [[nodiscard]] QString problem() const override;

private:
    void show(const QJsonObject& values);
    void showChosen();

    ScenarioEditor& editor_;
    QLineEdit* filter_;
    QTableView* table_;
    QStandardItemModel* model_;
    QSortFilterProxyModel* shown_;
    QLabel* whole_; ///< the chosen row, whose cells are narrow
};

} // namespace chokepoint::gui
