// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario_form.hpp"

#include "catalog_lists.hpp"

#include <QComboBox>
#include <QGroupBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include <set>

namespace chokepoint::gui {

namespace {

/// `fabric = "x"` is short for fabric.name.
QString spelt_out(const QString& key) { return key + ".name"; }

QString range_text(const Field& field) {
    if (!field.minimum && !field.maximum) {
        return {};
    }
    const QString least = field.minimum ? QString::number(*field.minimum) : QString();
    const QString most = field.maximum ? QString::number(*field.maximum) : QString();
    return " " + (most.isEmpty()    ? QObject::tr("At least %1.").arg(least)
                  : least.isEmpty() ? QObject::tr("At most %1.").arg(most)
                                    : QObject::tr("From %1 to %2.").arg(least, most));
}

/// Descriptions of the schema are phrases.
QString sentence(QString phrase) {
    if (!phrase.isEmpty()) {
        phrase[0] = phrase[0].toUpper();
        phrase += phrase.endsWith('.') ? "" : ".";
    }
    return phrase;
}

} // namespace

ScenarioForm::ScenarioForm(FormSchema schema, CatalogLists& lists, QWidget* parent)
    : QWidget(parent),
      lists_(lists),
      layout_(new QVBoxLayout(this)),
      tables_(std::move(schema.tables)) {
    addSection({QString(), tr("What the scenario is about.")});
    for (const Section& section : schema.sections) {
        addSection(section);
    }
    addTableButtons();
    layout_->addStretch(1);
    for (const Field& field : schema.fields) {
        if (sections_.contains(field.section)) {
            addRow(field);
        }
    }
    connect(&lists_, &CatalogLists::listed, this, [this](const QString& kind) {
        for (auto& [key, row] : rows_) {
            if (row.field.catalog == kind) {
                fillPicker(row);
            }
        }
    });
    refilter();
}

void ScenarioForm::addSection(const Section& section) {
    auto* box = new QGroupBox(section.name.isEmpty() ? tr("scenario") : section.name, this);
    box->setToolTip(section.description);
    box->setLayout(new QVBoxLayout);
    box->layout()->setSpacing(2);
    sections_[section.name] = box;
    // Tables of arrays, which come later, above the buttons that add more of them.
    layout_->insertWidget(static_cast<int>(sections_.size()) - 1, box);
}

void ScenarioForm::addTableButtons() {
    auto* line = new QHBoxLayout;
    for (const FormSchema::Tables& tables : tables_) {
        const QString name = tables.section.name;
        auto* add = new QPushButton(tr("Add %1").arg(name), this);
        add->setToolTip(tables.section.description);
        connect(add, &QPushButton::clicked, this, [this, name] { emit tableAsked(name); });
        line->addWidget(add);
    }
    line->addStretch(1);
    layout_->addLayout(line);
}

void ScenarioForm::ensureTables(const std::map<QString, int>& counts) {
    for (const FormSchema::Tables& tables : tables_) {
        const auto found = counts.find(tables.section.name);
        const int count = found == counts.end() ? 0 : found->second;
        for (int i = 0; i < count; ++i) {
            if (sections_.contains(table_name(tables, i))) {
                continue;
            }
            addSection({table_name(tables, i), tables.section.description});
            for (const Field& field : tables.fields) {
                addRow(field_of_table(tables, field, i));
            }
        }
        shownTables_[tables.section.name] = count;
    }
}

bool ScenarioForm::isThere(const QString& section) const {
    const auto bracket = section.indexOf('[');
    if (bracket < 0) {
        return true;
    }
    const auto found = shownTables_.find(section.left(bracket));
    return found != shownTables_.end() &&
           section.mid(bracket + 1, section.size() - bracket - 2).toInt() < found->second;
}

void ScenarioForm::commit(const QString& key, const QString& typed) {
    Row& row = rows_.at(key);
    for (QLineEdit* edit : row.box->findChildren<QLineEdit*>()) {
        edit->setModified(false); // it is in the text now
    }
    if (typed.trimmed() != row.value) {
        row.value = typed.trimmed();
        emit edited(key, literal_of(row.field, typed));
    }
}

bool ScenarioForm::eventFilter(QObject* watched, QEvent* event) {
    const auto* edit = qobject_cast<QLineEdit*>(watched);
    if (event->type() == QEvent::ShortcutOverride && edit != nullptr && !edit->isModified()) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (key->matches(QKeySequence::Undo) || key->matches(QKeySequence::Redo)) {
            event->ignore();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void ScenarioForm::show(Row& row) {
    const QSignalBlocker quiet(row.editor);
    const QString hint = row.resolved.isEmpty() ? QString() : row.resolved;
    if (auto* edit = qobject_cast<QLineEdit*>(row.editor)) {
        if (edit->text() != row.value) {
            edit->setText(row.value);
            edit->setCursorPosition(0);
        }
        edit->setPlaceholderText(hint);
    } else if (auto* picker = qobject_cast<QComboBox*>(row.editor)) {
        const int index = picker->findText(row.value);
        picker->setCurrentIndex(index);
        if (picker->isEditable()) {
            picker->setEditText(row.value);
            picker->lineEdit()->setPlaceholderText(hint);
        } else {
            picker->setPlaceholderText(hint);
            if (row.value.isEmpty()) {
                picker->setCurrentIndex(-1);
            }
        }
        if (!row.field.catalog.isEmpty() && !row.value.isEmpty()) {
            lists_.describe(row.field.catalog, row.value);
        }
    }
    QFont font = row.label->font();
    font.setBold(!row.value.isEmpty());
    row.label->setFont(font);
    describe(row);
}

QString ScenarioForm::words(const Row& row) {
    QString text = sentence(row.field.description).toHtmlEscaped() + range_text(row.field);
    if (!row.resolved.isEmpty()) {
        text += tr(" Now <b>%1</b>, from %2.").arg(row.resolved.toHtmlEscaped(), row.origin.toHtmlEscaped());
    }
    return text;
}

QString ScenarioForm::explanation(const QWidget* widget) const {
    for (const auto& [key, row] : rows_) {
        if (widget == row.editor || (widget != nullptr && widget->parentWidget() == row.editor)) {
            return "<b>" + key.toHtmlEscaped() + "</b>: " + words(row);
        }
    }
    return {};
}

void ScenarioForm::describe(Row& row) {
    const QString text = "<p>" + words(row) + "</p>"; // rich text, whose lines break
    row.label->setToolTip(text);
    if (row.field.catalog.isEmpty()) {
        row.editor->setToolTip(text);
    }
}

void ScenarioForm::setValues(const std::map<QString, QString>& values, const std::map<QString, int>& tables) {
    ensureTables(tables);
    for (auto& [key, row] : rows_) {
        const auto found = values.contains(key) ? values.find(key) : values.find(spelt_out(key));
        const QString value = found == values.end() ? QString() : found->second;
        if (value != row.value || value.isEmpty()) {
            row.value = value;
            show(row);
        }
    }
    refilter();
}

void ScenarioForm::setResolved(const QHash<QString, QPair<QString, QString>>& resolved) {
    for (auto& [key, row] : rows_) {
        const auto found = resolved.contains(key) ? resolved.value(key) : resolved.value(spelt_out(key));
        if (found.first != row.resolved || found.second != row.origin) {
            row.resolved = found.first;
            row.origin = found.second;
            show(row);
        }
    }
}

void ScenarioForm::setFaults(const QHash<QString, QString>& faults) {
    for (auto& [key, row] : rows_) {
        const QString fault = faults.value(key, faults.value(spelt_out(key)));
        row.fault->setText(fault);
        row.fault->setVisible(!fault.isEmpty());
        if (!fault.isEmpty()) {
            row.box->show();
        }
    }
}

void ScenarioForm::setFilter(const QString& words, bool all) {
    words_ = words;
    all_ = all;
    refilter();
}

void ScenarioForm::refilter() {
    std::set<QWidget*> used;
    for (auto& [key, row] : rows_) {
        const bool matches = words_.isEmpty()
                                 ? all_ || !row.value.isEmpty() || row.field.section.contains('[')
                                 : row.field.key.contains(words_, Qt::CaseInsensitive) ||
                                       row.field.description.contains(words_, Qt::CaseInsensitive);
        const bool shown = isThere(row.field.section) && (matches || !row.fault->text().isEmpty());
        row.box->setVisible(shown);
        if (shown) {
            used.insert(sections_.at(row.field.section));
        }
    }
    for (const auto& [name, section] : sections_) {
        section->setVisible(used.contains(section));
    }
}

} // namespace chokepoint::gui
