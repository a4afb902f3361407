// SPDX-License-Identifier: GPL-3.0-or-later
// The scenario as fields, made from its schema: what the text sets is shown, and an edit is one key's new
// value.
#pragma once

#include "schema_fields.hpp"

#include <QHash>
#include <QWidget>

#include <map>
#include <set>
#include <vector>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QVBoxLayout;

namespace chokepoint::gui {

class CatalogLists;

class ScenarioForm : public QWidget {
    Q_OBJECT

public:
    ScenarioForm(FormSchema, CatalogLists&, QWidget* parent = nullptr);

    /// What the text sets, by key, and how many tables it has of each [[name]].
    void setValues(const std::map<QString, QString>&, const std::map<QString, int>& tables);
    /// What holds where the text says nothing, and where that comes from.
    void setResolved(const QHash<QString, QPair<QString, QString>>&);
    /// Messages at their fields, by key.
    void setFaults(const QHash<QString, QString>&);
    /// Shows only fields whose key or description has the words, or that are set if there are none and `all`
    /// is off.
    void setFilter(const QString& words, bool all);

    /// What a field means, may be and is now; empty for a widget that is none.
    [[nodiscard]] QString explanation(const QWidget*) const;

signals:
    /// An empty literal: the key is to go.
    void edited(const QString& key, const QString& literal);
    /// One more [[name]].
    void tableAsked(const QString& name);

protected:
    /// Undo and redo in a field without unfinished typing are those of the text.
    bool eventFilter(QObject*, QEvent*) override;

private:
    struct Row {
        Field field;
        QLabel* label = nullptr;
        QWidget* editor = nullptr; ///< a line edit or a combo box
        QLabel* fault = nullptr;
        QWidget* box = nullptr; ///< label, editor and fault
        QString value, resolved, origin;
    };
    void addSection(const Section&);
    void addTableButtons();
    void addRow(const Field&);
    void ensureTables(const std::map<QString, int>& counts);
    /// Of a section "perturb[2]": the text has so many.
    [[nodiscard]] bool isThere(const QString& section) const;
    QWidget* makeEditor(const Field&);
    QPushButton* makeChooser(const Field&, QLineEdit*);
    QComboBox* makePicker(const Field&, const QStringList& choices, bool editable);
    void fillPicker(Row&);
    void commit(const QString& key, const QString& typed);
    void show(Row&);
    void describe(Row&);
    [[nodiscard]] static QString words(const Row&);
    void refilter();

    CatalogLists& lists_;
    QVBoxLayout* layout_;
    std::vector<FormSchema::Tables> tables_;
    std::map<QString, int> shownTables_; ///< how many of each the text has
    std::set<QString> requested_;        ///< lists of the catalog
    std::map<QString, Row> rows_;
    std::map<QString, QWidget*> sections_;
    QString words_;
    bool all_ = false;
};

} // namespace chokepoint::gui
