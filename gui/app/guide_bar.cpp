// SPDX-License-Identifier: GPL-3.0-or-later
#include "guide_bar.hpp"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

#include <array>

namespace chokepoint::gui {

namespace {

struct Step {
    const char* page;
    const char* words;
};
constexpr std::array<Step, 6> kSteps{{
    {"compare",
     QT_TRANSLATE_NOOP("GuideBar",
                       "DeepSeek-V3 was trained on 2,048 H800 (A): H100 (B) with its NVLink cut. "
                       "Compare the two steps and their intervals; the last chart says which resource "
                       "the difference comes from.")},
    {"curves",
     QT_TRANSLATE_NOOP("GuideBar",
                       "How much lower could the cap have gone before it cost anything? Press Run for "
                       "the step against the NVLink cap, then move the slider and watch the card.")},
    {"timeline",
     QT_TRANSLATE_NOOP("GuideBar",
                       "Why so much is hidden: traffic between experts (orange) runs beside "
                       "computation. Zoom with W and S, move with A and D; what keeps its colour is "
                       "the critical path.")},
    {"rules",
     QT_TRANSLATE_NOOP("GuideBar",
                       "What the rules say of each part on a day, and where a part would be admitted: "
                       "drag the ring to cap it, and see the rulings and what the training would cost.")},
    {"validate",
     QT_TRANSLATE_NOOP("GuideBar", "Why believe it: published runs, predicted against measured. It takes a "
                                   "minute or two; choose a run for its source and what had to be assumed.")},
    {"scenario",
     QT_TRANSLATE_NOOP("GuideBar",
                       "Your turn: change a value in the form or in the text, such as the schedule or "
                       "caps.nic, and go back to Compare. Nothing is saved unless you ask for it.")},
}};

} // namespace

GuideBar::GuideBar(QWidget* parent)
    : Card(parent),
      count_(new QLabel(this)),
      words_(new QLabel(this)),
      back_(new QPushButton(tr("Bac&k"), this)),
      next_(new QPushButton(tr("&Next"), this)),
      end_(new QPushButton(tr("&End the guide"), this)) {
    setAccessibleName(tr("Guided example"));
    auto* layout = new QHBoxLayout(this);
    layout->addWidget(count_);
    layout->addWidget(words_, 1);
    for (QPushButton* button : {back_, next_, end_}) {
        layout->addWidget(button);
    }
    set_bold(*count_);
    words_->setWordWrap(true);
    connect(back_, &QPushButton::clicked, this, [this] { go(step_ - 1); });
    connect(next_, &QPushButton::clicked, this, [this] { go(step_ + 1); });
    connect(end_, &QPushButton::clicked, this, &QWidget::hide);
    hide();
}

int GuideBar::steps() { return static_cast<int>(kSteps.size()); }

void GuideBar::begin() {
    show();
    go(0);
}

void GuideBar::go(int step) {
    if (step >= steps()) {
        hide();
        return;
    }
    step_ = step;
    const Step& now = kSteps[static_cast<std::size_t>(step)];
    count_->setText(tr("%1 of %2").arg(step + 1).arg(steps()));
    words_->setText(tr(now.words));
    back_->setEnabled(step > 0);
    next_->setText(step + 1 < steps() ? tr("&Next") : tr("Do&ne"));
    next_->setFocus();
    emit pageAsked(now.page);
}

} // namespace chokepoint::gui
