// SPDX-License-Identifier: GPL-3.0-or-later
// What a cap on a part costs: the open scenario's run on the part as it is, and as capped. Caps that the
// scenario itself puts on its part count on neither side.
#pragma once

#include "contract.hpp"
#include "runner.hpp"

#include <QStringList>
#include <QWidget>

namespace chokepoint::gui {

class Document;
class HeadlineCard;

class CapPanel : public QWidget {
    Q_OBJECT

public:
    explicit CapPanel(Document&, QWidget* parent = nullptr);

    /// `caps` as scenarios have them: "nvlink=400 GB/s". Without any there is one run.
    void weigh(const QString& part, const QStringList& caps);
    [[nodiscard]] bool busy() const { return whole_.running() || capped_.running(); }

private:
    [[nodiscard]] Invocation invocation(const QString& part, const QStringList& caps) const;
    void connectCard(Runner&, HeadlineCard&, std::optional<RunResult>&);
    void refresh();
    [[nodiscard]] QString wholeTitle() const;
    [[nodiscard]] QString cappedTitle() const;

    Document& document_;
    Runner whole_, capped_;
    HeadlineCard* wholeCard_;
    HeadlineCard* cappedCard_;
    std::optional<RunResult> wholeRun_, cappedRun_;
    QString part_, weighed_; ///< weighed_: the part and text that wholeRun_ is of
    QStringList caps_;
};

} // namespace chokepoint::gui
