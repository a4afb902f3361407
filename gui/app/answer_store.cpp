// SPDX-License-Identifier: GPL-3.0-or-later
#include "answer_store.hpp"

#include "runner.hpp"

#include "charts/save_file.hpp"

#include <QCryptographicHash>
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>

#include <exception>
#include <utility>

namespace chokepoint::gui {

namespace {

/// Where that program reads its data, as far as one can tell from outside: hwmodels/catalog.hpp.
QString data_of(const QString& program) {
    const QString named = qEnvironmentVariable("CHOKEPOINT_DATA");
    const QString data =
        named.isEmpty() ? QFileInfo(program).canonicalPath() + "/../share/chokepoint" : named;
    return QFileInfo(data).isDir() ? QDir(data).canonicalPath() : QString();
}

void add(QCryptographicHash& hash, const QByteArray& bytes) {
    hash.addData(QByteArray::number(bytes.size()) + ":"); // so that no two lists of texts are one text
    hash.addData(bytes);
}

QByteArray content_of(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// Of the program's bytes; read again only if its file is another one.
QByteArray hash_of_program(const QString& program) {
    struct Seen {
        QString path;
        qint64 size = -1;
        QDateTime modified;
        QByteArray hash;
    };
    static Seen seen;
    const QFileInfo info(program);
    if (seen.path != program || seen.size != info.size() || seen.modified != info.lastModified()) {
        seen = {program, info.size(), info.lastModified(),
                QCryptographicHash::hash(content_of(program), QCryptographicHash::Sha256)};
    }
    return seen.hash;
}

} // namespace

AnswerStore::AnswerStore(QString folder) : folder_(std::move(folder)) {}

QByteArray AnswerStore::key(const QStringList& arguments) const {
    const QString program = cli_program();
    const QString data = data_of(program);
    if (program.isEmpty() || data.isEmpty()) {
        return {};
    }
    QCryptographicHash hash(QCryptographicHash::Sha256);
    add(hash, hash_of_program(program));
    for (const QString& argument : arguments) {
        add(hash, argument.toUtf8());
    }
    QStringList files;
    QDirIterator all(data, QDir::Files, QDirIterator::Subdirectories | QDirIterator::FollowSymlinks);
    while (all.hasNext()) {
        files << all.next();
    }
    files.sort();
    for (const QString& file : files) {
        add(hash, file.mid(data.size()).toUtf8());
        add(hash, content_of(file));
    }
    return hash.result().toHex();
}

QString AnswerStore::file(const QStringList& arguments, const QByteArray& key) const {
    constexpr qsizetype kLetters = 16;
    const QByteArray question =
        QCryptographicHash::hash(arguments.join('\n').toUtf8(), QCryptographicHash::Sha256).toHex();
    return QString("%1-%2.json").arg(QString::fromLatin1(question.first(kLetters)), QString::fromLatin1(key));
}

std::optional<KeptAnswer> AnswerStore::find(const QStringList& arguments, const QByteArray& key) const {
    QFile kept(folder_ + "/" + file(arguments, key));
    if (folder_.isEmpty() || key.isEmpty() || !kept.open(QIODevice::ReadOnly)) {
        return std::nullopt;
    }
    return KeptAnswer{kept.readAll(), QFileInfo(kept).lastModified()};
}

void AnswerStore::keep(const QStringList& arguments, const QByteArray& key, const QByteArray& json) const {
    if (folder_.isEmpty() || key.isEmpty()) {
        return;
    }
    QDir().mkpath(folder_);
    QDir folder(folder_);
    for (const QString& earlier : folder.entryList({file(arguments, "*")}, QDir::Files)) {
        folder.remove(earlier);
    }
    try {
        save_file(folder.filePath(file(arguments, key)), json);
    } catch (const std::exception&) {
        // A full disk costs the next session its time, and this one nothing.
    }
}

} // namespace chokepoint::gui
