// SPDX-License-Identifier: GPL-3.0-or-later
// The window: one page per question, and what all of them share: the open scenario, menus, layout.
#pragma once

#include "answer_store.hpp"
#include "theme.hpp"

#include <QMainWindow>

#include <memory>

class QDockWidget;
class QListWidget;
class QMenu;
class QMenuBar;
class QSettings;
class QStackedWidget;

namespace chokepoint::gui {

class ComparePage;
class Document;
class GuideBar;
class MessageBar;
class Page;
class ScenarioEditor;
class StartPage;

/// Names of the pages, in their order: "start", "scenario", …
QStringList page_names();

class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    /// Remembers layout and recent files in `settings`, copies of unsaved text in `recovery` and answers that
    /// take long in `answers` (none where the folder's name is empty).
    MainWindow(std::unique_ptr<QSettings> settings, const QString& recovery, const QString& answers = {});
    ~MainWindow() override;

    /// Opens a scenario; false, with a message, if it cannot be read.
    bool open(const QString& path);
    /// What was told last above the pages; empty if all went well since.
    [[nodiscard]] QString message() const;
    void compareWith(const QStringList& paths);
    void showPage(const QString& name);
    [[nodiscard]] Page* page(const QString& name) const;
    [[nodiscard]] Document& document() { return *document_; }
    /// Offers the text that a crash left behind; true if it was taken.
    bool offerRecovery();
    void restoreDefaultLayout();
    void startGuide();

protected:
    void closeEvent(QCloseEvent*) override;
    /// Files that are dropped on any of the window's widgets, before those take them for text.
    bool eventFilter(QObject*, QEvent*) override;

private:
    void addPage(const QString& name, const QString& title, Page*);
    /// The menus and, below them over the whole width, the guide.
    void makeHead();
    void makeMenus();
    void makeFileMenu();
    void makeViewMenu();
    void askOpen();
    void openDropped(const QStringList& files);
    void begin();
    bool save(bool as);
    /// Where to save; empty if the question is closed.
    QString askSaveAs();
    /// The same of a text whose file another program has changed meanwhile.
    QString askOvertaken();
    /// True if the present text may go.
    bool mayDiscard();
    void remember(const QString& path);
    /// What stands beside unsaved text, for after a crash.
    void keepSession();
    void refreshTitle();
    void restoreLayout();
    void setLook(Look);
    void makeScenarioDock();
    void placeDock(const QString& page);

    std::unique_ptr<QSettings> settings_;
    QString recovery_;
    AnswerStore answers_;
    QString earlierPage_; ///< of the session before this one
    QStringList earlierFiles_;
    std::unique_ptr<Document> document_;
    QListWidget* navigation_;
    QStackedWidget* stack_;
    QMenuBar* menus_;
    MessageBar* message_;
    GuideBar* guide_;
    StartPage* start_ = nullptr;
    ComparePage* compare_ = nullptr;
    ScenarioEditor* editor_ = nullptr;
    QDockWidget* scenarioDock_ = nullptr;
    bool dockWanted_ = false; ///< on pages other than that of the scenario
    QMenu* recentMenu_ = nullptr;
};

} // namespace chokepoint::gui
