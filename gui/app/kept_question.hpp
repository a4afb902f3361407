// SPDX-License-Identifier: GPL-3.0-or-later
// A question to the command line whose answer is kept, and known to be of the program and the data as they
// are.
#pragma once

#include "answer_store.hpp"
#include "runner.hpp"

#include <QObject>

#include <functional>

namespace chokepoint::gui {

class KeptQuestion : public QObject {
    Q_OBJECT

public:
    /// `take` shows an answer; false if it cannot be read.
    using Take = std::function<bool(const QByteArray& json)>;
    KeptQuestion(const AnswerStore&, Take, QObject* parent = nullptr);
    ~KeptQuestion() override;

    /// Answers from the store, or starts the command line; does nothing while what was taken is current.
    void ask(const QStringList& arguments);
    /// Starts the command line whatever is known.
    void askAnew(const QStringList& arguments);
    /// What was taken last is of the program and the data as they were when asked last.
    [[nodiscard]] bool current() const { return taken_ && takenKey_ == key_; }
    /// When what was taken was computed, if that was in an earlier session.
    [[nodiscard]] const QDateTime& since() const { return since_; }
    [[nodiscard]] Runner& runner() { return runner_; }
    [[nodiscard]] const Runner& runner() const { return runner_; }

signals:
    /// Something new was taken.
    void answered();

private:
    const AnswerStore& store_;
    Take take_;
    Runner runner_;
    QStringList arguments_;
    QByteArray key_, takenKey_;
    bool taken_ = false;
    QDateTime since_;
};

} // namespace chokepoint::gui
