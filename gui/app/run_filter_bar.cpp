// SPDX-License-Identifier: GPL-3.0-or-later
#include "run_filter_bar.hpp"

#include "flow_layout.hpp"

#include <QAbstractItemView>
#include <QComboBox>
#include <QCoreApplication>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalBlocker>

#include <algorithm>

namespace chokepoint::gui {

namespace {

/// What a filter's field is compared with.
const QString& member_of(const ValidatedRun& run, QString RunFilter::* field) {
    return field == &RunFilter::gpu        ? run.gpu
           : field == &RunFilter::kind     ? run.kind
           : field == &RunFilter::software ? run.software
           : field == &RunFilter::scale    ? run.scale
                                           : run.precision;
}

struct Member {
    QString name;
    int rows = 0;
    double gpus = 0.0; ///< the fewest
};

std::vector<Member> members(const std::vector<ValidatedRun>& runs, QString RunFilter::* field) {
    std::vector<Member> list;
    for (const ValidatedRun& run : runs) {
        const QString& name = member_of(run, field);
        if (name.isEmpty()) {
            continue;
        }
        auto found = std::ranges::find(list, name, &Member::name);
        if (found == list.end()) {
            found = list.insert(found, {name, 0, run.gpus});
        }
        ++found->rows;
        found->gpus = std::min(found->gpus, run.gpus);
    }
    if (field == &RunFilter::scale) {
        std::ranges::sort(list, {}, &Member::gpus);
    } else {
        std::ranges::sort(list, [](const Member& a, const Member& b) {
            return a.name.compare(b.name, Qt::CaseInsensitive) < 0;
        });
    }
    return list;
}

} // namespace

RunFilterBar::RunFilterBar(QWidget* parent)
    : QWidget(parent),
      words_(new QLineEdit(this)),
      choices_{},
      band_(nullptr),
      clear_(new QPushButton(tr("&Show all"), this)) {
    auto* layout = new FlowLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    words_->setPlaceholderText(tr("Filter by words of name, model, source…"));
    words_->setClearButtonEnabled(true);
    words_->setAccessibleName(tr("Filter runs"));
    layout->addWidget(words_);
    choices_ = {Choice{&RunFilter::gpu, addBox(*layout, tr("Part"), tr("every part"))},
                Choice{&RunFilter::kind, addBox(*layout, tr("Kind of model"), tr("dense and MoE"))},
                Choice{&RunFilter::software, addBox(*layout, tr("Software"), tr("all software"))},
                Choice{&RunFilter::scale, addBox(*layout, tr("Scale"), tr("any scale"))},
                Choice{&RunFilter::precision, addBox(*layout, tr("Number format"), tr("any format"))}};
    band_ = addBox(*layout, tr("Error"), {});
    band_->clear();
    for (const ErrorBand& band : error_bands()) {
        band_->addItem(QCoreApplication::translate("RunFilter", band.name));
    }
    band_->setToolTip(tr("How far the prediction is off, or whether its interval holds what was measured"));
    layout->addWidget(clear_);
    clear_->setToolTip(tr("Take every filter away"));
    connect(words_, &QLineEdit::textChanged, this, &RunFilterBar::changed);
    connect(clear_, &QPushButton::clicked, this, &RunFilterBar::clear);
    connect(this, &RunFilterBar::changed, this, [this] { clear_->setEnabled(filter() != RunFilter()); });
    clear_->setEnabled(false);
}

QComboBox* RunFilterBar::addBox(FlowLayout& layout, const QString& name, const QString& any) {
    auto* box = new QComboBox(this);
    box->setAccessibleName(name);
    box->setToolTip(name);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    constexpr int kLetters = 9;
    box->setMinimumContentsLength(kLetters);
    box->addItem(any, QString());
    box->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    layout.addWidget(box);
    connect(box, &QComboBox::currentIndexChanged, this, &RunFilterBar::changed);
    return box;
}

void RunFilterBar::setRuns(const std::vector<ValidatedRun>& runs) {
    const RunFilter before = filter();
    for (const Choice& choice : choices_) {
        const QSignalBlocker quiet(choice.box);
        while (choice.box->count() > 1) {
            choice.box->removeItem(1);
        }
        for (const Member& member : members(runs, choice.field)) {
            choice.box->addItem(tr("%1 (%2)").arg(member.name).arg(member.rows), member.name);
        }
        choice.box->setCurrentIndex(std::max(0, choice.box->findData(before.*choice.field)));
        choice.box->view()->setMinimumWidth(choice.box->view()->sizeHintForColumn(0) + 24);
    }
    emit changed();
}

RunFilter RunFilterBar::filter() const {
    RunFilter filter;
    filter.words = words_->text();
    for (const Choice& choice : choices_) {
        filter.*choice.field = choice.box->currentData().toString();
    }
    filter.band = static_cast<std::size_t>(std::max(0, band_->currentIndex()));
    return filter;
}

void RunFilterBar::clear() {
    words_->clear();
    for (const Choice& choice : choices_) {
        choice.box->setCurrentIndex(0);
    }
    band_->setCurrentIndex(0);
}

} // namespace chokepoint::gui
