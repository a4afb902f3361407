// SPDX-License-Identifier: GPL-3.0-or-later
#include "curves_page.hpp"

#include "chart_panel.hpp"
#include "document.hpp"
#include "headline_card.hpp"
#include "point_sweep.hpp"
#include "work_bar.hpp"

#include <QCheckBox>
#include <QComboBox>
#include <QCoreApplication>
#include <QDoubleSpinBox>
#include <QFileInfo>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QPushButton>
#include <QSaveFile>
#include <QSlider>
#include <QThread>
#include <QVBoxLayout>

namespace chokepoint::gui {

namespace {

constexpr int kUsualPoints = 19;

QSlider* horizontal_slider(QWidget* parent) {
    auto* slider = new QSlider(Qt::Horizontal, parent);
    slider->setAccessibleName(QObject::tr("Place on the axis"));
    return slider;
}

} // namespace

CurvesPage::CurvesPage(Document& document, QWidget* parent)
    : Page(parent),
      document_(document),
      sweep_(std::make_unique<PointSweep>(std::max(1, QThread::idealThreadCount()))),
      rules_(std::make_unique<Runner>()),
      parts_(std::make_unique<Runner>()),
      axis_(new QComboBox(this)),
      metric_(new QComboBox(this)),
      part_(new QComboBox(this)),
      from_(new QDoubleSpinBox(this)),
      to_(new QDoubleSpinBox(this)),
      count_(new QSpinBox(this)),
      logX_(new QCheckBox(tr("log &x"), this)),
      logY_(new QCheckBox(tr("log &y"), this)),
      run_(new QPushButton(tr("&Run"), this)),
      panel_(new ChartPanel(this)),
      slider_(horizontal_slider(this)),
      pointed_(new QLabel(this)),
      cards_(new QHBoxLayout),
      work_(new WorkBar(this)) {
    auto* layout = new QVBoxLayout(this);
    auto* controls = new QHBoxLayout;
    makeControls(*controls);
    layout->addLayout(controls);
    layout->addWidget(work_);
    layout->addWidget(panel_, 1);
    auto* place = new QHBoxLayout;
    place->addWidget(pointed_);
    place->addWidget(slider_, 1);
    layout->addLayout(place);
    layout->addLayout(cards_);
    slider_->setEnabled(false);
    pointed_->setMinimumWidth(150);

    connect(sweep_.get(), &PointSweep::computed, this,
            [this](int series, int value, const RunResult& result) {
                const double x = sweep_->plan().values[static_cast<std::size_t>(value)];
                curves_[static_cast<std::size_t>(series)].insert_or_assign(x, result);
                panel_->setEnabled(true);
                refresh();
            });
    connect(sweep_.get(), &PointSweep::refused, this, [this](int series, int value, const QString& message) {
        const SweepPlan& plan = sweep_->plan();
        refusals_ << tr("%1 at %2%3: %4")
                         .arg(plan.series[static_cast<std::size_t>(series)].name)
                         .arg(plan.values[static_cast<std::size_t>(value)])
                         .arg(plan.unit, message.section('\n', 0, 0));
        work_->setMessage(refusals_.size() > 1
                              ? tr("%1 (and %2 more)").arg(refusals_.first()).arg(refusals_.size() - 1)
                              : refusals_.first());
    });
    connect(sweep_.get(), &PointSweep::progressed, this,
            [this](double share) { work_->setProgress(tr("points"), share); });
    connect(sweep_.get(), &PointSweep::ended, this, [this] {
        const QString message = work_->message();
        work_->clear();
        work_->setMessage(message);
        run_->setText(tr("&Run"));
        refresh();
    });
    connect(work_, &WorkBar::cancelled, sweep_.get(), &PointSweep::cancel);
    connect(rules_.get(), &Runner::finished, this, [this](const QByteArray& json) {
        try {
            rulesAnswer_ = parse_answer(json, "chokepoint/rules/1");
        } catch (const ContractError& error) {
            work_->setMessage(QString::fromUtf8(error.what()));
        }
        refresh();
    });
    connect(parts_.get(), &Runner::finished, this, &CurvesPage::addPartsToMenu);
    connect(slider_, &QSlider::valueChanged, this, [this] {
        sliding_ = true;
        showPointed();
        refresh();
    });
    connect(panel_, &ChartPanel::clicked, this, [this](double x, double) {
        int nearest = 0, at = 0;
        double distance = -1.0;
        if (!curves_.empty()) {
            for (const auto& [value, run] : curves_.front()) {
                if (distance < 0.0 || std::abs(value - x) < distance) {
                    distance = std::abs(value - x);
                    nearest = at;
                }
                ++at;
            }
            slider_->setValue(nearest);
        }
    });
    chooseAxis();
}

CurvesPage::~CurvesPage() { sweep_->disconnect(this); }

void CurvesPage::makeControls(QHBoxLayout& row) {
    const auto add = [&](const QString& name, QWidget* widget) {
        auto* label = new QLabel(name, this);
        label->setBuddy(widget);
        widget->setAccessibleName(QString(name).remove('&'));
        row.addWidget(label);
        row.addWidget(widget);
    };
    for (const CurveAxis& axis : curve_axes()) {
        axis_->addItem(axis.label);
    }
    for (const Metric& metric : metrics()) {
        metric_->addItem(metric.label);
    }
    for (QDoubleSpinBox* end : {from_, to_}) {
        end->setRange(0.0, 1e18);
        end->setDecimals(2);
        end->setStepType(QAbstractSpinBox::AdaptiveDecimalStepType);
        end->setButtonSymbols(QAbstractSpinBox::NoButtons);
        end->setMinimumWidth(76);
    }
    count_->setRange(2, 500);
    count_->setValue(kUsualPoints);
    part_->addItem(tr("none"));
    part_->setMinimumContentsLength(14);
    add(tr("A&xis"), axis_);
    add(tr("&from"), from_);
    add(tr("&to"), to_);
    add(tr("&points"), count_);
    add(tr("&beside it"), part_);
    add(tr("&shows"), metric_);
    row.addWidget(logX_);
    row.addWidget(logY_);
    row.addStretch(1);
    row.addWidget(run_);
    part_->setToolTip(tr("The same scenario on another part, as a second curve"));
    connect(axis_, &QComboBox::currentIndexChanged, this, &CurvesPage::chooseAxis);
    connect(metric_, &QComboBox::currentIndexChanged, this, &CurvesPage::refresh);
    connect(logX_, &QCheckBox::toggled, this, &CurvesPage::refresh);
    connect(logY_, &QCheckBox::toggled, this, &CurvesPage::refresh);
    connect(run_, &QPushButton::clicked, this, [this] { sweep_->running() ? sweep_->cancel() : run(); });
}

CurveAxis CurvesPage::axis() const { return curve_axes()[static_cast<std::size_t>(axis_->currentIndex())]; }

void CurvesPage::chooseAxis() {
    const CurveAxis chosen = axis();
    from_->setValue(chosen.from);
    to_->setValue(chosen.to);
    logX_->setChecked(chosen.logarithmic);
}

void CurvesPage::activate() {
    if (rulesAnswer_.isEmpty() && !rules_->running()) {
        rules_->start({{"rules", "--json", "-"}, {}, {}});
        parts_->start({{"list", "gpus", "--json", "-"}, {}, {}});
    }
    if (revision_ >= 0 && revision_ != document_.revision()) {
        panel_->setEnabled(false); // of another text: dimmed until it runs again
        work_->setMessage(tr("The scenario has changed since: run the curve again."));
    }
}

void CurvesPage::demonstrate() {
    activate();
    while (parts_->running()) {
        QCoreApplication::processEvents(QEventLoop::AllEvents, 20);
    }
    part_->setCurrentText("h20-sxm");
    if (document_.isOpen()) {
        run();
    }
}

void CurvesPage::addPartsToMenu(const QByteArray& json) {
    try {
        for (const QJsonValue& entry : parse_answer(json, "chokepoint/list/1").value("entries").toArray()) {
            part_->addItem(entry["id"].toString());
        }
    } catch (const ContractError&) {
        // No second curve, then.
    }
}

std::vector<CurveSeries> CurvesPage::chosenSeries() const {
    std::vector<CurveSeries> series{
        {document_.name().chopped(document_.name().endsWith(".toml") ? 5 : 0), {}}};
    if (part_->currentIndex() > 0) {
        series.push_back({tr("on %1").arg(part_->currentText()), {"cluster.gpu=" + part_->currentText()}});
    }
    return series;
}

void CurvesPage::run() {
    refusals_.clear();
    work_->clear();
    if (!document_.isOpen()) {
        work_->setMessage(tr("Open a scenario first."));
        return;
    }
    SweepPlan plan;
    try {
        plan.values = axis_values(from_->value(), to_->value(), count_->value(), logX_->isChecked());
    } catch (const std::invalid_argument& error) {
        work_->setMessage(QString::fromUtf8(error.what()));
        return;
    }
    swept_ = axis();
    plan.base = document_.invocation("run", {"--json", "-", "--progress", "none"});
    plan.key = swept_.key;
    plan.unit = swept_.unit;
    plan.series = chosenSeries();
    revision_ = document_.revision();
    names_.clear();
    for (const CurveSeries& series : plan.series) {
        names_.push_back(series.name);
    }
    curves_.assign(plan.series.size(), {});
    sliding_ = false;
    panel_->setEnabled(false); // the old curve until the first new point
    run_->setText(tr("&Cancel"));
    work_->setProgress(tr("points"), 0.0);
    sweep_->start(std::move(plan));
}

void CurvesPage::refresh() {
    if (curves_.empty() || curves_.front().empty()) {
        return;
    }
    CurveView view{.axis = swept_,
                   .metric = metrics()[static_cast<std::size_t>(metric_->currentIndex())],
                   .log_x = logX_->isChecked(),
                   .log_y = logY_->isChecked()};
    const double low = curves_.front().begin()->first;
    const double high = curves_.front().rbegin()->first;
    for (const Mark& mark : threshold_marks(rulesAnswer_, swept_)) {
        if (mark.at >= low && mark.at <= high * 1.001) {
            view.marks.push_back(mark);
        }
    }
    const auto points = static_cast<int>(curves_.front().size());
    {
        const QSignalBlocker quiet(slider_);
        slider_->setRange(0, points - 1);
        slider_->setEnabled(points > 0);
        if (!sliding_) {
            slider_->setValue(points - 1);
        }
    }
    if (sliding_) {
        view.pointed = std::next(curves_.front().begin(), std::min(slider_->value(), points - 1))->first;
    }
    panel_->setChart(curve_chart(view, names_, curves_));
    showPointed();
}

void CurvesPage::showPointed() {
    if (curves_.empty() || curves_.front().empty()) {
        return;
    }
    while (headlines_.size() < curves_.size()) {
        headlines_.push_back(new HeadlineCard(static_cast<int>(headlines_.size()), this));
        cards_->addWidget(headlines_.back(), 1);
    }
    const auto last = static_cast<int>(curves_.front().size()) - 1;
    const double x = std::next(curves_.front().begin(), std::min(slider_->value(), last))->first;
    pointed_->setText(QString("%1%2").arg(x).arg(swept_.unit));
    const RunResult* basis = nullptr;
    for (std::size_t i = 0; i < headlines_.size(); ++i) {
        const bool known = i < curves_.size() && curves_[i].contains(x);
        headlines_[i]->setVisible(i < curves_.size());
        headlines_[i]->setEnabled(known);
        if (known) {
            headlines_[i]->show(curves_[i].at(x), basis);
            headlines_[i]->setTitle(names_[i]);
            basis = basis == nullptr ? &curves_[i].at(x) : basis;
        }
    }
}

bool CurvesPage::busy() const { return sweep_->running() || rules_->running() || parts_->running(); }
bool CurvesPage::empty() const { return curves_.empty() || curves_.front().empty(); }
QString CurvesPage::problem() const { return work_->message(); }

void CurvesPage::exportCsv(const QString& file) const { panel_->exportTo(file); }

} // namespace chokepoint::gui
