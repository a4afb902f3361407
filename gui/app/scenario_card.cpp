// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario_card.hpp"

#include "text.hpp"
#include "theme.hpp"

#include "charts/palette.hpp"

#include <QPainter>

namespace chokepoint::gui {

namespace {

constexpr int kGlance = 52; ///< pixels: a line of words above a bar

} // namespace

ScenarioCard::ScenarioCard(QString title, QString question, QString path, QWidget* parent)
    : QAbstractButton(parent),
      title_(std::move(title)),
      question_(std::move(question)),
      path_(std::move(path)) {
    setText(title_);
    setAccessibleName(title_);
    setAccessibleDescription(question_);
    setToolTip(path_);
    setCursor(Qt::PointingHandCursor);
    setMinimumSize(240, 170);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void ScenarioCard::show(const RunResult& run) {
    run_ = run;
    update();
}

void ScenarioCard::paintEvent(QPaintEvent*) {
    constexpr int kPadding = 14;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const bool chosen = underMouse() || hasFocus();
    painter.setPen(
        QPen(palette().color(chosen ? QPalette::Highlight : QPalette::Midlight), chosen ? 2.0 : 1.0));
    painter.setBrush(palette().color(QPalette::Base));
    painter.drawRoundedRect(rect().adjusted(1, 1, -2, -2), 7, 7);

    QRect inside = rect().adjusted(kPadding, kPadding, -kPadding, -kPadding);
    painter.setPen(palette().color(QPalette::WindowText));
    QFont bold = font();
    bold.setBold(true);
    bold.setPointSizeF(font().pointSizeF() * 1.1);
    painter.setFont(bold);
    QRect used;
    painter.drawText(inside, Qt::TextWordWrap | Qt::AlignTop, title_, &used);
    inside.setTop(used.bottom() + 6);
    painter.setFont(font());
    painter.drawText(inside, Qt::TextWordWrap | Qt::AlignTop, question_);
    if (run_) {
        paintGlance(painter,
                    QRect(inside.left(), rect().bottom() - kPadding - kGlance, inside.width(), kGlance));
    }
}

void ScenarioCard::paintGlance(QPainter& painter, const QRect& area) const {
    constexpr int kBar = 24;
    constexpr double kReadable = 54.0;
    constexpr int kDark = 125;
    QString line = tr("step %1 on %2 × %3")
                       .arg(seconds_text(run_->step_seconds.value), whole_text(run_->gpus), run_->gpu);
    if (run_->usd) {
        line += tr(", %1").arg(usd_text(run_->usd->value));
    }
    painter.drawText(area, Qt::AlignLeft | Qt::AlignTop, line);
    double left = area.left();
    for (std::size_t i = 0; i < run_->phases.size(); ++i) {
        const double share = run_->phases[i].value / run_->step_seconds.value;
        const double width = area.width() * share;
        const QRectF part(left, area.bottom() - kBar, width, kBar);
        const QColor color = series_color(i, is_dark(*this));
        painter.fillRect(part, color);
        if (width >= kReadable) {
            const QString words = QString("%1% %2").arg(qRound(100.0 * share)).arg(run_->phases[i].name);
            painter.setPen(qGray(color.rgb()) < kDark ? Qt::white : Qt::black);
            painter.drawText(part.adjusted(4, 0, -2, 0), Qt::AlignLeft | Qt::AlignVCenter,
                             painter.fontMetrics().elidedText(words, Qt::ElideRight, int(width) - 6));
        }
        left += width;
    }
}

} // namespace chokepoint::gui
