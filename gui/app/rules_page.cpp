// SPDX-License-Identifier: GPL-3.0-or-later
#include "rules_page.hpp"

#include "chart_panel.hpp"
#include "contract.hpp"
#include "runner.hpp"
#include "work_bar.hpp"

#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QLabel>
#include <QSlider>
#include <QTableWidget>
#include <QVBoxLayout>

#include <array>
#include <cmath>
#include <set>

namespace chokepoint::gui {

namespace {

constexpr double kGiga = 1e-9;

double figure_of(const QJsonValue& part, const QString& figure) {
    return part["figures"][figure].toDouble(NAN);
}

constexpr std::array kSeverities{"free", "case by case", "licence", "presumption of denial", "undetermined"};

/// Of the severest ruling on a part, its place among kSeverities.
std::size_t severity_of(const QJsonValue& part) {
    std::size_t most = 0;
    for (const QJsonValue& verdict : part["verdicts"].toArray()) {
        const std::string ruling = verdict["ruling"].toString().replace('_', ' ').toStdString();
        for (std::size_t i = most + 1; i < kSeverities.size(); ++i) {
            most = ruling == kSeverities[i] ? i : most;
        }
    }
    return most;
}

/// The box that a conjunction cuts out of the plane; nothing if it speaks of other figures too.
std::optional<Region> region_of(const QJsonArray& thresholds, const QString& figure, double scale) {
    Region region;
    for (const QJsonValue& threshold : thresholds) {
        const bool across = threshold["figure"] == "tpp";
        if (!across && threshold["figure"].toString() != figure) {
            return std::nullopt;
        }
        const QString bound = threshold["bound"].toString();
        const double limit = threshold["limit"].toDouble() * (across ? 1.0 : scale);
        const bool low = bound == "at_least" || bound == "above";
        auto& side = across ? (low ? region.left : region.right) : (low ? region.bottom : region.top);
        side = limit;
    }
    return region;
}

} // namespace

Chart rules_chart(const QJsonObject& rules, const QString& figure, const std::string& title,
                  const std::string& label, double scale, const QString& chosen) {
    Chart chart;
    chart.kind = ChartKind::scatter;
    chart.title = title;
    chart.x = {.label = "TPP", .log = true};
    chart.y = {.label = label, .log = true};
    std::size_t color = 1;
    for (const QJsonValue& rule : rules.value("rules").toArray()) {
        for (const QJsonValue& alternative : rule["alternatives"].toArray()) {
            if (auto region = region_of(alternative.toArray(), figure, scale)) {
                // Named once, however many regions it cuts out.
                const bool named = !chart.regions.empty() && chart.regions.back().color == color;
                region->label =
                    named
                        ? std::string()
                        : (rule["rule"].toString() + ": " + rule["consequence"].toString().replace('_', ' '))
                              .toStdString();
                region->color = color;
                chart.regions.push_back(*region);
            }
        }
        ++color;
    }
    // Parts by the severest ruling on them.
    std::array<Series, kSeverities.size()> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i].name = kSeverities[i];
    }
    Series marked{.name = chosen.toStdString()};
    for (const QJsonValue& part : rules.value("parts").toArray()) {
        const double x = figure_of(part, "tpp");
        const double y = figure_of(part, figure) * scale;
        if (!(x > 0.0) || !(y > 0.0)) {
            continue;
        }
        const std::string id = part["part"].toString().toStdString();
        Series& series = part["part"].toString() == chosen ? marked : parts[severity_of(part)];
        series.points.push_back({x, y});
        series.labels.push_back(id);
        series.notes.push_back(id);
    }
    for (Series& series : parts) {
        if (!series.points.empty()) {
            chart.series.push_back(std::move(series));
        }
    }
    if (!marked.points.empty()) {
        chart.series.push_back(std::move(marked));
    }
    return chart;
}

QStringList days_of(const QJsonObject& rules) {
    std::set<QString> days;
    for (const QJsonValue& rule : rules.value("rules").toArray()) {
        days.insert(rule["effective"].toString());
        if (rule["until"].isString()) {
            days.insert(rule["until"].toString());
        }
    }
    return {days.begin(), days.end()};
}

RulesPage::RulesPage(QWidget* parent)
    : Page(parent),
      runner_(std::make_unique<Runner>()),
      design_(std::make_unique<Runner>()),
      day_(new QSlider(Qt::Horizontal, this)),
      dayLabel_(new QLabel(this)),
      part_(new QComboBox(this)),
      bandwidth_(new ChartPanel(this)),
      density_(new ChartPanel(this)),
      verdicts_(new QTableWidget(0, 4, this)),
      caps_(new QLabel(this)),
      work_(new WorkBar(this)) {
    auto* layout = new QVBoxLayout(this);
    auto* top = new QHBoxLayout;
    auto* caption = new QLabel(tr("Rules in force on"), this);
    top->addWidget(caption);
    top->addWidget(dayLabel_);
    top->addWidget(day_, 1);
    top->addWidget(new QLabel(tr("Part"), this));
    top->addWidget(part_);
    layout->addLayout(top);
    layout->addWidget(work_);
    auto* charts = new QHBoxLayout;
    charts->addWidget(bandwidth_, 1);
    charts->addWidget(density_, 1);
    layout->addLayout(charts, 3);
    layout->addWidget(verdicts_, 1);
    layout->addWidget(caps_);
    day_->setAccessibleName(tr("Day"));
    day_->setPageStep(1);
    day_->setTickPosition(QSlider::TicksBelow);
    dayLabel_->setMinimumWidth(90);
    part_->setAccessibleName(tr("Part"));
    part_->setMinimumContentsLength(16);
    caps_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    caps_->setWordWrap(true);
    verdicts_->setHorizontalHeaderLabels(
        {tr("Rule"), tr("Ruling"), tr("In force"), tr("Nearest thresholds")});
    verdicts_->horizontalHeader()->setStretchLastSection(true);
    verdicts_->verticalHeader()->hide();
    verdicts_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    verdicts_->setSelectionBehavior(QAbstractItemView::SelectRows);
    verdicts_->setAccessibleName(tr("Verdicts on the part"));
    connect(runner_.get(), &Runner::finished, this, &RulesPage::take);
    connect(runner_.get(), &Runner::failed, this,
            [this](const QString& message) { work_->setMessage(message); });
    connect(design_.get(), &Runner::finished, this, &RulesPage::takeDesign);
    connect(design_.get(), &Runner::failed, this,
            [this](const QString& message) { caps_->setText(message); });
    connect(day_, &QSlider::valueChanged, this, &RulesPage::ask);
    connect(part_, &QComboBox::currentIndexChanged, this, &RulesPage::refresh);
    connect(verdicts_, &QTableWidget::itemSelectionChanged, this, &RulesPage::askDesign);
    connect(bandwidth_, &ChartPanel::clicked, this,
            [this](double x, double y) { choose(x, y, "aggregate_io", kGiga); });
    connect(density_, &ChartPanel::clicked, this,
            [this](double x, double y) { choose(x, y, "performance_density", 1.0); });
}

RulesPage::~RulesPage() = default;

void RulesPage::activate() {
    if (answer_.isEmpty() && !busy()) {
        ask();
    }
}

void RulesPage::ask() {
    QStringList arguments{"rules", "--json", "-"};
    if (!days_.isEmpty()) {
        dayLabel_->setText("<b>" + days_[day_->value()] + "</b>");
        arguments << "--on" << days_[day_->value()];
    }
    runner_->start({arguments, {}, {}});
}

void RulesPage::take(const QByteArray& json) {
    try {
        answer_ = parse_answer(json, "chokepoint/rules/1");
    } catch (const ContractError& error) {
        work_->setMessage(QString::fromUtf8(error.what()));
        return;
    }
    if (days_.isEmpty()) {
        days_ = days_of(answer_);
        for (const QJsonValue& part : answer_.value("parts").toArray()) {
            const QSignalBlocker quiet(part_);
            part_->addItem(part["part"].toString());
        }
        const QSignalBlocker quiet(part_);
        part_->setCurrentText("h800-sxm");
        const QSignalBlocker still(day_);
        day_->setRange(0, static_cast<int>(days_.size()) - 1);
        // The first day on which the part that this program began with was ruled on.
        const auto first = days_.indexOf("2023-11-17");
        day_->setValue(first >= 0 ? static_cast<int>(first) : day_->maximum());
        ask();
        return;
    }
    refresh();
}

void RulesPage::refresh() {
    const QString chosen = part_->currentText();
    bandwidth_->setChart(rules_chart(answer_, "aggregate_io", "TPP against NVLink",
                                     "NVLink, both directions, GB/s", kGiga, chosen));
    density_->setChart(rules_chart(answer_, "performance_density", "TPP against performance density",
                                   "TPP per mm2 of die", 1.0, chosen));
    verdicts_->setRowCount(0);
    QHash<QString, QJsonValue> rules;
    for (const QJsonValue& rule : answer_.value("rules").toArray()) {
        rules[rule["rule"].toString()] = rule;
    }
    for (const QJsonValue& part : answer_.value("parts").toArray()) {
        if (part["part"].toString() != chosen) {
            continue;
        }
        for (const QJsonValue& verdict : part["verdicts"].toArray()) {
            const int row = verdicts_->rowCount();
            verdicts_->insertRow(row);
            const QJsonValue rule = rules.value(verdict["rule"].toString());
            QStringList margins;
            for (const QJsonValue& margin : verdict["margins"].toArray()) {
                if (margin["ratio"].isDouble()) {
                    margins << tr("%1 %2 × its threshold")
                                   .arg(margin["figure"].toString().replace('_', ' '))
                                   .arg(margin["ratio"].toDouble(), 0, 'f', 2);
                }
            }
            const QStringList cells{
                verdict["rule"].toString(), verdict["ruling"].toString().replace('_', ' '),
                rule["effective"].toString() +
                    (rule["until"].isString() ? tr(" to ") + rule["until"].toString() : QString()),
                margins.join("; ")};
            for (int column = 0; column < cells.size(); ++column) {
                auto* item = new QTableWidgetItem(cells[column]);
                item->setToolTip(rule["title"].toString() + "\n" + rule["instrument"].toString() + "\n" +
                                 cells[column]);
                verdicts_->setItem(row, column, item);
            }
        }
    }
    verdicts_->resizeColumnsToContents();
    caps_->setText(tr("Choose a rule to see which caps on %1 it would admit.").arg(chosen));
}

void RulesPage::choose(double tpp, double value, const QString& figure, double scale) {
    QString nearest;
    double distance = 0.15; // of a factor of e, on either axis
    for (const QJsonValue& part : answer_.value("parts").toArray()) {
        const double off = std::hypot(std::log(figure_of(part, "tpp") / tpp),
                                      std::log(figure_of(part, figure) * scale / value));
        if (off < distance) {
            distance = off;
            nearest = part["part"].toString();
        }
    }
    if (!nearest.isEmpty()) {
        part_->setCurrentText(nearest);
    }
}

void RulesPage::askDesign() {
    const auto chosen = verdicts_->selectedItems();
    if (!chosen.isEmpty()) {
        const QString rule = verdicts_->item(chosen.first()->row(), 0)->text();
        design_->start({{"rules", "--design", part_->currentText(), "--under", rule, "--json", "-"}, {}, {}});
    }
}

void RulesPage::takeDesign(const QByteArray& json) {
    try {
        const QJsonObject design = parse_answer(json, "chokepoint/rules/1").value("design").toObject();
        QStringList sets;
        for (const QJsonValue& set : design.value("caps").toArray()) {
            QStringList caps;
            const QJsonObject object = set.toObject();
            for (auto it = object.begin(); it != object.end(); ++it) {
                caps << it.key() + " = \"" + it->toString() + "\"";
            }
            sets << (caps.isEmpty() ? tr("as it is") : tr("just below ") + caps.join(tr(" and ")));
        }
        caps_->setText(tr("%1 would admit %2 %3.")
                           .arg(design.value("rule").toString(), design.value("part").toString(),
                                sets.isEmpty() ? tr("with no caps that are known to be enough")
                                               : sets.join(tr(", or "))));
    } catch (const ContractError& error) {
        caps_->setText(QString::fromUtf8(error.what()));
    }
}

bool RulesPage::busy() const { return runner_->running(); }
QString RulesPage::problem() const { return work_->message(); }

} // namespace chokepoint::gui
