// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario_form.hpp"

#include "catalog_lists.hpp"

#include <QAbstractItemView>
#include <QComboBox>
#include <QGroupBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QRegularExpressionValidator>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include <set>

namespace chokepoint::gui {

namespace {

constexpr int kLabelWidth = 190;

/// "cluster.caps.nvlink" below "cluster": "caps.nvlink".
QString short_name(const Field& field) {
    return field.section.isEmpty() ? field.key : field.key.mid(field.section.size() + 1);
}

QString range_text(const Field& field) {
    if (!field.minimum && !field.maximum) {
        return {};
    }
    return QString(" [%1 … %2]")
        .arg(field.minimum ? QString::number(*field.minimum) : "",
             field.maximum ? QString::number(*field.maximum) : "");
}

} // namespace

ScenarioForm::ScenarioForm(FormSchema schema, CatalogLists& lists, QWidget* parent)
    : QWidget(parent),
      lists_(lists) {
    auto* layout = new QVBoxLayout(this);
    schema.sections.insert(schema.sections.begin(), {QString(), tr("What the scenario is about.")});
    for (const Section& section : schema.sections) {
        auto* box = new QGroupBox(section.name.isEmpty() ? tr("scenario") : section.name, this);
        box->setToolTip(section.description);
        box->setLayout(new QVBoxLayout);
        box->layout()->setSpacing(2);
        sections_[section.name] = box;
        layout->addWidget(box);
    }
    layout->addStretch(1);
    std::set<QString> kinds;
    for (const Field& field : schema.fields) {
        const auto section = sections_.find(field.section);
        if (section == sections_.end()) {
            continue;
        }
        Row& row = rows_[field.key];
        row.field = field;
        row.box = new QWidget(section->second);
        auto* lines = new QVBoxLayout(row.box);
        lines->setContentsMargins(0, 0, 0, 0);
        lines->setSpacing(0);
        auto* line = new QHBoxLayout;
        row.label = new QLabel(short_name(field), row.box);
        row.label->setFixedWidth(kLabelWidth);
        row.editor = makeEditor(field);
        row.editor->setAccessibleName(field.key);
        row.editor->setAccessibleDescription(field.description);
        row.label->setBuddy(row.editor);
        line->addWidget(row.label);
        line->addWidget(row.editor, 1);
        lines->addLayout(line);
        row.fault = new QLabel(row.box);
        row.fault->setWordWrap(true);
        row.fault->setStyleSheet("color: #D1443B;");
        row.fault->hide();
        lines->addWidget(row.fault);
        section->second->layout()->addWidget(row.box);
        describe(row);
        if (!field.catalog.isEmpty()) {
            kinds.insert(field.catalog);
        }
    }
    connect(&lists_, &CatalogLists::listed, this, [this](const QString& kind) {
        for (auto& [key, row] : rows_) {
            if (row.field.catalog == kind) {
                fillPicker(row);
            }
        }
    });
    for (const QString& kind : kinds) {
        lists_.request(kind);
    }
    refilter();
}

QWidget* ScenarioForm::makeEditor(const Field& field) {
    if (field.kind == FieldKind::boolean) {
        return makePicker(field, {"true", "false"}, false);
    }
    if (field.kind == FieldKind::choice) {
        return makePicker(field, field.choices, field.open);
    }
    if (!field.catalog.isEmpty() && field.kind != FieldKind::list) {
        return makePicker(field, {}, true);
    }
    auto* edit = new QLineEdit(this);
    if (field.kind == FieldKind::integer) {
        edit->setValidator(new QRegularExpressionValidator(QRegularExpression("-?[0-9_]*"), edit));
    }
    edit->setClearButtonEnabled(true);
    connect(edit, &QLineEdit::editingFinished, this,
            [this, edit, key = field.key] { commit(key, edit->text()); });
    // The button that empties a field ends no editing by itself.
    connect(edit, &QLineEdit::textChanged, this, [this, edit, key = field.key](const QString& text) {
        if (text.isEmpty() && edit->hasFocus()) {
            commit(key, {});
        }
    });
    return edit;
}

QComboBox* ScenarioForm::makePicker(const Field& field, const QStringList& choices, bool editable) {
    auto* picker = new QComboBox(this);
    picker->setEditable(editable);
    picker->addItem(QString());
    picker->addItems(choices);
    picker->setInsertPolicy(QComboBox::NoInsert);
    picker->setFocusPolicy(Qt::StrongFocus);
    picker->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    connect(picker, &QComboBox::textActivated, this,
            [this, key = field.key](const QString& text) { commit(key, text); });
    if (editable) {
        connect(picker->lineEdit(), &QLineEdit::editingFinished, this,
                [this, picker, key = field.key] { commit(key, picker->currentText()); });
    }
    return picker;
}

void ScenarioForm::fillPicker(Row& row) {
    auto* picker = qobject_cast<QComboBox*>(row.editor);
    if (picker == nullptr) {
        return;
    }
    const QSignalBlocker quiet(picker);
    picker->clear();
    picker->addItem(QString());
    for (const CatalogEntry& entry : lists_.entries(row.field.catalog)) {
        picker->addItem(entry.id);
        picker->setItemData(picker->count() - 1, entry.summary, Qt::ToolTipRole);
    }
    // Figures with their sources, asked for when an entry is first looked at.
    connect(picker, &QComboBox::highlighted, this, [this, picker, kind = row.field.catalog](int index) {
        lists_.describe(kind, picker->itemText(index));
    });
    connect(&lists_, &CatalogLists::described, picker,
            [this, picker, key = row.field.key,
             kind = row.field.catalog](const QString& which, const QString& id, const QString& text) {
                const int index = picker->findText(id);
                if (which == kind && index >= 0) {
                    picker->setItemData(index, text, Qt::ToolTipRole);
                    if (picker->currentText() == id) {
                        picker->setToolTip(text);
                    }
                }
            });
    show(row);
}

void ScenarioForm::commit(const QString& key, const QString& typed) {
    Row& row = rows_.at(key);
    if (typed.trimmed() != row.value) {
        row.value = typed.trimmed();
        emit edited(key, literal_of(row.field, typed));
    }
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

void ScenarioForm::describe(Row& row) {
    QString text = "<p>" + row.field.description.toHtmlEscaped() + range_text(row.field) + "</p>";
    if (!row.resolved.isEmpty()) {
        text +=
            tr("<p>Now <b>%1</b>, from %2</p>").arg(row.resolved.toHtmlEscaped(), row.origin.toHtmlEscaped());
    }
    row.label->setToolTip(text);
    if (row.field.catalog.isEmpty()) {
        row.editor->setToolTip(text);
    }
}

void ScenarioForm::setValues(const std::map<QString, QString>& values) {
    for (auto& [key, row] : rows_) {
        const auto found = values.find(key);
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
        // `fabric = "x"` is short for fabric.name.
        const auto found = resolved.contains(key) ? resolved.value(key) : resolved.value(key + ".name");
        if (found.first != row.resolved || found.second != row.origin) {
            row.resolved = found.first;
            row.origin = found.second;
            show(row);
        }
    }
}

void ScenarioForm::setFaults(const QHash<QString, QString>& faults) {
    for (auto& [key, row] : rows_) {
        const QString fault = faults.value(key);
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
                                 ? all_ || !row.value.isEmpty()
                                 : row.field.key.contains(words_, Qt::CaseInsensitive) ||
                                       row.field.description.contains(words_, Qt::CaseInsensitive);
        const bool shown = matches || !row.fault->text().isEmpty();
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
