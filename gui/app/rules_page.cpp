// SPDX-License-Identifier: GPL-3.0-or-later
#include "rules_page.hpp"

#include "cap_panel.hpp"
#include "chart_panel.hpp"
#include "contract.hpp"
#include "rules_chart.hpp"
#include "runner.hpp"
#include "text.hpp"
#include "work_bar.hpp"

#include <QComboBox>
#include <QCoreApplication>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QLabel>
#include <QSlider>
#include <QTableWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace chokepoint::gui {

namespace {

constexpr double kGiga = 1e-9;
// GB/s: room below every part to drag it to, and above for the names of rules.
constexpr double kLowestCap = 100.0;
constexpr double kHighest = 3000.0;

QJsonValue part_called(const QJsonObject& rules, const QString& id) {
    for (const QJsonValue& part : rules.value("parts").toArray()) {
        if (part["part"].toString() == id) {
            return part;
        }
    }
    return {};
}

/// "TPP 15,832, threshold 4,800", which no line break parts.
QString margin_text(const QJsonValue& margin) {
    const QString figure = margin["figure"].toString();
    const bool rate = figure == "aggregate_io" || figure == "memory_bandwidth";
    const auto number = [&](const QJsonValue& value) {
        const double shown = value.toDouble() * (rate ? kGiga : 1.0);
        return shown >= 100.0 ? whole_text(shown) : QString::number(shown, 'f', 2);
    };
    const QString name = figure == "tpp"            ? RulesPage::tr("TPP")
                         : figure == "aggregate_io" ? RulesPage::tr("NVLink")
                                                    : QString(figure).replace('_', ' ');
    return RulesPage::tr("%1 %2, threshold %3%4")
        .arg(name, number(margin["value"]), number(margin["limit"]), rate ? " GB/s" : "")
        .replace(' ', QChar::Nbsp);
}

/// A limit lower than a figure as a cap; nothing if it is as high as the figure, or within a hundredth.
std::optional<double> cap_below(double limit, double figure) {
    constexpr double kNoticed = 0.99;
    constexpr int kDigits = 3;
    return limit < kNoticed * figure ? std::optional(QString::number(limit, 'g', kDigits).toDouble())
                                     : std::nullopt;
}

} // namespace

RulesPage::RulesPage(Document& document, QWidget* parent)
    : Page(parent),
      runner_(std::make_unique<Runner>()),
      design_(std::make_unique<Runner>()),
      capped_(std::make_unique<Runner>()),
      day_(new QSlider(Qt::Horizontal, this)),
      dayLabel_(new QLabel(this)),
      part_(new QComboBox(this)),
      bandwidth_(new ChartPanel(this)),
      density_(new ChartPanel(this)),
      verdicts_(new QTableWidget(0, 4, this)),
      caps_(new QLabel(this)),
      cost_(new CapPanel(document, this)),
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
    auto* below = new QHBoxLayout;
    auto* said = new QVBoxLayout;
    said->addWidget(verdicts_, 1);
    said->addWidget(caps_);
    below->addLayout(said, 3);
    below->addWidget(cost_, 2);
    layout->addLayout(below, 1);
    bandwidth_->setToolTip(tr("Drag the ring, or press Shift and an arrow, to cap the part"));
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
    verdicts_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff); // the thresholds go over several lines
    verdicts_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    connect(verdicts_->horizontalHeader(), &QHeaderView::sectionResized, verdicts_,
            &QTableView::resizeRowsToContents, Qt::QueuedConnection);
    verdicts_->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
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
    connect(capped_.get(), &Runner::finished, this, &RulesPage::takeCapped);
    connect(capped_.get(), &Runner::failed, this,
            [this](const QString& message) { caps_->setText(message); });
    connect(day_, &QSlider::valueChanged, this, &RulesPage::ask);
    connect(part_, &QComboBox::currentIndexChanged, this, [this] {
        cap_.clear();
        refresh();
    });
    connect(bandwidth_, &ChartPanel::gripMoved, this, &RulesPage::capAt);
    connect(verdicts_, &QTableWidget::itemSelectionChanged, this, &RulesPage::askDesign);
    connect(bandwidth_, &ChartPanel::clicked, this,
            [this](double x, double y) { choose(x, y, "aggregate_io", kGiga); });
    connect(density_, &ChartPanel::clicked, this,
            [this](double x, double y) { choose(x, y, "performance_density", 1.0); });
}

RulesPage::~RulesPage() = default;

void RulesPage::activate() {
    if (answer_.isEmpty() && !runner_->running()) {
        ask();
    } else if (!answer_.isEmpty()) {
        cost_->weigh(part_->currentText(), cap_);
    }
}

void RulesPage::demonstrate() {
    activate();
    while (runner_->running()) {
        QCoreApplication::processEvents(QEventLoop::AllEvents, 20);
    }
    part_->setCurrentText("h100-sxm");
    capAt(1e9, 200.0, true); // half of what the rule of 2022 left H800
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
    Chart plane = rules_chart(answer_, "aggregate_io", "TPP against NVLink", "NVLink, both directions, GB/s",
                              kGiga, chosen);
    plane.y.from = kLowestCap;
    plane.y.to = kHighest;
    bandwidth_->setChart(std::move(plane));
    density_->setChart(rules_chart(answer_, "performance_density", "TPP against performance density",
                                   "performance density, TPP per mm² of die", 1.0, chosen));
    const QJsonValue part = part_called(answer_, chosen);
    caps_->setText(tr("Choose a rule to see which caps on %1 it would admit.").arg(chosen));
    if (cap_.isEmpty()) {
        const Point at{part_figure(part, "tpp"), part_figure(part, "aggregate_io") * kGiga};
        bandwidth_->setGrip(at.x > 0.0 && at.y > 0.0 ? std::optional(at) : std::nullopt);
        showVerdicts(part);
    } else {
        askCapped();
    }
    cost_->weigh(chosen, cap_);
}

void RulesPage::capAt(double tpp, double nvlink, bool released) {
    const QString chosen = part_->currentText();
    const QJsonValue part = part_called(answer_, chosen);
    const double most_tpp = part_figure(part, "tpp");
    const double most_nvlink = part_figure(part, "aggregate_io") * kGiga;
    bandwidth_->setGrip(Point{std::min(tpp, most_tpp), std::min(nvlink, most_nvlink)});
    cap_.clear();
    if (const auto cap = cap_below(nvlink, most_nvlink)) {
        cap_ << QString("nvlink=%1 GB/s").arg(*cap);
    }
    if (const auto cap = cap_below(tpp, most_tpp)) {
        cap_ << QString("tpp=%1").arg(*cap);
    }
    caps_->setText(cap_.isEmpty() ? tr("%1 as it is").arg(chosen)
                                  : tr("%1 capped: %2").arg(chosen, cap_.join(", ")));
    if (released && cap_.isEmpty()) {
        refresh();
    } else if (released) {
        askCapped();
        cost_->weigh(chosen, cap_);
    }
}

void RulesPage::askCapped() {
    QStringList arguments{"rules", part_->currentText(), "--json", "-", "--on", days_[day_->value()]};
    for (const QString& cap : cap_) {
        arguments << "--cap" << cap;
    }
    verdicts_->setEnabled(false);
    capped_->start({arguments, {}, {}});
}

void RulesPage::takeCapped(const QByteArray& json) {
    try {
        showVerdicts(parse_answer(json, "chokepoint/rules/1").value("parts")[0]);
        caps_->setText(tr("The rulings are on %1 capped: %2.").arg(part_->currentText(), cap_.join(", ")));
    } catch (const ContractError& error) {
        caps_->setText(QString::fromUtf8(error.what()));
    }
}

void RulesPage::showVerdicts(const QJsonValue& part) {
    verdicts_->setEnabled(true);
    verdicts_->setRowCount(0);
    QHash<QString, QJsonValue> rules;
    for (const QJsonValue& rule : answer_.value("rules").toArray()) {
        rules[rule["rule"].toString()] = rule;
    }
    for (const QJsonValue& verdict : part["verdicts"].toArray()) {
        addVerdict(verdict, rules.value(verdict["rule"].toString()));
    }
    for (int column = 0; column + 1 < verdicts_->columnCount(); ++column) {
        verdicts_->resizeColumnToContents(column);
    }
    verdicts_->resizeRowsToContents();
}

void RulesPage::addVerdict(const QJsonValue& verdict, const QJsonValue& rule) {
    const int row = verdicts_->rowCount();
    verdicts_->insertRow(row);
    QStringList margins;
    for (const QJsonValue& margin : verdict["margins"].toArray()) {
        if (margin["value"].isDouble()) {
            margins << margin_text(margin);
        }
    }
    const QStringList cells{verdict["rule"].toString(), verdict["ruling"].toString().replace('_', ' '),
                            rule["effective"].toString() + (rule["until"].isString()
                                                                ? tr(" to ") + rule["until"].toString()
                                                                : QString()),
                            margins.join("; ")};
    for (int column = 0; column < cells.size(); ++column) {
        auto* item = new QTableWidgetItem(cells[column]);
        item->setToolTip(rule["title"].toString() + "\n" + rule["instrument"].toString() + "\n" +
                         cells[column]);
        verdicts_->setItem(row, column, item);
    }
}

void RulesPage::choose(double tpp, double value, const QString& figure, double scale) {
    QString nearest;
    double distance = 0.15; // of a factor of e, on either axis
    for (const QJsonValue& part : answer_.value("parts").toArray()) {
        const double off = std::hypot(std::log(part_figure(part, "tpp") / tpp),
                                      std::log(part_figure(part, figure) * scale / value));
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
                           .arg(design.value("rules").toArray().at(0).toString(),
                                design.value("part").toString(),
                                sets.isEmpty() ? tr("with no caps that are known to be enough")
                                               : sets.join(tr(", or "))));
    } catch (const ContractError& error) {
        caps_->setText(QString::fromUtf8(error.what()));
    }
}

bool RulesPage::busy() const { return runner_->running() || capped_->running() || cost_->busy(); }
QString RulesPage::problem() const { return work_->message(); }

} // namespace chokepoint::gui
