// SPDX-License-Identifier: GPL-3.0-or-later
#include "runner.hpp"

#include <QCoreApplication>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QStandardPaths>

namespace chokepoint::gui {

QString cli_program() {
    const QString named = qEnvironmentVariable("CHOKEPOINT_CLI");
    if (!named.isEmpty()) {
        return named;
    }
    const QString beside = QCoreApplication::applicationDirPath() + "/chokepoint";
    return QFileInfo::exists(beside) ? beside : QStandardPaths::findExecutable("chokepoint");
}

Runner::Runner(QObject* parent, QString program) : QObject(parent), program_(std::move(program)) {}

Runner::~Runner() { drop(); }

void Runner::start(const Invocation& invocation) {
    drop();
    output_.clear();
    pendingErrors_.clear();
    messages_.clear();
    inputName_ = invocation.name;
    process_ = new QProcess(this);
    process_->setWorkingDirectory(invocation.directory);
    connect(process_, &QProcess::readyReadStandardOutput, this, &Runner::readOutput);
    connect(process_, &QProcess::readyReadStandardError, this, &Runner::readErrors);
    connect(process_, &QProcess::finished, this,
            [this](int code, QProcess::ExitStatus status) { end(code, status == QProcess::CrashExit); });
    connect(process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart) {
            const QString why = process_->errorString();
            drop();
            emit failed(tr("cannot start '%1': %2").arg(program_.isEmpty() ? "chokepoint" : program_, why),
                        {});
            emit ended();
        }
    });
    emit started();
    process_->start(program_.isEmpty() ? "chokepoint" : program_, invocation.arguments);
    if (process_ != nullptr) {
        process_->write(invocation.input);
        process_->closeWriteChannel();
    }
}

void Runner::cancel() {
    if (process_ != nullptr) {
        drop();
        emit ended();
    }
}

void Runner::drop() {
    if (process_ == nullptr) {
        return;
    }
    // Whatever it still says is stale: nobody listens any more.
    process_->disconnect(this);
    QProcess* old = std::exchange(process_, nullptr);
    old->kill();
    old->waitForFinished(1000);
    old->deleteLater();
}

void Runner::readOutput() {
    const QByteArray piece = process_->readAllStandardOutput();
    if (keepsOutput_) {
        output_ += piece;
    }
    emit received(piece);
}

void Runner::readErrors() {
    pendingErrors_ += process_->readAllStandardError();
    for (qsizetype end = 0; (end = pendingErrors_.indexOf('\n')) >= 0;) {
        const QByteArray line = pendingErrors_.left(end);
        pendingErrors_.remove(0, end + 1);
        const QJsonObject progress = QJsonDocument::fromJson(line).object().value("progress").toObject();
        if (progress.isEmpty()) {
            messages_ += QString::fromUtf8(line) + "\n";
        } else {
            emit progressed(progress.value("phase").toString(), progress.value("share").toDouble());
            emit told(progress);
        }
    }
}

void Runner::end(int exitCode, bool crashed) {
    readOutput();
    readErrors();
    if (!pendingErrors_.isEmpty()) {
        messages_ += QString::fromUtf8(pendingErrors_);
    }
    if (!inputName_.isEmpty()) {
        messages_.replace("<stdin>", inputName_);
    }
    process_->deleteLater();
    process_ = nullptr;
    if (crashed) {
        emit failed(tr("the command line was killed or crashed%1")
                        .arg(messages_.isEmpty() ? "" : ":\n" + messages_.trimmed()),
                    output_);
    } else if (exitCode != 0) {
        emit failed(messages_.trimmed().isEmpty()
                        ? tr("the command line ended with exit code %1").arg(exitCode)
                        : messages_.trimmed(),
                    output_);
    } else {
        emit finished(output_);
    }
    emit ended();
}

} // namespace chokepoint::gui
