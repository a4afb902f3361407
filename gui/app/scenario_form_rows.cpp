// SPDX-License-Identifier: GPL-3.0-or-later
// The rows of the scenario form: an editor for each kind of field, with what may be chosen in it.
#include "catalog_lists.hpp"
#include "scenario_form.hpp"
#include "theme.hpp"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QRegularExpressionValidator>
#include <QSignalBlocker>
#include <QVBoxLayout>

namespace chokepoint::gui {

namespace {

constexpr int kLabelWidth = 190;

/// "cluster.caps.nvlink" below "cluster": "caps.nvlink".
QString short_name(const Field& field) {
    return field.section.isEmpty() ? field.key : field.key.mid(field.section.size() + 1);
}

/// The members of ["a", "b"].
QStringList members_of(const QString& list) {
    static const QRegularExpression member(R"re("([^"]*)"|'([^']*)')re");
    QStringList members;
    for (auto it = member.globalMatch(list); it.hasNext();) {
        const QRegularExpressionMatch match = it.next();
        members << match.captured(1) + match.captured(2);
    }
    return members;
}

QString list_of(const QStringList& members) {
    return members.isEmpty() ? QString() : "[\"" + members.join("\", \"") + "\"]";
}

} // namespace

void ScenarioForm::addRow(const Field& field) {
    QWidget* section = sections_.at(field.section);
    Row& row = rows_[field.key];
    row.field = field;
    row.box = new QWidget(section);
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
    if (field.kind == FieldKind::list && (!field.choices.isEmpty() || !field.catalog.isEmpty())) {
        line->addWidget(makeChooser(field, qobject_cast<QLineEdit*>(row.editor)));
    }
    lines->addLayout(line);
    for (QLineEdit* edit : row.box->findChildren<QLineEdit*>()) {
        edit->installEventFilter(this);
    }
    row.fault = new FaultLabel(row.box);
    row.fault->setWordWrap(true);
    row.fault->hide();
    lines->addWidget(row.fault);
    section->layout()->addWidget(row.box);
    describe(row);
    if (!field.catalog.isEmpty() && requested_.insert(field.catalog).second) {
        lists_.request(field.catalog);
    }
}

QPushButton* ScenarioForm::makeChooser(const Field& field, QLineEdit* edit) {
    auto* button = new QPushButton(this);
    auto* menu = new QMenu(button);
    button->setText(tr("Choose"));
    button->setAccessibleName(tr("Choose members of %1").arg(field.key));
    button->setMenu(menu);
    connect(menu, &QMenu::aboutToShow, this, [this, menu, edit, field] {
        menu->clear();
        const auto offer = [&](const QString& name, const QString& hint) {
            QAction* action = menu->addAction(name);
            action->setCheckable(true);
            action->setChecked(members_of(edit->text()).contains(name));
            action->setToolTip(hint);
            connect(action, &QAction::toggled, this, [this, edit, name, key = field.key](bool on) {
                QStringList now = members_of(edit->text());
                now.removeAll(name);
                if (on) {
                    now << name;
                }
                edit->setText(list_of(now));
                commit(key, edit->text());
            });
        };
        for (const QString& choice : field.choices) {
            offer(choice, {});
        }
        for (const CatalogEntry& entry : lists_.entries(field.catalog)) {
            offer(entry.id, entry.summary);
        }
    });
    return button;
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

} // namespace chokepoint::gui
