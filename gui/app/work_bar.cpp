// SPDX-License-Identifier: GPL-3.0-or-later
#include "work_bar.hpp"

#include "runner.hpp"
#include "theme.hpp"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QToolButton>

namespace chokepoint::gui {

WorkBar::WorkBar(QWidget* parent)
    : QWidget(parent),
      label_(new FaultLabel(this)),
      progress_(new QProgressBar(this)),
      cancel_(new QToolButton(this)) {
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(label_, 1);
    layout->addWidget(progress_);
    layout->addWidget(cancel_);
    layout->addStretch(0); // without a message the bar stands on the left
    label_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    label_->setWordWrap(true);
    label_->setAccessibleName(tr("Message"));
    progress_->setRange(0, 1000);
    progress_->setFixedWidth(260);
    progress_->setAccessibleName(tr("Progress"));
    cancel_->setText(tr("Cancel"));
    cancel_->setAccessibleName(tr("Cancel the computation"));
    connect(cancel_, &QToolButton::clicked, this, &WorkBar::cancelled);
    clear();
}

void WorkBar::watch(Runner& runner) {
    connect(&runner, &Runner::started, this, [this] {
        setMessage({});
        setProgress(tr("starting"), 0.0);
    });
    connect(&runner, &Runner::progressed, this, &WorkBar::setProgress);
    connect(&runner, &Runner::failed, this, [this](const QString& message) { setMessage(message); });
    connect(&runner, &Runner::ended, this, &WorkBar::endProgress);
    connect(this, &WorkBar::cancelled, &runner, &Runner::cancel);
}

void WorkBar::setProgress(const QString& phase, double share) {
    constexpr double kPermille = 1000.0;
    progress_->setValue(static_cast<int>(kPermille * share));
    progress_->setFormat(QString("%1 %p%").arg(phase));
    progress_->show();
    cancel_->show();
    show();
}

void WorkBar::setMessage(const QString& message) {
    message_ = message;
    label_->setText(message);
    label_->setVisible(!message.isEmpty());
    setVisible(!message.isEmpty() || progress_->isVisibleTo(this));
}

void WorkBar::endProgress() {
    progress_->hide();
    cancel_->hide();
    setVisible(!message_.isEmpty());
}

void WorkBar::clear() {
    endProgress();
    setMessage({});
}

} // namespace chokepoint::gui
