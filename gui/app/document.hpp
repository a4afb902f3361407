// SPDX-License-Identifier: GPL-3.0-or-later
// The scenario being edited: its text, where it lives, and a copy that outlives a crash.
#pragma once

#include "runner.hpp"

#include <QFileSystemWatcher>
#include <QObject>
#include <QTextDocument>
#include <QTimer>

#include <memory>
#include <vector>

class QLockFile;

namespace chokepoint::gui {

/// Unsaved text that an earlier session left behind.
struct Recovered {
    QString path, text;
    QString file;        ///< to remove once the text is safe
    QByteArray digest{}; ///< of what the path held when it was read
};

class Document : public QObject {
    Q_OBJECT

public:
    /// `recovery` is the folder of the copies; without one none are kept.
    explicit Document(QString recovery, QObject* parent = nullptr);
    ~Document() override;

    /// @throws std::runtime_error saying why the file cannot be read; the present text stays.
    void open(const QString& path);
    /// A text that has no file yet.
    void begin(const QString& text);
    /// Takes back what a crash left: `path` with unsaved changes.
    void restore(const Recovered&);
    /// @throws std::runtime_error saying why the file cannot be written; nothing is half-written.
    void save(const QString& path);
    /// Another program wrote to the file since it was read or saved here, so that to save it again would undo
    /// that. A file that is gone is none to lose.
    [[nodiscard]] bool changedOnDisk() const;

    /// There is a scenario: a file, or a text that has none yet.
    [[nodiscard]] bool isOpen() const { return !path_.isEmpty() || !text_.isEmpty(); }
    /// Empty until the text is saved.
    [[nodiscard]] const QString& path() const { return path_; }
    [[nodiscard]] QString name() const;
    [[nodiscard]] QString text() const;
    [[nodiscard]] bool isModified() const { return text_.isModified(); }
    /// With undo and redo; editors share it.
    [[nodiscard]] QTextDocument& editable() { return text_; }
    /// A call of the command line about the text as it stands, saved or not: `command` "-" `options`.
    [[nodiscard]] Invocation invocation(const QString& command, const QStringList& options) const;
    /// Grows with every change: answers about an older one are stale.
    [[nodiscard]] int revision() const { return revision_; }

signals:
    void changed();
    void pathChanged();
    /// changedOnDisk() became true.
    void overtaken();

private:
    /// What the file holds now is what the text stands for.
    void settle(const QByteArray& bytes);
    void watch();
    void keepCopy();
    void dropCopy();

    QTextDocument text_;
    QString path_, recovery_;
    bool crlf_ = false;
    struct {
        QByteArray bytes;
        QString text;
    } original_;        ///< of the file as it was read
    QByteArray digest_; ///< of the file as it was read or saved
    QFileSystemWatcher watcher_;
    int revision_ = 0;
    QTimer copyTimer_;
    std::unique_ptr<QLockFile> lock_;
    QString copy_;
};

/// What sessions that no longer run left in the folder.
std::vector<Recovered> recoverable(const QString& folder);

} // namespace chokepoint::gui
