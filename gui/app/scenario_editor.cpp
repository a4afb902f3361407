// SPDX-License-Identifier: GPL-3.0-or-later
#include "scenario_editor.hpp"

#include "catalog_lists.hpp"
#include "contract.hpp"
#include "document.hpp"
#include "runner.hpp"
#include "scenario_form.hpp"
#include "theme.hpp"
#include "toml_edit.hpp"
#include "toml_highlighter.hpp"

#include <chokepoint/hwmodels/catalog.hpp>

#include <QApplication>
#include <QCheckBox>
#include <QEvent>
#include <QFile>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QScrollArea>
#include <QSplitter>
#include <QTextBlock>
#include <QTimer>
#include <QVBoxLayout>

namespace chokepoint::gui {

namespace {

constexpr int kDebounceMilliseconds = 250;

FormSchema shipped_schema() {
    QFile file(QString::fromStdString((hw::data_directory() / "schema/scenario.schema.json").string()));
    if (!file.open(QIODevice::ReadOnly)) {
        return {}; // the text remains, and `check` judges it
    }
    return read_form_schema(file.readAll());
}

/// Replaces only what differs, so that undo and the cursor follow single edits.
void replace_text(QTextDocument& document, const QString& from, const QString& to) {
    qsizetype head = 0;
    const qsizetype shorter = std::min(from.size(), to.size());
    while (head < shorter && from[head] == to[head]) {
        ++head;
    }
    qsizetype tail = 0;
    while (tail < shorter - head && from[from.size() - 1 - tail] == to[to.size() - 1 - tail]) {
        ++tail;
    }
    QTextCursor cursor(&document);
    cursor.beginEditBlock();
    cursor.setPosition(int(head));
    cursor.setPosition(int(from.size() - tail), QTextCursor::KeepAnchor);
    cursor.insertText(to.mid(head, to.size() - tail - head));
    cursor.endEditBlock();
}

/// The text with a key's new value, or without the key. Beside other keys of its table the short form of one
/// (`fabric = "x"`) is spelt out (`fabric.name = "x"`).
std::optional<std::string> with_value(std::string text, std::string key, const std::string& literal) {
    const auto index = index_toml(text);
    if (!index) {
        return std::nullopt;
    }
    const std::string table = key.substr(0, key.rfind('.'));
    if (const auto below = index->values.lower_bound(key + ".");
        below != index->values.end() && below->first.starts_with(key + ".")) {
        key += ".name";
    } else if (!literal.empty() && table != key && index->values.contains(table)) {
        text = spell_out_toml(text, table, "name").value_or(text);
    }
    return literal.empty() ? remove_toml(text, key) : set_toml(text, key, literal);
}

} // namespace

ScenarioEditor::ScenarioEditor(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      lists_(std::make_unique<CatalogLists>()),
      runner_(std::make_unique<Runner>()),
      sides_(new QSplitter(Qt::Horizontal, this)),
      text_(new QPlainTextEdit(this)),
      highlighter_(new TomlHighlighter(&document.editable())),
      form_(new ScenarioForm(shipped_schema(), *lists_)),
      problems_(new QListWidget(this)),
      state_(new QLabel(this)),
      filter_(new QLineEdit(this)),
      all_(new QCheckBox(tr("&All keys"), this)),
      help_(new QLabel(this)),
      debounce_(new QTimer(this)) {
    document_.editable().setDefaultFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    text_->setDocument(&document_.editable());
    text_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    text_->setLineWrapMode(QPlainTextEdit::NoWrap);
    text_->setAccessibleName(tr("Scenario as TOML"));
    text_->setTabChangesFocus(true);
    text_->setPlaceholderText(tr("Type a scenario here, or open one."));

    auto* scroll = new QScrollArea(this);
    scroll->setWidget(form_);
    scroll->setWidgetResizable(true);
    scroll->setAccessibleName(tr("Scenario as a form"));
    filter_->setPlaceholderText(tr("Find a key: cap, batch, price…"));
    filter_->setClearButtonEnabled(true);
    filter_->setAccessibleName(tr("Find a key"));
    auto* left = new QWidget(this);
    auto* form_side = new QVBoxLayout(left);
    form_side->setContentsMargins(0, 0, 0, 0);
    auto* top = new QHBoxLayout;
    top->addWidget(filter_, 1);
    top->addWidget(all_);
    form_side->addLayout(top);
    form_side->addWidget(scroll, 1);
    help_->setWordWrap(true);
    help_->setTextFormat(Qt::RichText);
    help_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    help_->setMinimumHeight(4 * fontMetrics().lineSpacing());
    explain();
    form_side->addWidget(help_);
    connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
        if (!form_->explanation(now).isEmpty()) {
            explained_ = now;
            explain();
        }
    });

    sides_->addWidget(left);
    sides_->addWidget(text_);
    sides_->setSizes({430, 470});
    problems_->setAccessibleName(tr("Faults and warnings"));
    problems_->setWordWrap(true);
    problems_->setMaximumHeight(130);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(sides_, 1);
    layout->addWidget(state_);
    layout->addWidget(problems_);

    debounce_->setSingleShot(true);
    debounce_->setInterval(kDebounceMilliseconds);
    connect(debounce_, &QTimer::timeout, this, &ScenarioEditor::check);
    connect(&document_, &Document::changed, this, &ScenarioEditor::textChanged);
    connect(&document_, &Document::pathChanged, this, &ScenarioEditor::begin);
    connect(form_, &ScenarioForm::edited, this, &ScenarioEditor::setValue);
    connect(form_, &ScenarioForm::tableAsked, this, [this](const QString& name) {
        const QString before = document_.text();
        replace_text(document_.editable(), before,
                     QString::fromStdString(add_toml_table(before.toStdString(), name.toStdString())));
    });
    const auto refilter = [this] { form_->setFilter(filter_->text(), all_->isChecked()); };
    connect(filter_, &QLineEdit::textChanged, this, refilter);
    connect(all_, &QCheckBox::toggled, this, refilter);
    connect(runner_.get(), &Runner::finished, this, &ScenarioEditor::take);
    connect(runner_.get(), &Runner::failed, this, [this](const QString& message, const QByteArray& output) {
        if (output.isEmpty()) {
            state_->setText(message);
        } else {
            take(output); // a faulty text has an answer too
        }
    });
    connect(problems_, &QListWidget::itemActivated, this, [this](QListWidgetItem* item) {
        goTo(item->data(Qt::UserRole).toInt(), item->data(Qt::UserRole + 1).toInt());
    });
    textChanged();
}

ScenarioEditor::~ScenarioEditor() { text_->setDocument(nullptr); }

void ScenarioEditor::explain() {
    const QString words = form_->explanation(explained_);
    const QString otherwise =
        tr("The field that is edited is explained here; names that are bold are set in the file.");
    help_->setText(words.isEmpty() ? otherwise : words);
}

void ScenarioEditor::begin() {
    if (document_.path() != path_) {
        path_ = document_.path();
        form_->setResolved({});
        explain();
        emit begun();
    }
    textChanged();
}

bool ScenarioEditor::busy() const { return debounce_->isActive() || runner_->running(); }

void ScenarioEditor::setValue(const QString& key, const QString& literal) {
    const QString before = document_.text();
    if (const auto after = with_value(before.toStdString(), key.toStdString(), literal.toStdString())) {
        replace_text(document_.editable(), before, QString::fromStdString(*after));
    } else {
        state_->setText(tr("%1 cannot be changed here: edit the text.").arg(key));
        textChanged(); // the form shows the text's value again
    }
}

void ScenarioEditor::textChanged() {
    if (const auto index = index_toml(document_.text().toStdString())) {
        std::map<QString, QString> values;
        std::map<QString, int> tables;
        for (const auto& [key, value] : index->values) {
            values[QString::fromStdString(key)] = QString::fromStdString(value.text);
        }
        for (const auto& [name, count] : index->tables) {
            tables[QString::fromStdString(name)] = count;
        }
        form_->setValues(values, tables);
        form_->setEnabled(true);
    } else {
        form_->setEnabled(false); // until the text is TOML again
    }
    if (document_.isOpen()) {
        debounce_->start();
    } else {
        debounce_->stop();
        runner_->cancel();
        showFaults({});
        state_->clear();
    }
}

void ScenarioEditor::check() { runner_->start(document_.invocation("check", {"--json", "-"})); }

void ScenarioEditor::take(const QByteArray& json) {
    try {
        const QJsonObject answer = parse_answer(json, "chokepoint/check/1");
        const QJsonObject values = answer.value("values").toObject();
        QHash<QString, QPair<QString, QString>> resolved;
        for (auto it = values.begin(); it != values.end(); ++it) {
            const QJsonObject value = it->toObject();
            QString where = value.value("where").toString();
            where.replace("<stdin>:", tr("line "));
            resolved[it.key()] = {value.value("text").toString(),
                                  value.value("origin").toString() + ": " + where};
        }
        if (!values.isEmpty()) {
            form_->setResolved(resolved);
            explain();
        }
        showFaults(answer);
        emit checked(values);
    } catch (const ContractError& error) {
        state_->setText(QString::fromUtf8(error.what()));
    }
}

void ScenarioEditor::showFaults(const QJsonObject& answer) {
    problems_->clear();
    QList<int> lines;
    QStringList messages;
    QHash<QString, QString> at_keys;
    const auto index = index_toml(document_.text().toStdString());
    for (const QJsonValue& fault : answer.value("faults").toArray()) {
        const int line = fault["line"].toInt();
        const QString message = fault["message"].toString();
        auto* item =
            new QListWidgetItem(line > 0 ? tr("line %1: %2").arg(line).arg(message) : message, problems_);
        item->setForeground(fault_color(is_dark(*this)));
        item->setData(Qt::UserRole, line);
        item->setData(Qt::UserRole + 1, fault["column"].toInt());
        lines << line;
        messages << message;
        const std::string key = index ? index->key_at(line) : "";
        if (!key.empty()) {
            at_keys[QString::fromStdString(key)] = message;
        }
    }
    const auto faulty = problems_->count();
    for (const QJsonValue& warning : answer.value("warnings").toArray()) {
        QString words = warning.toString();
        new QListWidgetItem(words.replace("<stdin>", document_.name()), problems_);
    }
    state_->setText(faulty > 0               ? tr("Faults: %1. Enter on one goes to its place.").arg(faulty)
                    : problems_->count() > 0 ? tr("Valid, with remarks: %1").arg(problems_->count())
                                             : tr("Valid"));
    problems_->setVisible(problems_->count() > 0);
    form_->setFaults(at_keys);
    markLines(lines, messages);
}

void ScenarioEditor::markLines(const QList<int>& lines, const QStringList& messages) {
    QList<QTextEdit::ExtraSelection> marks;
    for (qsizetype i = 0; i < lines.size(); ++i) {
        const QTextBlock block = document_.editable().findBlockByNumber(lines[i] - 1);
        if (lines[i] <= 0 || !block.isValid()) {
            continue;
        }
        QTextEdit::ExtraSelection mark;
        mark.cursor = QTextCursor(block);
        mark.cursor.select(QTextCursor::LineUnderCursor);
        mark.format.setUnderlineStyle(QTextCharFormat::WaveUnderline);
        mark.format.setUnderlineColor(QColor(0xD1, 0x44, 0x3B));
        mark.format.setToolTip(messages[i]);
        QColor ground(0xD1, 0x44, 0x3B, 40);
        mark.format.setBackground(ground);
        marks << mark;
    }
    text_->setExtraSelections(marks);
}

QStringList ScenarioEditor::faults() const {
    QStringList list;
    for (int i = 0; i < problems_->count(); ++i) {
        if (problems_->item(i)->data(Qt::UserRole).isValid()) {
            list << problems_->item(i)->text();
        }
    }
    return list;
}

void ScenarioEditor::goTo(int line, int column) {
    const QTextBlock block = document_.editable().findBlockByNumber(line - 1);
    if (block.isValid()) {
        QTextCursor cursor(block);
        cursor.movePosition(QTextCursor::Right, QTextCursor::MoveAnchor, std::max(0, column - 1));
        text_->setTextCursor(cursor);
        text_->setFocus();
    }
}

void ScenarioEditor::resizeEvent(QResizeEvent* event) {
    // Side by side the form's values would have no room below this.
    constexpr int kNarrow = 640;
    const Qt::Orientation fits = width() < kNarrow ? Qt::Vertical : Qt::Horizontal;
    if (sides_->orientation() != fits) {
        sides_->setOrientation(fits);
        sides_->setSizes({1, 1});
    }
    QWidget::resizeEvent(event);
}

void ScenarioEditor::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange) {
        highlighter_->setDark(is_dark(*this));
        for (int i = 0; i < problems_->count(); ++i) {
            if (problems_->item(i)->data(Qt::UserRole).isValid()) {
                problems_->item(i)->setForeground(fault_color(is_dark(*this)));
            }
        }
    }
    QWidget::changeEvent(event);
}

} // namespace chokepoint::gui
