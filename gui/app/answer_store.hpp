// SPDX-License-Identifier: GPL-3.0-or-later
// Answers of the command line that take long and rest on nothing but the program and the data that come with
// it: kept from session to session, by the content of both.
#pragma once

#include <QByteArray>
#include <QDateTime>
#include <QString>
#include <QStringList>

#include <optional>

namespace chokepoint::gui {

struct KeptAnswer {
    QByteArray json;
    QDateTime since;
};

class AnswerStore {
public:
    /// Without a folder nothing is kept.
    explicit AnswerStore(QString folder = {});

    /// Equal as long as these arguments have the same answer: over them, the bytes of the program and those
    /// of all its data. Empty if nobody knows where the program's data is.
    [[nodiscard]] QByteArray key(const QStringList& arguments) const;
    [[nodiscard]] std::optional<KeptAnswer> find(const QStringList& arguments, const QByteArray& key) const;
    /// In the place of earlier answers to the same arguments. What cannot be kept is computed again.
    void keep(const QStringList& arguments, const QByteArray& key, const QByteArray& json) const;

private:
    [[nodiscard]] QString file(const QStringList& arguments, const QByteArray& key) const;

    QString folder_;
};

} // namespace chokepoint::gui
