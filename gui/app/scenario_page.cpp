// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario_page.hpp"

#include "scenario_editor.hpp"

#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QStandardItemModel>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>
#include <array>

namespace chokepoint::gui {

ScenarioPage::ScenarioPage(ScenarioEditor& editor, QWidget* parent)
    : Page(parent),
      editor_(editor),
      filter_(new QLineEdit(this)),
      table_(new QTableView(this)),
      model_(new QStandardItemModel(0, 4, this)),
      shown_(new QSortFilterProxyModel(this)),
      whole_(new QLabel(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(new QLabel(tr("Every value that the scenario comes down to:"), this));
    filter_->setPlaceholderText(tr("Filter: part of a key, a value or an origin"));
    filter_->setClearButtonEnabled(true);
    filter_->setAccessibleName(tr("Filter values"));
    layout->addWidget(filter_);
    layout->addWidget(table_, 1);
    layout->addWidget(whole_);
    constexpr int kLines = 3;
    whole_->setMinimumHeight(kLines * fontMetrics().lineSpacing());
    whole_->setWordWrap(true);
    whole_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    whole_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    whole_->setObjectName("chosen-value");
    whole_->setAccessibleName(tr("The chosen value"));
    model_->setHorizontalHeaderLabels({tr("Key"), tr("Value"), tr("Origin"), tr("Where")});
    shown_->setSourceModel(model_);
    shown_->setFilterKeyColumn(-1);
    shown_->setFilterCaseSensitivity(Qt::CaseInsensitive);
    table_->setModel(shown_);
    table_->setSortingEnabled(true);
    table_->sortByColumn(0, Qt::AscendingOrder);
    table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setAlternatingRowColors(true);
    table_->verticalHeader()->hide();
    table_->verticalHeader()->setDefaultSectionSize(24);
    table_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff); // the last column takes what is left
    table_->horizontalHeader()->setStretchLastSection(true);
    table_->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    table_->setAccessibleName(tr("Resolved values"));
    // Of what does not fit, the beginning names the file and the end the line, or the figure's table.
    table_->setTextElideMode(Qt::ElideMiddle);
    table_->setWordWrap(false);
    connect(filter_, &QLineEdit::textChanged, shown_, &QSortFilterProxyModel::setFilterFixedString);
    connect(&editor_, &ScenarioEditor::checked, this, &ScenarioPage::show);
    connect(&editor_, &ScenarioEditor::begun, this, [this] {
        model_->setRowCount(0);
        showChosen();
    });
    connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &ScenarioPage::showChosen);
    showChosen();
}

void ScenarioPage::showChosen() {
    const QModelIndex row = table_->currentIndex();
    if (!row.isValid()) {
        whole_->setText(tr("Choose a row to read where its value is from."));
        return;
    }
    const auto cell = [&](int column) {
        return row.siblingAtColumn(column).data().toString().toHtmlEscaped();
    };
    whole_->setText(tr("<b>%1</b> = %2<br>%3: %4").arg(cell(0), cell(1), cell(2), cell(3)));
}

void ScenarioPage::show(const QJsonObject& values) {
    table_->setEnabled(!values.isEmpty()); // of a faulty text the last good values stay, dimmed
    if (values.isEmpty()) {
        return;
    }
    const QString chosen = table_->currentIndex().siblingAtColumn(0).data().toString();
    model_->setRowCount(0);
    for (auto it = values.begin(); it != values.end(); ++it) {
        const QJsonObject value = it->toObject();
        QString where = value.value("where").toString();
        where.replace("<stdin>:", tr("line "));
        QList<QStandardItem*> row;
        for (const QString& text :
             {it.key(), value.value("text").toString(), value.value("origin").toString(), where}) {
            row << new QStandardItem(text);
            row.last()->setToolTip("<qt>" + text.toHtmlEscaped() + "</qt>"); // in lines, as sources are long
        }
        model_->appendRow(row);
    }
    for (int row = 0; row < shown_->rowCount() && !chosen.isEmpty(); ++row) {
        if (shown_->index(row, 0).data().toString() == chosen) {
            table_->selectRow(row); // after an edit the same value is read on
        }
    }
    showChosen();
    table_->resizeColumnsToContents();
    constexpr std::array kWidest{215, 110, 60}; // so that all are seen beside the scenario's dock
    for (int column = 0; column < static_cast<int>(kWidest.size()); ++column) {
        const int widest = kWidest[static_cast<std::size_t>(column)];
        table_->setColumnWidth(column, std::min(table_->columnWidth(column), widest));
    }
}

bool ScenarioPage::busy() const { return editor_.busy(); }
bool ScenarioPage::empty() const { return model_->rowCount() == 0; }
QString ScenarioPage::problem() const { return editor_.faults().join('\n'); }

} // namespace chokepoint::gui
