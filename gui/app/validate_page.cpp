// SPDX-License-Identifier: GPL-3.0-or-later
#include "validate_page.hpp"

#include "chart_panel.hpp"
#include "contract.hpp"
#include "kernel_panel.hpp"
#include "run_filter_bar.hpp"
#include "text.hpp"
#include "work_bar.hpp"

#include <QCoreApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStandardItemModel>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace chokepoint::gui {

namespace {

enum Column { kId, kGpu, kGpus, kMeasured, kPredicted, kError, kModel, kKind, kPrecision, kStack, kColumns };
constexpr int kRun = Qt::UserRole + 1; ///< of the first column: its place among the runs

/// A cell that sorts by number and shows text.
QStandardItem* number_cell(std::optional<double> value, const QString& text) {
    auto* item = new QStandardItem;
    item->setData(value ? text : QString(), Qt::DisplayRole);
    item->setData(value.value_or(-INFINITY), Qt::UserRole);
    item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    return item;
}
QStandardItem* text_cell(const QString& text) {
    auto* item = new QStandardItem(text);
    item->setData(text, Qt::UserRole);
    item->setToolTip(text);
    return item;
}
QStringList question() { return {"validate", "--json", "-", "--progress", "json"}; }

QString error_text(std::optional<double> error) {
    return error ? QString("%1%2%").arg(*error >= 0 ? "+" : "").arg(100.0 * *error, 0, 'f', 1) : QString();
}

QString summary_text(const RunSummary& summary, std::size_t shown, std::size_t all) {
    const QString which =
        shown == all
            ? ValidatePage::tr("%1 runs").arg(whole_text(double(all)))
            : ValidatePage::tr("%1 of %2 runs").arg(whole_text(double(shown)), whole_text(double(all)));
    if (summary.rows == 0) {
        return which + ValidatePage::tr(", none of them with a published step time and a prediction");
    }
    return which +
           ValidatePage::tr("; %1 with a step time, of %2 layouts: median error %3, nine of ten within "
                            "%4, bias %5")
               .arg(whole_text(summary.rows), whole_text(summary.layouts), percent_text(summary.median),
                    percent_text(summary.p90), error_text(summary.bias));
}

} // namespace

/// Sorts the table, and leaves out what the filter does.
class ShownRuns : public QSortFilterProxyModel {
public:
    ShownRuns(const std::vector<ValidatedRun>& runs, QObject* parent)
        : QSortFilterProxyModel(parent),
          runs_(runs) {}
    void setFilter(RunFilter filter) {
        filter_ = std::move(filter);
        invalidateFilter();
    }
    [[nodiscard]] const ValidatedRun* run(const QModelIndex& index) const {
        return index.isValid() ? &runs_[index.siblingAtColumn(kId).data(kRun).toUInt()] : nullptr;
    }

protected:
    [[nodiscard]] bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
        const QModelIndex index = sourceModel()->index(row, kId, parent);
        return admits(filter_, runs_[index.data(kRun).toUInt()]);
    }

private:
    const std::vector<ValidatedRun>& runs_;
    RunFilter filter_;
};

ValidatePage::ValidatePage(const AnswerStore& store, QWidget* parent)
    : Page(parent),
      question_(store, [this](const QByteArray& json) { return take(json); }),
      filter_(new RunFilterBar(this)),
      scores_(new QLabel(this)),
      age_(new QLabel(this)),
      recompute_(new QPushButton(tr("&Recompute"), this)),
      panel_(new ChartPanel(this)),
      table_(new QTableView(this)),
      model_(new QStandardItemModel(0, kColumns, this)),
      shown_(new ShownRuns(runs_, this)),
      details_(new QLabel(this)),
      kernels_(new KernelPanel(store, this)),
      work_(new WorkBar(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(filter_);
    layout->addWidget(work_);
    auto* line = new QHBoxLayout;
    line->addWidget(scores_, 1);
    line->addWidget(age_);
    line->addWidget(recompute_);
    layout->addLayout(line);
    scores_->setWordWrap(true);
    age_->setForegroundRole(QPalette::PlaceholderText);
    age_->setAccessibleName(tr("When the figures were computed"));
    recompute_->setToolTip(tr("Predict the published runs and fit the kernels again"));
    auto* split = new QSplitter(Qt::Horizontal, this);
    split->addWidget(panel_);
    auto* right = new QWidget(this);
    auto* list = new QVBoxLayout(right);
    list->setContentsMargins(0, 0, 0, 0);
    list->addWidget(table_, 1);
    list->addWidget(details_);
    split->addWidget(right);
    split->setSizes({560, 840});
    auto* halves = new QSplitter(Qt::Vertical, this);
    halves->addWidget(split);
    halves->addWidget(kernels_);
    halves->setSizes({540, 360});
    halves->setChildrenCollapsible(false);
    layout->addWidget(halves, 1);
    details_->setWordWrap(true);
    details_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    details_->setMinimumHeight(64);
    details_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    model_->setHorizontalHeaderLabels({tr("Run"), tr("Part"), tr("GPUs"), tr("Measured"), tr("Predicted"),
                                       tr("Error"), tr("Model"), tr("Kind"), tr("Format"), tr("Software")});
    shown_->setSourceModel(model_);
    shown_->setSortRole(Qt::UserRole);
    table_->setModel(shown_);
    table_->setSortingEnabled(true);
    table_->sortByColumn(kId, Qt::AscendingOrder);
    table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setSelectionMode(QAbstractItemView::SingleSelection);
    table_->setAlternatingRowColors(true);
    table_->verticalHeader()->hide();
    table_->verticalHeader()->setDefaultSectionSize(24);
    table_->setWordWrap(false);
    table_->setTextElideMode(Qt::ElideMiddle); // the names of runs differ in their ends
    table_->setAccessibleName(tr("Published runs"));
    panel_->setHint(tr("The published runs are being predicted."));
    work_->watch(question_.runner());
    connect(&question_.runner(), &Runner::started, this, &ValidatePage::showAge);
    connect(&question_.runner(), &Runner::ended, this, &ValidatePage::showAge);
    connect(&question_, &KeptQuestion::answered, this, &ValidatePage::showAge);
    connect(recompute_, &QPushButton::clicked, this, &ValidatePage::recompute);
    connect(filter_, &RunFilterBar::changed, this, &ValidatePage::refresh);
    connect(panel_, &ChartPanel::noteClicked, this, &ValidatePage::choose);
    connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &ValidatePage::showDetails);
}

void ValidatePage::activate() {
    kernels_->activate();
    question_.ask(question());
}

void ValidatePage::recompute() {
    kernels_->recompute();
    question_.askAnew(question());
}

void ValidatePage::showAge() {
    const bool running = question_.runner().running();
    const bool current = question_.current() && !running;
    panel_->setEnabled(current || runs_.empty());
    table_->setEnabled(current || runs_.empty());
    age_->setText(!current && !running && !runs_.empty() ? tr("Of an earlier program, or of other data.")
                  : current && question_.since().isValid()
                      ? tr("Computed %1; program and data are as they were.")
                            .arg(question_.since().toString("yyyy-MM-dd hh:mm"))
                      : QString());
}

void ValidatePage::demonstrate() {
    activate();
    while (question_.runner().running()) {
        QCoreApplication::processEvents(QEventLoop::AllEvents, 20);
    }
    // The part that this program began with.
    for (int row = 0; row < shown_->rowCount(); ++row) {
        const ValidatedRun* run = shown_->run(shown_->index(row, kId));
        if (run->gpu == "h800-sxm" && run->predicted) {
            choose(run->id);
            return;
        }
    }
}

bool ValidatePage::take(const QByteArray& json) {
    try {
        runs_ = validated_runs(parse_answer(json, "chokepoint/validate/1"));
        fillTable();
        filter_->setRuns(runs_);
        return true;
    } catch (const ContractError& error) {
        work_->setMessage(QString::fromUtf8(error.what()));
        return false;
    }
}

void ValidatePage::fillTable() {
    model_->setRowCount(0);
    for (std::size_t i = 0; i < runs_.size(); ++i) {
        const ValidatedRun& run = runs_[i];
        QList<QStandardItem*> row{
            text_cell(run.id),
            text_cell(run.gpu),
            number_cell(run.gpus > 0.0 ? std::optional(run.gpus) : std::nullopt, whole_text(run.gpus)),
            number_cell(run.measured, seconds_text(run.measured.value_or(0.0))),
            number_cell(run.predicted, seconds_text(run.predicted.value_or(0.0))),
            number_cell(run.error, error_text(run.error)),
            text_cell(run.model),
            text_cell(run.kind),
            text_cell(run.precision),
            text_cell(run.stack)};
        row[kId]->setData(static_cast<int>(i), kRun);
        model_->appendRow(row);
    }
    table_->resizeColumnsToContents();
    constexpr int kWidest = 190;
    for (int column = 0; column < kColumns; ++column) {
        table_->setColumnWidth(column, std::min(table_->columnWidth(column), kWidest));
    }
}

void ValidatePage::refresh() {
    const ValidatedRun* chosen = shown_->run(table_->currentIndex());
    const QString id = chosen != nullptr ? chosen->id : QString();
    shown_->setFilter(filter_->filter());
    table_->setCurrentIndex({}); // rather than another run that happens to stand in its place
    choose(id);
    showDetails();
}

void ValidatePage::choose(const QString& id) {
    for (int row = 0; row < shown_->rowCount() && !id.isEmpty(); ++row) {
        if (shown_->run(shown_->index(row, kId))->id == id) {
            table_->selectRow(row);
            table_->scrollTo(shown_->index(row, kId));
        }
    }
}

void ValidatePage::showDetails() {
    std::vector<const ValidatedRun*> shown;
    for (int row = 0; row < shown_->rowCount(); ++row) {
        shown.push_back(shown_->run(shown_->index(row, kId)));
    }
    const ValidatedRun* chosen = shown_->run(table_->currentIndex());
    scores_->setText(runs_.empty() ? QString()
                                   : summary_text(summary_of(runs_, shown), shown.size(), runs_.size()));
    panel_->setHint(tr("No run that the filter shows has both a measured and a predicted step time."));
    panel_->setChart(validation_chart(runs_, shown, chosen));
    panel_->setRing(chosen != nullptr && chosen->measured && chosen->predicted
                        ? std::optional(Point{*chosen->measured, *chosen->predicted})
                        : std::nullopt);
    if (chosen == nullptr) {
        details_->setText(
            tr("Choose a run, in the table or by its point on the chart, to see where it comes from."));
        return;
    }
    QStringList lines{
        "<b>" + chosen->id.toHtmlEscaped() + "</b>",
        tr("Software: %1. Source: %2").arg(chosen->stack.toHtmlEscaped(), chosen->source.toHtmlEscaped())};
    for (const auto& [name, text] :
         {std::pair(tr("Assumed"), chosen->assumed), std::pair(tr("Note"), chosen->note),
          std::pair(tr("Not predicted"), chosen->reason)}) {
        if (!text.isEmpty()) {
            lines << name + ": " + text.toHtmlEscaped();
        }
    }
    details_->setText(lines.join("<br>"));
}

bool ValidatePage::busy() const { return question_.runner().running() || kernels_->busy(); }
bool ValidatePage::empty() const { return runs_.empty() || kernels_->empty(); }
QString ValidatePage::problem() const {
    return work_->message().isEmpty() ? kernels_->problem() : work_->message();
}

} // namespace chokepoint::gui
