// SPDX-License-Identifier: GPL-3.0-or-later
// The scenario as fields, made from its schema: what the text sets is shown, and an edit is one key's new
// value.
#pragma once

#include "schema_fields.hpp"

#include <QHash>
#include <QWidget>

#include <map>

class QComboBox;
class QLabel;
class QLineEdit;

namespace chokepoint::gui {

class CatalogLists;

class ScenarioForm : public QWidget {
    Q_OBJECT

public:
    ScenarioForm(FormSchema, CatalogLists&, QWidget* parent = nullptr);

    /// What the text sets, by key.
    void setValues(const std::map<QString, QString>&);
    /// What holds where the text says nothing, and where that comes from.
    void setResolved(const QHash<QString, QPair<QString, QString>>&);
    /// Messages at their fields, by key.
    void setFaults(const QHash<QString, QString>&);
    /// Shows only fields whose key or description has the words, or that are set if there are none and `all`
    /// is off.
    void setFilter(const QString& words, bool all);

signals:
    /// An empty literal: the key is to go.
    void edited(const QString& key, const QString& literal);
    void focused(const QString& key);

private:
    struct Row {
        Field field;
        QLabel* label = nullptr;
        QWidget* editor = nullptr; ///< a line edit or a combo box
        QLabel* fault = nullptr;
        QWidget* box = nullptr; ///< label, editor and fault
        QString value, resolved, origin;
    };
    QWidget* makeEditor(const Field&);
    QComboBox* makePicker(const Field&, const QStringList& choices, bool editable);
    void fillPicker(Row&);
    void commit(const QString& key, const QString& typed);
    void show(Row&);
    void describe(Row&);
    void refilter();

    CatalogLists& lists_;
    std::map<QString, Row> rows_;
    std::map<QString, QWidget*> sections_;
    QString words_;
    bool all_ = false;
};

} // namespace chokepoint::gui
