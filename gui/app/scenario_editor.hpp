// SPDX-License-Identifier: GPL-3.0-or-later
// The scenario as a form beside its text: an edit in either shows in the other, faults stand at their place.
#pragma once

#include <QHash>
#include <QJsonObject>
#include <QPointer>
#include <QWidget>

#include <memory>

class QCheckBox;
class QLabel;
class QLineEdit;
class QListWidget;
class QPlainTextEdit;
class QSplitter;
class QTimer;

namespace chokepoint::gui {

class CatalogLists;
class Document;
class Runner;
class ScenarioForm;
class TomlHighlighter;

class ScenarioEditor : public QWidget {
    Q_OBJECT

public:
    explicit ScenarioEditor(Document&, QWidget* parent = nullptr);
    ~ScenarioEditor() override;

    /// Room for form and text side by side.
    [[nodiscard]] QSize sizeHint() const override { return {900, 700}; }
    [[nodiscard]] bool busy() const;
    [[nodiscard]] QPlainTextEdit& text() { return *text_; }
    [[nodiscard]] ScenarioForm& form() { return *form_; }
    /// The faults of the text as it stands, a line each.
    [[nodiscard]] QStringList faults() const;
    /// Sets a key through the form's door: one undoable edit of one line.
    void setValue(const QString& key, const QString& literal);

signals:
    /// Another scenario: what was told of the one before holds no more.
    void begun();
    /// What `check` resolved ("values" of its JSON); empty while the text is faulty.
    void checked(const QJsonObject& values);

protected:
    void changeEvent(QEvent*) override;
    void resizeEvent(QResizeEvent*) override;

private:
    void textChanged();
    void check();
    void take(const QByteArray& json);
    void showFaults(const QJsonObject& answer);
    void markLines(const QList<int>& lines, const QStringList& messages);
    void goTo(int line, int column);
    /// What a field means and is, for as long as no other is edited.
    void explain();
    void begin();

    Document& document_;
    QString path_; ///< of the scenario that the form is about
    std::unique_ptr<CatalogLists> lists_;
    std::unique_ptr<Runner> runner_;
    QSplitter* sides_;
    QPlainTextEdit* text_;
    TomlHighlighter* highlighter_;
    ScenarioForm* form_;
    QListWidget* problems_;
    QLabel* state_;
    QLineEdit* filter_;
    QCheckBox* all_;
    QLabel* help_;
    QPointer<QWidget> explained_;
    QTimer* debounce_;
};

} // namespace chokepoint::gui
