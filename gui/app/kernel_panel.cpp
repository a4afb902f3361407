// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernel_panel.hpp"

#include "chart_panel.hpp"
#include "contract.hpp"
#include "work_bar.hpp"

#include <chokepoint/hwmodels/catalog.hpp>

#include <QComboBox>
#include <QDir>
#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

#include <algorithm>

namespace chokepoint::gui {

namespace {

QStringList question() {
    const QDir folder(QString::fromStdString((hw::data_directory() / "measurements/published").string()));
    QStringList arguments{"calibrate", "--holdout", "--points", "--json", "-"};
    for (const QFileInfo& file : folder.entryInfoList({"*.json"}, QDir::Files, QDir::Name)) {
        arguments << file.filePath();
    }
    return arguments;
}

} // namespace

KernelPanel::KernelPanel(const AnswerStore& store, QWidget* parent)
    : QWidget(parent),
      question_(store, [this](const QByteArray& json) { return take(json); }),
      which_(new QComboBox(this)),
      roofline_(new ChartPanel(this)),
      residuals_(new ChartPanel(this)),
      work_(new WorkBar(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    auto* top = new QHBoxLayout;
    auto* label = new QLabel(tr("&Kernel"), this);
    label->setBuddy(which_);
    which_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    which_->setAccessibleName(tr("Part, kernel and number format"));
    top->addWidget(label);
    top->addWidget(which_);
    top->addStretch(1);
    layout->addLayout(top);
    layout->addWidget(work_);
    auto* charts = new QHBoxLayout;
    charts->addWidget(roofline_, 1);
    charts->addWidget(residuals_, 1);
    layout->addLayout(charts, 1);
    for (ChartPanel* chart : {roofline_, residuals_}) {
        chart->setHint(tr("The kernels are being fitted."));
    }
    work_->watch(question_.runner());
    const auto dim = [this] {
        for (ChartPanel* chart : {roofline_, residuals_}) {
            chart->setEnabled(empty() || question_.current());
        }
    };
    connect(&question_.runner(), &Runner::started, this, dim);
    connect(&question_.runner(), &Runner::ended, this, dim);
    connect(&question_, &KeptQuestion::answered, this, dim);
    connect(which_, &QComboBox::currentIndexChanged, this, &KernelPanel::refresh);
}

void KernelPanel::activate() { question_.ask(question()); }

void KernelPanel::recompute() { question_.askAnew(question()); }

bool KernelPanel::take(const QByteArray& json) {
    try {
        groups_ = kernel_groups(parse_answer(json, "chokepoint/calibrate/1"));
    } catch (const ContractError& error) {
        work_->setMessage(QString::fromUtf8(error.what()));
        return false;
    }
    which_->clear();
    for (const KernelGroup& group : groups_) {
        which_->addItem(group.label());
    }
    // The one with the most rows has the most to show.
    which_->setCurrentIndex(
        static_cast<int>(std::ranges::max_element(groups_, {}, &KernelGroup::rows) - groups_.begin()));
    return true;
}

void KernelPanel::refresh() {
    const int chosen = which_->currentIndex();
    if (chosen >= 0) {
        const KernelGroup& group = groups_[static_cast<std::size_t>(chosen)];
        roofline_->setChart(roofline_chart(group));
        residuals_->setChart(residual_chart(group));
    }
}

QString KernelPanel::problem() const { return work_->message(); }

} // namespace chokepoint::gui
