// SPDX-License-Identifier: GPL-3.0-or-later
#include "cap_panel.hpp"

#include "document.hpp"
#include "headline_card.hpp"

#include <QHBoxLayout>

namespace chokepoint::gui {

CapPanel::CapPanel(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      wholeCard_(new HeadlineCard(0, this)),
      cappedCard_(new HeadlineCard(1, this)) {
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(wholeCard_, 1);
    layout->addWidget(cappedCard_, 1);
    connectCard(whole_, *wholeCard_, wholeRun_);
    connectCard(capped_, *cappedCard_, cappedRun_);
    cappedCard_->setTitle(tr("With a cap"));
    cappedCard_->setMessage(tr("Drag the ring on the left chart down or to the left."));
}

void CapPanel::connectCard(Runner& runner, HeadlineCard& card, std::optional<RunResult>& run) {
    connect(&runner, &Runner::finished, this, [this, &card, &run](const QByteArray& json) {
        try {
            run = parse_run(json);
            refresh();
        } catch (const ContractError& error) {
            card.setMessage(QString::fromUtf8(error.what()));
        }
    });
    connect(&runner, &Runner::failed, this, [&card, &run](const QString& message) {
        run.reset();
        card.setMessage(message.section('\n', 0, 0));
    });
}

Invocation CapPanel::invocation(const QString& part, const QStringList& caps) const {
    QStringList options{"--json", "-", "--progress", "none", "--set", "cluster.gpu=" + part};
    for (const QString& cap : caps) {
        options << "--set" << "cluster.caps." + cap;
    }
    return document_.invocation("run", options);
}

void CapPanel::weigh(const QString& part, const QStringList& caps) {
    part_ = part;
    caps_ = caps;
    wholeCard_->setTitle(part);
    if (!document_.isOpen()) {
        wholeCard_->setMessage(tr("Open a scenario to see what a cap costs."));
        return;
    }
    const QString asked = part + "\n" + QString::number(document_.revision());
    if (asked != weighed_) {
        weighed_ = asked;
        wholeCard_->setEnabled(false);
        wholeRun_.reset();
        whole_.start(invocation(part, {}));
    }
    cappedRun_.reset();
    cappedCard_->setEnabled(false);
    if (caps.isEmpty()) {
        capped_.cancel();
    } else {
        cappedCard_->setTitle(part + ", " + caps.join(", "));
        capped_.start(invocation(part, caps));
    }
}

void CapPanel::refresh() {
    if (wholeRun_) {
        wholeCard_->setEnabled(true);
        wholeCard_->show(*wholeRun_, nullptr);
        wholeCard_->setTitle(part_);
    }
    if (cappedRun_) {
        cappedCard_->setEnabled(true);
        cappedCard_->show(*cappedRun_, wholeRun_ ? &*wholeRun_ : nullptr);
        cappedCard_->setTitle(part_ + ", " + caps_.join(", "));
    }
}

} // namespace chokepoint::gui
