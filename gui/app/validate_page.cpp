// SPDX-License-Identifier: GPL-3.0-or-later
#include "validate_page.hpp"

#include "chart_panel.hpp"
#include "contract.hpp"
#include "kernel_panel.hpp"
#include "runner.hpp"
#include "text.hpp"
#include "work_bar.hpp"

#include <QComboBox>
#include <QCoreApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QLabel>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStandardItemModel>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <set>

namespace chokepoint::gui {

namespace {

constexpr double kMargin = 0.1;
enum Column { kId, kGpu, kGpus, kMeasured, kPredicted, kError, kModel, kPrecision, kStack, kColumns };

std::optional<double> number_of(const QJsonValue& json) {
    return json.isDouble() ? std::optional(json.toDouble()) : std::nullopt;
}

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
QString error_text(std::optional<double> error) {
    return error ? QString("%1%2%").arg(*error >= 0 ? "+" : "").arg(100.0 * *error, 0, 'f', 1) : QString();
}

} // namespace

std::vector<ValidatedRun> validated_runs(const QJsonObject& validate) {
    std::vector<ValidatedRun> runs;
    for (const QJsonValue& row : validate.value("rows").toArray()) {
        const auto text = [&](const char* field) { return row[QLatin1String(field)].toString(); };
        runs.push_back({.id = text("id"),
                        .model = text("model"),
                        .gpu = text("gpu"),
                        .precision = text("precision"),
                        .stack = text("stack"),
                        .source = text("source"),
                        .bound = text("bound"),
                        .assumed = text("assumed"),
                        .note = text("note"),
                        .reason = text("reason"),
                        .gpus = row["gpus"].toDouble(),
                        .measured = number_of(row["measured_seconds"]),
                        .predicted = number_of(row["predicted_seconds"]),
                        .error = number_of(row["error"])});
    }
    return runs;
}

Chart validation_chart(const std::vector<const ValidatedRun*>& runs, const ValidatedRun* chosen) {
    Chart chart;
    chart.kind = ChartKind::scatter;
    chart.title = "Step time of published runs, and 10% around it";
    chart.x = {.label = "measured, s", .log = true};
    chart.y = {.label = "predicted, s", .log = true};
    chart.diagonal_margin = kMargin;
    chart.legend_right = true;
    for (const ValidatedRun* run : runs) {
        if (!run->measured || !run->predicted) {
            continue;
        }
        const std::string part = run->gpu.toStdString();
        auto series = std::ranges::find(chart.series, part, &Series::name);
        if (series == chart.series.end()) {
            series = chart.series.insert(series, {.name = part});
        }
        series->points.push_back({*run->measured, *run->predicted});
        series->notes.push_back(run->id.toStdString());
    }
    if (chosen != nullptr && chosen->measured && chosen->predicted) {
        chart.series.push_back({.name = "chosen",
                                .points = {{*chosen->measured, *chosen->predicted}},
                                .labels = {chosen->id.toStdString()},
                                .notes = {chosen->id.toStdString()}});
    }
    return chart;
}

ValidatePage::ValidatePage(QWidget* parent)
    : Page(parent),
      runner_(std::make_unique<Runner>()),
      filter_(new QLineEdit(this)),
      gpu_(new QComboBox(this)),
      scores_(new QLabel(this)),
      panel_(new ChartPanel(this)),
      table_(new QTableView(this)),
      model_(new QStandardItemModel(0, kColumns, this)),
      shown_(new QSortFilterProxyModel(this)),
      details_(new QLabel(this)),
      kernels_(new KernelPanel(this)),
      work_(new WorkBar(this)) {
    auto* layout = new QVBoxLayout(this);
    auto* top = new QHBoxLayout;
    filter_->setPlaceholderText(tr("Filter: part of a run's name, model, software or precision"));
    filter_->setClearButtonEnabled(true);
    filter_->setAccessibleName(tr("Filter runs"));
    gpu_->setAccessibleName(tr("Part"));
    gpu_->addItem(tr("every part"));
    top->addWidget(filter_, 1);
    top->addWidget(gpu_);
    layout->addLayout(top);
    layout->addWidget(work_);
    layout->addWidget(scores_);
    auto* split = new QSplitter(Qt::Horizontal, this);
    split->addWidget(panel_);
    auto* right = new QWidget(this);
    auto* list = new QVBoxLayout(right);
    list->setContentsMargins(0, 0, 0, 0);
    list->addWidget(table_, 1);
    list->addWidget(details_);
    split->addWidget(right);
    split->setSizes({640, 760});
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
                                       tr("Error"), tr("Model"), tr("Format"), tr("Software")});
    shown_->setSourceModel(model_);
    shown_->setSortRole(Qt::UserRole);
    shown_->setFilterKeyColumn(-1);
    shown_->setFilterCaseSensitivity(Qt::CaseInsensitive);
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
    work_->watch(*runner_);
    connect(runner_.get(), &Runner::finished, this, &ValidatePage::take);
    connect(runner_.get(), &Runner::ended, this, [this] { panel_->setEnabled(true); });
    connect(filter_, &QLineEdit::textChanged, this, &ValidatePage::refresh);
    connect(gpu_, &QComboBox::currentIndexChanged, this, &ValidatePage::fillTable);
    connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &ValidatePage::showDetails);
}

ValidatePage::~ValidatePage() = default;

void ValidatePage::activate() {
    kernels_->activate();
    if (runs_.empty() && !runner_->running()) {
        panel_->setEnabled(false);
        runner_->start({{"validate", "--json", "-", "--progress", "json"}, {}, {}});
    }
}

void ValidatePage::demonstrate() {
    activate();
    while (runner_->running()) {
        QCoreApplication::processEvents(QEventLoop::AllEvents, 20);
    }
    // The part that this program began with.
    for (int row = 0; row < shown_->rowCount(); ++row) {
        if (shown_->index(row, kGpu).data().toString() == "h800-sxm" &&
            !shown_->index(row, kPredicted).data().toString().isEmpty()) {
            table_->selectRow(row);
            table_->scrollTo(shown_->index(row, kId));
            return;
        }
    }
}

void ValidatePage::take(const QByteArray& json) {
    try {
        const QJsonObject answer = parse_answer(json, "chokepoint/validate/1");
        runs_ = validated_runs(answer);
        QStringList words;
        for (const QJsonValue& score : answer.value("scores").toArray()) {
            if (score["family"] == "published" && score["member"] == "step time") {
                words << tr("%1 runs of %2 layouts with a step time: median error %3, nine of ten within %4, "
                            "bias %5")
                             .arg(score["rows"].toInt())
                             .arg(score["layouts"].toInt())
                             .arg(percent_text(score["median"].toDouble()),
                                  percent_text(score["p90"].toDouble()),
                                  error_text(score["bias"].toDouble()));
            }
        }
        scores_->setText(words.join("; "));
        std::set<QString> parts;
        for (const ValidatedRun& run : runs_) {
            parts.insert(run.gpu);
        }
        for (const QString& part : parts) {
            if (!part.isEmpty()) {
                gpu_->addItem(part);
            }
        }
        fillTable();
    } catch (const ContractError& error) {
        work_->setMessage(QString::fromUtf8(error.what()));
    }
}

void ValidatePage::fillTable() {
    model_->setRowCount(0);
    for (std::size_t i = 0; i < runs_.size(); ++i) {
        const ValidatedRun& run = runs_[i];
        if (gpu_->currentIndex() > 0 && run.gpu != gpu_->currentText()) {
            continue;
        }
        QList<QStandardItem*> row{
            text_cell(run.id),
            text_cell(run.gpu),
            number_cell(run.gpus > 0.0 ? std::optional(run.gpus) : std::nullopt, whole_text(run.gpus)),
            number_cell(run.measured, seconds_text(run.measured.value_or(0.0))),
            number_cell(run.predicted, seconds_text(run.predicted.value_or(0.0))),
            number_cell(run.error, error_text(run.error)),
            text_cell(run.model),
            text_cell(run.precision),
            text_cell(run.stack)};
        row[kId]->setData(static_cast<int>(i), Qt::UserRole + 1);
        model_->appendRow(row);
    }
    table_->resizeColumnsToContents();
    constexpr int kWidest = 190;
    for (int column = 0; column < kColumns; ++column) {
        table_->setColumnWidth(column, std::min(table_->columnWidth(column), kWidest));
    }
    refresh();
}

void ValidatePage::refresh() {
    shown_->setFilterFixedString(filter_->text());
    showDetails();
}

void ValidatePage::showDetails() {
    std::vector<const ValidatedRun*> shown;
    for (int row = 0; row < shown_->rowCount(); ++row) {
        shown.push_back(&runs_[shown_->index(row, kId).data(Qt::UserRole + 1).toUInt()]);
    }
    const QModelIndex current = table_->currentIndex();
    const ValidatedRun* chosen =
        current.isValid() ? &runs_[current.siblingAtColumn(kId).data(Qt::UserRole + 1).toUInt()] : nullptr;
    panel_->setChart(validation_chart(shown, chosen));
    if (chosen == nullptr) {
        details_->setText(tr("%1 runs. Choose one to see where it comes from.").arg(shown.size()));
        return;
    }
    QStringList lines{"<b>" + chosen->id.toHtmlEscaped() + "</b>",
                      tr("Source: %1").arg(chosen->source.toHtmlEscaped())};
    for (const auto& [name, text] :
         {std::pair(tr("Assumed"), chosen->assumed), std::pair(tr("Note"), chosen->note),
          std::pair(tr("Not predicted"), chosen->reason)}) {
        if (!text.isEmpty()) {
            lines << name + ": " + text.toHtmlEscaped();
        }
    }
    details_->setText(lines.join("<br>"));
}

bool ValidatePage::busy() const { return runner_->running() || kernels_->busy(); }
bool ValidatePage::empty() const { return runs_.empty() || kernels_->empty(); }
QString ValidatePage::problem() const {
    return work_->message().isEmpty() ? kernels_->problem() : work_->message();
}

} // namespace chokepoint::gui
