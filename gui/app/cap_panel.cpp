// SPDX-License-Identifier: GPL-3.0-or-later
#include "cap_panel.hpp"

#include "document.hpp"
#include "headline_card.hpp"
#include "text.hpp"
#include "toml_edit.hpp"

#include <QHBoxLayout>

#include <array>

namespace chokepoint::gui {

namespace {

// That of the NIC is none of the part's.
constexpr std::array kPartCaps{"cluster.caps.nvlink", "cluster.caps.tpp", "cluster.caps.memory_bandwidth",
                               "cluster.caps.fp64"};

/// A scenario on the part as it is.
std::string without_part_caps(std::string text) {
    for (const char* cap : kPartCaps) {
        if (auto without = remove_toml(text, cap)) {
            text = std::move(*without);
        }
    }
    return text;
}

} // namespace

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
            run = parse_run(json, document_.name());
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
    Invocation call = document_.invocation("run", options);
    call.input = QByteArray::fromStdString(without_part_caps(call.input.toStdString()));
    return call;
}

QString CapPanel::wholeTitle() const { return tr("%1 as it is").arg(part_); }

QString CapPanel::cappedTitle() const {
    QString caps = caps_.join(", ");
    return part_ + ", " + caps.replace("=", " ").replace(" GB/s", QChar::Nbsp + QString("GB/s"));
}

void CapPanel::weigh(const QString& part, const QStringList& caps) {
    part_ = part;
    caps_ = caps;
    wholeCard_->setTitle(wholeTitle());
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
        cappedCard_->setTitle(cappedTitle());
        capped_.start(invocation(part, caps));
    }
}

void CapPanel::refresh() {
    if (wholeRun_) {
        wholeCard_->setEnabled(true);
        wholeCard_->show(*wholeRun_, nullptr);
        wholeCard_->setTitle(wholeTitle());
        if (const std::string text = document_.text().toStdString(); without_part_caps(text) != text) {
            wholeCard_->setMessage(tr("%1 × %2, without the scenario's caps on it")
                                       .arg(whole_text(wholeRun_->gpus), wholeRun_->gpu));
        }
    }
    if (cappedRun_) {
        cappedCard_->setEnabled(true);
        cappedCard_->show(*cappedRun_, wholeRun_ ? &*wholeRun_ : nullptr);
        cappedCard_->setTitle(cappedTitle());
    }
}

} // namespace chokepoint::gui
