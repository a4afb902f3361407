// SPDX-License-Identifier: GPL-3.0-or-later
// What the catalog holds, asked of the command line once: entries for pickers, and their figures for
// hovering.
#pragma once

#include <QHash>
#include <QObject>
#include <QStringList>

#include <memory>
#include <vector>

namespace chokepoint::gui {

class Runner;

struct CatalogEntry {
    QString id, summary;
};

class CatalogLists : public QObject {
    Q_OBJECT

public:
    explicit CatalogLists(QObject* parent = nullptr);
    ~CatalogLists() override;

    /// Asks for the entries of "gpus", "fabrics", …; listed() follows.
    void request(const QString& kind);
    [[nodiscard]] const std::vector<CatalogEntry>& entries(const QString& kind) const;
    /// Asks for one entry's figures; described() follows.
    void describe(const QString& kind, const QString& id);

signals:
    void listed(const QString& kind);
    /// A table of figures with their sources, as rich text.
    void described(const QString& kind, const QString& id, const QString& richText);

private:
    void next();
    void take(const QByteArray& json);

    struct Question {
        QString kind, id; ///< without id: the list
    };
    std::unique_ptr<Runner> runner_;
    QList<Question> queue_;
    QHash<QString, std::vector<CatalogEntry>> lists_;
    QHash<QString, QString> descriptions_;
};

} // namespace chokepoint::gui
