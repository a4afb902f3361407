// SPDX-License-Identifier: GPL-3.0-or-later
#include "card_strip.hpp"

#include <QEvent>
#include <QHBoxLayout>
#include <QScrollBar>

#include <algorithm>

namespace chokepoint::gui {

CardStrip::CardStrip(QWidget* parent, int least)
    : QScrollArea(parent),
      cards_(new QHBoxLayout),
      least_(least) {
    auto* strip = new QWidget(this);
    strip->setLayout(cards_);
    cards_->setContentsMargins(0, 0, 0, 0);
    setWidget(strip);
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::NoFocus); // it follows the keys of its cards
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    fit();
}

void CardStrip::add(QWidget* card) { cards_->addWidget(card, 1); }

void CardStrip::fit() {
    constexpr int kEasy = 250; // pixels: of a card whose words break seldom
    const int narrowest = cards_->minimumSize().width();
    const bool scrolled = narrowest > viewport()->width();
    // Where there is something to scroll, width is cheaper than height.
    widget()->setMinimumWidth(scrolled ? std::max(narrowest, kEasy * cards_->count()) : 0);
    const int width = std::max(viewport()->width(), widget()->minimumWidth());
    const int cards =
        cards_->hasHeightForWidth() ? cards_->totalHeightForWidth(width) : cards_->totalSizeHint().height();
    setFixedHeight(std::max(cards, least_) + (scrolled ? horizontalScrollBar()->sizeHint().height() : 0));
}

void CardStrip::resizeEvent(QResizeEvent* event) {
    QScrollArea::resizeEvent(event);
    fit();
}

bool CardStrip::eventFilter(QObject* object, QEvent* event) {
    const bool done = QScrollArea::eventFilter(object, event);
    if (event->type() == QEvent::LayoutRequest) {
        fit();
    }
    return done;
}

} // namespace chokepoint::gui
