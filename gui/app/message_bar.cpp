// SPDX-License-Identifier: GPL-3.0-or-later
#include "message_bar.hpp"

#include "theme.hpp"

#include <QHBoxLayout>
#include <QToolButton>

namespace chokepoint::gui {

MessageBar::MessageBar(QWidget* parent) : QWidget(parent), label_(new FaultLabel(this)) {
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(10, 4, 6, 4);
    label_->setWordWrap(true);
    label_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    label_->setAccessibleName(tr("Message about a file"));
    layout->addWidget(label_, 1);
    auto* close = new QToolButton(this);
    close->setText("×");
    close->setAutoRaise(true);
    close->setFocusPolicy(Qt::StrongFocus);
    close->setToolTip(tr("Hide the message"));
    close->setAccessibleName(tr("Hide the message"));
    connect(close, &QToolButton::clicked, this, &MessageBar::clear);
    layout->addWidget(close, 0, Qt::AlignTop);
    hide();
}

void MessageBar::tell(const QString& message) {
    label_->setText(message);
    show();
}

MessageBar* MessageBar::of_window(const QWidget& widget) { return widget.window()->findChild<MessageBar*>(); }

void MessageBar::clear() {
    label_->clear();
    hide();
}

QString MessageBar::message() const { return label_->text(); }

} // namespace chokepoint::gui
