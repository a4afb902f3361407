// SPDX-License-Identifier: GPL-3.0-or-later
#include "document.hpp"

#include "charts/save_file.hpp"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLockFile>
#include <QPlainTextDocumentLayout>
#include <QStringDecoder>
#include <QUuid>

#include <stdexcept>

namespace chokepoint::gui {

namespace {

constexpr int kCopyAfterMilliseconds = 700;
constexpr const char* kCopyEnding = ".unsaved.json";

QByteArray read_file(const QString& path) {
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        throw std::runtime_error(
            QObject::tr("cannot read '%1': %2").arg(path, file.errorString()).toStdString());
    }
    return file.readAll();
}

QByteArray digest_of(const QByteArray& bytes) {
    return QCryptographicHash::hash(bytes, QCryptographicHash::Sha256);
}

/// @throws std::runtime_error if the file is no text: to show it as one would lose its bytes when it is
/// saved.
QString text_of(const QByteArray& bytes, const QString& path) {
    QStringDecoder decoder(QStringDecoder::Utf8,
                           QStringDecoder::Flag::Stateless | QStringDecoder::Flag::ConvertInitialBom);
    QString text = decoder.decode(bytes);
    if (decoder.hasError() || text.contains(QChar::Null)) {
        throw std::runtime_error(
            QObject::tr("'%1' is no scenario: found bytes that are no UTF-8 text").arg(path).toStdString());
    }
    return text;
}

} // namespace

Document::Document(QString recovery, QObject* parent) : QObject(parent), recovery_(std::move(recovery)) {
    text_.setDocumentLayout(new QPlainTextDocumentLayout(&text_));
    connect(&text_, &QTextDocument::contentsChanged, this, [this] {
        ++revision_;
        emit changed();
        copyTimer_.start();
    });
    copyTimer_.setSingleShot(true);
    copyTimer_.setInterval(kCopyAfterMilliseconds);
    connect(&copyTimer_, &QTimer::timeout, this, &Document::keepCopy);
    connect(&watcher_, &QFileSystemWatcher::fileChanged, this, [this] {
        watch(); // a file that another takes the place of is watched no more
        if (changedOnDisk()) {
            emit overtaken();
        }
    });
}

Document::~Document() { dropCopy(); }

void Document::open(const QString& path) {
    const QByteArray bytes = read_file(path);
    const QString text = text_of(bytes, path);
    path_ = QFileInfo(path).absoluteFilePath();
    crlf_ = bytes.contains("\r\n");
    text_.setPlainText(text);
    original_ = {bytes, this->text()};
    settle(bytes);
}

void Document::begin(const QString& text) {
    path_.clear();
    crlf_ = false;
    text_.setPlainText(text);
    original_ = {};
    settle({});
}

void Document::settle(const QByteArray& bytes) {
    digest_ = digest_of(bytes);
    watch();
    text_.setModified(false);
    dropCopy();
    emit pathChanged();
}

void Document::watch() {
    if (const QStringList before = watcher_.files(); !before.isEmpty()) {
        watcher_.removePaths(before);
    }
    if (QFile::exists(path_)) {
        watcher_.addPath(path_);
    }
}

bool Document::changedOnDisk() const {
    QFile file(path_);
    return !path_.isEmpty() && file.open(QIODevice::ReadOnly) && digest_of(file.readAll()) != digest_;
}

void Document::restore(const Recovered& recovered) {
    path_ = recovered.path;
    QFile file(path_); // may be gone, or have never been
    crlf_ = !path_.isEmpty() && file.open(QIODevice::ReadOnly) && file.readAll().contains("\r\n");
    original_ = {};
    digest_ = recovered.digest;
    watch();
    text_.setPlainText(recovered.text);
    text_.setModified(true);
    keepCopy();
    QFile::remove(recovered.file);
    emit pathChanged();
}

void Document::save(const QString& path) {
    QString out = text();
    const bool same = out == original_.text;
    if (crlf_) {
        out.replace("\n", "\r\n");
    }
    // Unchanged with whatever mixture of line ends they have.
    const QByteArray bytes = same ? original_.bytes : out.toUtf8();
    save_file(path, bytes);
    path_ = QFileInfo(path).absoluteFilePath();
    settle(bytes);
}

QString Document::name() const {
    return !path_.isEmpty() ? QFileInfo(path_).fileName() : isOpen() ? tr("untitled") : tr("no scenario");
}

QString Document::text() const { return text_.toPlainText(); }

Invocation Document::invocation(const QString& command, const QStringList& options) const {
    return {QStringList{command, "-"} + options, text().toUtf8(), QFileInfo(path_).absolutePath(), name()};
}

void Document::keepCopy() {
    if (recovery_.isEmpty() || !isModified() || !isOpen()) {
        return;
    }
    if (copy_.isEmpty()) {
        QDir().mkpath(recovery_);
        copy_ = recovery_ + "/" + QUuid::createUuid().toString(QUuid::WithoutBraces) + kCopyEnding;
        lock_ = std::make_unique<QLockFile>(copy_ + ".lock");
        lock_->setStaleLockTime(0); // as long as this process lives
        lock_->tryLock();
    }
    try {
        const QJsonObject kept{
            {"path", path_}, {"text", text()}, {"digest", QString::fromLatin1(digest_.toHex())}};
        save_file(copy_, QJsonDocument(kept).toJson());
    } catch (const std::exception&) {
        // A copy for a crash that may never come: a full disk is told of when the user saves.
    }
}

void Document::dropCopy() {
    copyTimer_.stop();
    if (!copy_.isEmpty()) {
        QFile::remove(copy_);
        lock_.reset();
        copy_.clear();
    }
}

std::vector<Recovered> recoverable(const QString& folder) {
    std::vector<Recovered> list;
    for (const QFileInfo& file :
         QDir(folder).entryInfoList({QString("*") + kCopyEnding}, QDir::Files, QDir::Time)) {
        QLockFile lock(file.filePath() + ".lock");
        lock.setStaleLockTime(0);
        if (!lock.tryLock()) {
            continue; // its session still runs
        }
        QFile copy(file.filePath());
        if (copy.open(QIODevice::ReadOnly)) {
            const QJsonObject kept = QJsonDocument::fromJson(copy.readAll()).object();
            list.push_back({kept.value("path").toString(), kept.value("text").toString(), file.filePath(),
                            QByteArray::fromHex(kept.value("digest").toString().toLatin1())});
        }
    }
    return list;
}

} // namespace chokepoint::gui
