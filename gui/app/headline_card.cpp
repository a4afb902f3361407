// SPDX-License-Identifier: GPL-3.0-or-later
#include "headline_card.hpp"

#include "text.hpp"

#include <QDialog>
#include <QDialogButtonBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

namespace chokepoint::gui {

namespace {

// Pixels, of type.
constexpr int kBadge = 16;
constexpr int kFigure = 17;
constexpr int kSmall = 11;
constexpr int kAfterBadge = 4;

QString against(double value, double basis) {
    return basis > 0.0 ? QString("%1%2% against A")
                             .arg(value >= basis ? "+" : "")
                             .arg(100.0 * (value / basis - 1.0), 0, 'f', 1)
                       : QString();
}

QString joined(const QString& interval, const QString& difference) {
    return interval + (interval.isEmpty() || difference.isEmpty() ? "" : "; ") + difference;
}

QString detail_of(const Figure& figure, Unit unit, const std::optional<Figure>& basis) {
    return joined(interval_text(figure, unit), basis ? against(figure.value, basis->value) : QString());
}

} // namespace

QString letter_of(int number) { return QString(QChar('A' + number)); }

HeadlineCard::HeadlineCard(int letter, QWidget* parent)
    : Card(parent),
      title_(new QLabel(this)),
      subtitle_(new QLabel(this)),
      remove_(new QToolButton(this)),
      remarksButton_(new QPushButton(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setSpacing(2);
    auto* head = new QHBoxLayout;
    if (letter >= 0) {
        auto* badge = new QLabel(letter_of(letter), this);
        set_type(*badge, kBadge, true);
        head->addWidget(badge, 0, Qt::AlignTop);
        head->addSpacing(kAfterBadge);
    }
    set_bold(*title_);
    title_->setWordWrap(true);
    head->addWidget(title_, 1);
    remove_->setText("×");
    remove_->setAutoRaise(true);
    remove_->setToolTip(tr("Remove from the comparison"));
    remove_->setAccessibleName(tr("Remove from the comparison"));
    QSizePolicy keeps_place = remove_->sizePolicy(); // so that the titles of all cards are level
    keeps_place.setRetainSizeWhenHidden(true);
    remove_->setSizePolicy(keeps_place);
    remove_->setVisible(false);
    connect(remove_, &QToolButton::clicked, this, &HeadlineCard::removed);
    head->addWidget(remove_, 0, Qt::AlignTop);
    layout->addLayout(head);
    set_type(*subtitle_, kSmall);
    subtitle_->setWordWrap(true);
    layout->addWidget(subtitle_);
    step_ = addLine(tr("Step"));
    hours_ = addLine(tr("GPU-hours"));
    cost_ = addLine(tr("Cost"));
    rate_ = addLine(tr("Utilisation"));
    set_type(*remarksButton_, kSmall);
    remarksButton_->setFlat(true);
    remarksButton_->setObjectName("remarks");
    remarksButton_->setText(tr("Remarks…"));
    remarksButton_->hide();
    connect(remarksButton_, &QPushButton::clicked, this, &HeadlineCard::showRemarks);
    layout->addWidget(remarksButton_, 0, Qt::AlignLeft);
    layout->addStretch(1);
}

HeadlineCard::Line HeadlineCard::addLine(const QString& name) {
    auto* row = new QHBoxLayout;
    auto* caption = new QLabel(name, this);
    caption->setFixedWidth(76);
    auto* value = new QLabel(this);
    set_type(*value, kFigure);
    value->setTextInteractionFlags(Qt::TextSelectableByMouse);
    value->setAccessibleName(name);
    auto* detail = new QLabel(this);
    set_type(*detail, kSmall);
    detail->setWordWrap(true);
    detail->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* stack = new QVBoxLayout;
    stack->setSpacing(0);
    stack->addWidget(value);
    stack->addWidget(detail);
    row->addWidget(caption, 0, Qt::AlignTop);
    row->addLayout(stack, 1);
    static_cast<QVBoxLayout*>(layout())->addLayout(row);
    return {value, detail};
}

void HeadlineCard::fill(const Line& line, const QString& value, const QString& detail) {
    line.value->setText(value);
    line.detail->setText(detail);
    line.detail->setVisible(!detail.isEmpty());
}

void HeadlineCard::setTitle(const QString& title) { title_->setText(title); }

void HeadlineCard::setMessage(const QString& message) {
    subtitle_->setText(message);
    subtitle_->setVisible(!message.isEmpty());
}

void HeadlineCard::showRefusal(const QString& why) {
    for (const Line& line : {step_, hours_, cost_, rate_}) {
        fill(line, {}, {});
    }
    tellRemarks({});
    setMessage(why);
}

void HeadlineCard::setRemovable(bool removable) { remove_->setVisible(removable); }

void HeadlineCard::show(const RunResult& run, const RunResult* basis) {
    setTitle(run.title);
    setMessage(tr("%1 × %2").arg(whole_text(run.gpus), run.gpu));
    fill(step_, seconds_text(run.step_seconds.value),
         detail_of(run.step_seconds, Unit::seconds,
                   basis != nullptr ? std::optional(basis->step_seconds) : std::nullopt));
    const auto fill_optional = [&](const Line& line, const std::optional<Figure>& figure,
                                   std::optional<Figure> of, Unit unit) {
        fill(line,
             figure          ? figure_text(figure->value, unit)
             : run.gpu_hours ? tr("no price")
                             : tr("no campaign"),
             figure ? detail_of(*figure, unit, of) : QString());
    };
    fill_optional(hours_, run.gpu_hours, basis != nullptr ? basis->gpu_hours : std::nullopt, Unit::gpu_hours);
    fill_optional(cost_, run.usd, basis != nullptr ? basis->usd : std::nullopt, Unit::usd);
    fill(rate_, percent_text(run.mfu),
         tr("%1 tokens/s per GPU").arg(whole_text(run.tokens_per_second_per_gpu)));
    tellRemarks(run.warnings);
}

void HeadlineCard::tellRemarks(const QStringList& remarks) {
    remarks_ = remarks;
    remarksButton_->setText(remarks.size() == 1 ? tr("1 remark…") : tr("%1 remarks…").arg(remarks.size()));
    remarksButton_->setVisible(!remarks.isEmpty());
    QStringList lines;
    for (const QString& remark : remarks) {
        lines << "<p>" + remark.toHtmlEscaped() + "</p>";
    }
    remarksButton_->setToolTip(lines.join(QString()));
}

void HeadlineCard::showRemarks() {
    auto* dialog = new QDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Remarks on %1").arg(title_->text()));
    auto* layout = new QVBoxLayout(dialog);
    auto* list = new QListWidget(dialog);
    list->setAccessibleName(dialog->windowTitle());
    list->setWordWrap(true);
    list->setAlternatingRowColors(true);
    list->addItems(remarks_);
    list->setCurrentRow(0);
    layout->addWidget(list);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, dialog);
    connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::reject);
    layout->addWidget(buttons);
    constexpr QSize kUsual{640, 360};
    dialog->resize(kUsual);
    dialog->open();
}

QWidget* HeadlineCard::placeInTabOrder(QWidget* before) {
    setTabOrder(before, remove_);
    setTabOrder(remove_, remarksButton_);
    return remarksButton_;
}

} // namespace chokepoint::gui
