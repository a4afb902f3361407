// SPDX-License-Identifier: GPL-3.0-or-later
#include "curve_controls.hpp"

#include "catalog_lists.hpp"
#include "document.hpp"
#include "flow_layout.hpp"
#include "rules_chart.hpp"
#include "sweep_curves.hpp"
#include "toml_edit.hpp"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QVBoxLayout>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace chokepoint::gui {

namespace {

/// What a curve each can be drawn for. `others` stand beside the scenario's own value at first.
enum class SplitKind { none, key, axis };
struct Split {
    const char* label;
    SplitKind kind = SplitKind::key; ///< axis: the values are one of their own, as --axis takes it
    QLatin1String key, catalog, others;
};
const std::array<Split, 6>& splits() {
    static const std::array<Split, 6> kSplits{{
        {QT_TRANSLATE_NOOP("CurveControls", "nothing: one curve"), SplitKind::none, {}, {}, {}},
        {QT_TRANSLATE_NOOP("CurveControls", "part"), SplitKind::key, QLatin1String("cluster.gpu"),
         QLatin1String("gpus"), QLatin1String("h20-sxm")},
        {QT_TRANSLATE_NOOP("CurveControls", "schedule"), SplitKind::key, QLatin1String("plan.schedule"),
         QLatin1String("schedules"), QLatin1String("1f1b, zb-h1")},
        {QT_TRANSLATE_NOOP("CurveControls", "number of ranks that share experts"),
         SplitKind::key,
         QLatin1String("plan.expert"),
         {},
         QLatin1String("32, 128")},
        {QT_TRANSLATE_NOOP("CurveControls", "NIC cap"),
         SplitKind::key,
         QLatin1String("cluster.caps.nic"),
         {},
         QLatin1String("100 Gb/s, 400 Gb/s")},
        {QT_TRANSLATE_NOOP("CurveControls", "set of keys"),
         SplitKind::axis,
         {},
         {},
         QLatin1String("plan.zero=1,0; labels=ZeRO-1,no ZeRO")},
    }};
    return kSplits;
}

QString joined(const QStringList& values) { return values.join(", "); }

QStringList listed(const QString& text) {
    QStringList list;
    for (const QString& value : text.split(',', Qt::SkipEmptyParts)) {
        if (!value.trimmed().isEmpty()) {
            list << value.trimmed();
        }
    }
    list.removeDuplicates();
    return list;
}

} // namespace

CurveControls::CurveControls(Document& document, CatalogLists& lists, QWidget* parent)
    : QWidget(parent),
      document_(document),
      lists_(lists),
      axis_(new QComboBox(this)),
      from_(new QDoubleSpinBox(this)),
      to_(new QDoubleSpinBox(this)),
      count_(new QSpinBox(this)),
      logX_(new QCheckBox(tr("log &x"), this)),
      split_(new QComboBox(this)),
      values_(new QLineEdit(this)),
      choose_(new QPushButton(this)),
      choices_(new QMenu(this)),
      metric_(new QComboBox(this)),
      logY_(new QCheckBox(tr("log &y"), this)),
      run_(new QPushButton(tr("&Run"), this)) {
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    auto* first = new FlowLayout;
    auto* second = new FlowLayout;
    addAxisControls(*first);
    addCurveControls(*second);
    rows->addLayout(first);
    rows->addLayout(second);
    connect(axis_, &QComboBox::currentIndexChanged, this, &CurveControls::chooseAxis);
    connect(split_, &QComboBox::currentIndexChanged, this, &CurveControls::chooseSplit);
    connect(metric_, &QComboBox::currentIndexChanged, this, &CurveControls::viewChanged);
    connect(logX_, &QCheckBox::toggled, this, &CurveControls::viewChanged);
    connect(logY_, &QCheckBox::toggled, this, &CurveControls::viewChanged);
    connect(choices_, &QMenu::aboutToShow, this, &CurveControls::fillChoices);
    connect(run_, &QPushButton::clicked, this, &CurveControls::runAsked);
    connect(values_, &QLineEdit::textChanged, this, &CurveControls::endAtParts);
    connect(&document_, &Document::changed, this, &CurveControls::endAtParts);
    chooseAxis();
    chooseSplit();
}

QHBoxLayout& CurveControls::addLabelled(FlowLayout& row, const QString& name, QWidget* widget) {
    auto* together = new QWidget(this);
    auto* line = new QHBoxLayout(together);
    line->setContentsMargins(0, 0, 0, 0);
    auto* label = new QLabel(name, together);
    label->setBuddy(widget);
    widget->setAccessibleName(QString(name).remove('&'));
    line->addWidget(label);
    line->addWidget(widget);
    row.addWidget(together);
    return *line;
}

void CurveControls::addAxisControls(FlowLayout& row) {
    for (const CurveAxis& axis : curve_axes()) {
        axis_->addItem(axis.label);
    }
    for (QDoubleSpinBox* end : {from_, to_}) {
        end->setRange(0.0, 1e9);
        end->setStepType(QAbstractSpinBox::AdaptiveDecimalStepType);
        end->setMinimumWidth(128);
    }
    count_->setRange(2, 500);
    addLabelled(row, tr("&Axis"), axis_);
    addLabelled(row, tr("fr&om"), from_);
    addLabelled(row, tr("&to"), to_);
    addLabelled(row, tr("&points"), count_).addWidget(logX_);
    auto* end = new QWidget(this);
    end->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    auto* buttons = new QHBoxLayout(end); // at the line's end, whichever it is
    buttons->setContentsMargins(0, 0, 0, 0);
    buttons->addStretch(1);
    row.addWidget(end);
    auto* open = new QPushButton(tr("Open &store…"), this);
    open->setToolTip(tr("Curves from a result store that `chokepoint sweep` wrote, or is writing"));
    connect(open, &QPushButton::clicked, this, &CurveControls::openAsked);
    buttons->addWidget(open);
    buttons->addWidget(run_);
    run_->setDefault(true);
}

void CurveControls::addCurveControls(FlowLayout& row) {
    for (const Split& split : splits()) {
        split_->addItem(tr(split.label));
    }
    for (const Metric& metric : metrics()) {
        metric_->addItem(metric.label);
    }
    choose_->setText(tr("Choose"));
    choose_->setAccessibleName(tr("Choose values from the catalog"));
    choose_->setMenu(choices_);
    addLabelled(row, tr("A &curve for each"), split_);
    constexpr int kValues = 160; // pixels: of two parts
    values_->setMinimumWidth(kValues);
    addLabelled(row, tr("of"), values_).addWidget(choose_);
    values_->setAccessibleName(tr("Values, one curve each"));
    addLabelled(row, tr("sho&ws"), metric_).addWidget(logY_);
}

CurveAxis CurveControls::axis() const {
    return curve_axes()[static_cast<std::size_t>(axis_->currentIndex())];
}
Metric CurveControls::metric() const { return metrics()[static_cast<std::size_t>(metric_->currentIndex())]; }
bool CurveControls::logX() const { return logX_->isChecked(); }
bool CurveControls::logY() const { return logY_->isChecked(); }

void CurveControls::chooseAxis() {
    const CurveAxis chosen = axis();
    for (QDoubleSpinBox* end : {from_, to_}) {
        end->setDecimals(chosen.whole ? 0 : 2);
        end->setSuffix(chosen.unit == "e12" ? " T" : chosen.unit);
    }
    from_->setValue(chosen.from);
    to_->setValue(chosen.to);
    range_ = {from_->value(), to_->value()};
    endAtParts();
    count_->setValue(chosen.points);
    const QSignalBlocker quiet(logX_); // what is drawn is still the old axis
    logX_->setChecked(chosen.logarithmic);
}

QString CurveControls::ownValue(const QString& key) const {
    const auto index = index_toml(document_.text().toStdString());
    if (!index) {
        return {};
    }
    const auto found = index->values.find(key.toStdString());
    return found == index->values.end() ? QString() : QString::fromStdString(found->second.text);
}

void CurveControls::setParts(const QJsonObject& rules) {
    rules_ = rules;
    endAtParts();
}

std::optional<double> CurveControls::mostOfParts(const CurveAxis& axis) const {
    const QLatin1String key("cluster.gpu");
    const bool each = splits()[static_cast<std::size_t>(split_->currentIndex())].key == key;
    const QStringList parts = each ? listed(values_->text()) : QStringList{ownValue(key)};
    std::optional<double> most;
    for (const QJsonValue& part : rules_.value("parts").toArray()) {
        const double figure = part_figure(part, axis.figure) * axis.scale;
        if (parts.contains(part["part"].toString()) && figure > most.value_or(0.0)) {
            most = figure;
        }
    }
    return most;
}

void CurveControls::endAtParts() {
    constexpr double kFarthest = 0.5; // of the end: where the range begins at most
    const CurveAxis chosen = axis();
    if (chosen.figure.isEmpty() || range_ != std::pair(from_->value(), to_->value())) {
        return; // not capped from what a part has, or typed
    }
    const double end = mostOfParts(chosen).value_or(chosen.to);
    from_->setValue(std::min(chosen.from, kFarthest * end));
    to_->setValue(end);
    range_ = {from_->value(), to_->value()};
}

void CurveControls::chooseSplit() {
    const Split& split = splits()[static_cast<std::size_t>(split_->currentIndex())];
    values_->setEnabled(split.kind != SplitKind::none);
    choose_->setVisible(!split.catalog.isEmpty());
    if (!split.catalog.isEmpty()) {
        lists_.request(split.catalog);
    }
    const QString others = split.others;
    values_->setText(split.kind == SplitKind::key ? joined(listed(ownValue(split.key) + "," + others))
                                                  : others);
    values_->setPlaceholderText(values_->isEnabled() ? tr("values with commas between them") : QString());
    values_->setToolTip(split.kind == SplitKind::axis ? tr("As --axis of `chokepoint sweep` takes it")
                                                      : QString());
}

void CurveControls::fillChoices() {
    const Split& split = splits()[static_cast<std::size_t>(split_->currentIndex())];
    choices_->clear();
    const QStringList chosen = listed(values_->text());
    for (const CatalogEntry& entry : lists_.entries(split.catalog)) {
        QAction* action = choices_->addAction(entry.id);
        action->setCheckable(true);
        action->setChecked(chosen.contains(entry.id));
        action->setToolTip(entry.summary);
        connect(action, &QAction::toggled, this, [this, id = entry.id](bool on) {
            QStringList now = listed(values_->text());
            now.removeAll(id);
            if (on) {
                now << id;
            }
            values_->setText(joined(now));
        });
    }
}

void CurveControls::splitBy(const QString& key, const QString& values) {
    for (std::size_t i = 0; i < splits().size(); ++i) {
        if (splits()[i].kind == SplitKind::key && splits()[i].key == key) {
            split_->setCurrentIndex(static_cast<int>(i));
            values_->setText(values);
        }
    }
}

CurveRequest CurveControls::request() const {
    CurveRequest request{axis(), {}};
    request.axes << axis_argument(request.axis, axis_values(from_->value(), to_->value(), count_->value(),
                                                            logX_->isChecked(), request.axis.whole));
    const Split& split = splits()[static_cast<std::size_t>(split_->currentIndex())];
    if (split.kind != SplitKind::none) {
        const QString text = values_->text().trimmed();
        if (text.isEmpty()) {
            throw std::invalid_argument(
                tr("a curve for each %1: found no values; expected one or more, with commas between them")
                    .arg(split_->currentText())
                    .toStdString());
        }
        request.axes << (split.kind == SplitKind::axis ? text : split.key + "=" + listed(text).join(','));
    }
    return request;
}

void CurveControls::setRunning(bool running) { run_->setText(running ? tr("Ca&ncel") : tr("&Run")); }

} // namespace chokepoint::gui
