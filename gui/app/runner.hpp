// SPDX-License-Identifier: GPL-3.0-or-later
// Runs the command line as a child process: the program holds no model of its own, and its window never
// waits.
#pragma once

#include <QByteArray>
#include <QObject>
#include <QString>
#include <QStringList>

#include <functional>

class QJsonObject;
class QProcess;

namespace chokepoint::gui {

/// $CHOKEPOINT_CLI, or `chokepoint` beside this program, or the one that PATH finds.
QString cli_program();

/// One call of the command line. `input` goes to its standard input, which messages then call `name`;
/// relative paths start at `directory`.
struct Invocation {
    QStringList arguments;
    QByteArray input;
    QString directory;
    QString name{};
};

/// One child at a time: starting another, or cancel(), ends it, and nothing of it is heard of again.
class Runner : public QObject {
    Q_OBJECT

public:
    explicit Runner(QObject* parent = nullptr, QString program = cli_program());
    ~Runner() override;

    void start(const Invocation&);
    void cancel();
    [[nodiscard]] bool running() const { return process_ != nullptr; }
    /// Off: finished() carries nothing, for output that received() has used up.
    void setKeepsOutput(bool keeps) { keepsOutput_ = keeps; }
    /// What the last child wrote to stderr beside its progress: warnings.
    [[nodiscard]] const QString& messages() const { return messages_; }

signals:
    void started();
    /// share: 0 to 1
    void progressed(const QString& phase, double share);
    /// All that a line of progress says.
    void told(const QJsonObject& progress);
    /// A piece of standard output, as it arrives; finished() has all of it.
    void received(const QByteArray& piece);
    void finished(const QByteArray& output);
    /// The command line's own message, or why there is none. `output` is what it wrote all the same.
    void failed(const QString& message, const QByteArray& output);
    /// After any of finished, failed and cancel().
    void ended();

private:
    void readErrors();
    void readOutput();
    void end(int exitCode, bool crashed);
    void drop();

    QString program_;
    QProcess* process_ = nullptr;
    QByteArray output_, pendingErrors_;
    QString messages_, inputName_;
    bool keepsOutput_ = true;
};

} // namespace chokepoint::gui
