// SPDX-License-Identifier: GPL-3.0-or-later
#include "difference_panel.hpp"

#include "chart_panel.hpp"
#include "work_bar.hpp"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

namespace chokepoint::gui {

DifferencePanel::DifferencePanel(QWidget* parent)
    : QWidget(parent),
      measure_(new QComboBox(this)),
      panel_(new ChartPanel(this)),
      work_(new WorkBar(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    auto* top = new QHBoxLayout;
    auto* label = new QLabel(tr("&Difference in"), this);
    label->setBuddy(measure_);
    measure_->setAccessibleName(tr("What the difference is taken in"));
    for (const auto& [words, measure] :
         {std::pair(tr("step time"), "step_seconds"), std::pair(tr("GPU-hours of the campaign"), "gpu_hours"),
          std::pair(tr("days of the campaign"), "days"), std::pair(tr("dollars of the campaign"), "usd")}) {
        measure_->addItem(words, measure);
    }
    top->addWidget(label);
    top->addWidget(measure_);
    top->addStretch(1);
    layout->addLayout(top);
    layout->addWidget(work_);
    auto* scroll = new QScrollArea(this); // with many scenarios it is taller than its place
    scroll->setWidget(panel_);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus);
    layout->addWidget(scroll, 1);
    panel_->setHint(tr("What makes the difference between two scenarios stands here."));
    work_->watch(runner_);
    connect(measure_, &QComboBox::currentIndexChanged, this, &DifferencePanel::ask);
    connect(&runner_, &Runner::finished, this, [this](const QByteArray& json) {
        try {
            panel_->setChart(parse_chart(json.toStdString()));
            panel_->setEnabled(true);
        } catch (const ChartError& error) {
            work_->setMessage(QString::fromUtf8(error.what()));
        }
    });
    connect(&runner_, &Runner::ended, this, &DifferencePanel::ended);
}

void DifferencePanel::explain(const Invocation& comparison, int revision) {
    comparison_ = comparison;
    revision_ = revision;
    measure_->setEnabled(true);
    ask();
}

void DifferencePanel::ask() {
    if (comparison_.arguments.isEmpty()) {
        return;
    }
    Invocation call = comparison_;
    call.arguments << "--measure" << measure_->currentData().toString() << "--chart" << "-" << "--progress"
                   << "json";
    if (call.arguments == answered_ && revision_ == answeredRevision_) {
        if (!runner_.running()) {
            panel_->setEnabled(true);
        }
        return;
    }
    answered_ = call.arguments;
    answeredRevision_ = revision_;
    panel_->setEnabled(false);
    runner_.start(call);
}

void DifferencePanel::showAlone(Chart chart) {
    runner_.cancel();
    work_->clear();
    comparison_ = {};
    answered_.clear();
    measure_->setEnabled(false);
    panel_->setChart(std::move(chart));
    panel_->setEnabled(true);
}

void DifferencePanel::setStale(bool stale) { panel_->setEnabled(!stale && !runner_.running()); }

} // namespace chokepoint::gui
