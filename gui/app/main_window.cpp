// SPDX-License-Identifier: GPL-3.0-or-later
#include "main_window.hpp"

#include "compare_page.hpp"
#include "curves_page.hpp"
#include "document.hpp"
#include "guide_bar.hpp"
#include "message_bar.hpp"
#include "rules_page.hpp"
#include "scenario_editor.hpp"
#include "scenario_page.hpp"
#include "start_page.hpp"
#include "timeline_page.hpp"
#include "validate_page.hpp"

#include <QApplication>
#include <QCloseEvent>
#include <QDockWidget>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QListWidget>
#include <QMenuBar>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QVBoxLayout>

namespace chokepoint::gui {

namespace {

// Raised whenever docks or toolbars change, so that an older layout is not applied to a newer window.
constexpr int kLayoutVersion = 1;
constexpr int kRecentFiles = 12;
constexpr QSize kUsualSize{1440, 900};

} // namespace

QStringList page_names() {
    return {"start", "scenario", "compare", "curves", "timeline", "validate", "rules"};
}

MainWindow::MainWindow(std::unique_ptr<QSettings> settings, const QString& recovery, const QString& answers)
    : settings_(std::move(settings)),
      recovery_(recovery),
      answers_(answers),
      earlierPage_(settings_->value("session/page").toString()),
      earlierFiles_(settings_->value("session/compared").toStringList()),
      document_(std::make_unique<Document>(recovery)),
      navigation_(new QListWidget(this)),
      stack_(new QStackedWidget(this)),
      menus_(new QMenuBar(this)),
      message_(new MessageBar(this)),
      guide_(new GuideBar(this)) {
    auto* center = new QWidget(this);
    auto* layout = new QHBoxLayout(center);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(navigation_);
    layout->addWidget(stack_, 1);
    setCentralWidget(center);
    makeHead();
    navigation_->setFixedWidth(150);
    navigation_->setFrameShape(QFrame::NoFrame);
    navigation_->setAccessibleName(tr("Pages"));
    navigation_->setSpacing(2);
    setAcceptDrops(true);
    QApplication::instance()->installEventFilter(this);

    start_ = new StartPage(this);
    compare_ = new ComparePage(*document_, this);
    addPage("start", tr("Start"), start_);
    makeScenarioDock();
    addPage("scenario", tr("Scenario"), new ScenarioPage(*editor_, this));
    addPage("compare", tr("Compare"), compare_);
    addPage("curves", tr("Cost curves"), new CurvesPage(*document_, this));
    auto* timeline = new TimelinePage(*document_, this);
    timeline->setOffers([this] { return compare_->files(); });
    addPage("timeline", tr("Timeline"), timeline);
    addPage("validate", tr("Validate"), new ValidatePage(answers_, this));
    addPage("rules", tr("Rules"), new RulesPage(*document_, this));

    connect(navigation_, &QListWidget::currentRowChanged, this, [this](int row) {
        stack_->setCurrentIndex(row);
        placeDock(stack_->currentWidget()->objectName());
        static_cast<Page*>(stack_->currentWidget())->activate();
        keepSession();
    });
    connect(compare_, &ComparePage::filesChanged, this, &MainWindow::keepSession);
    connect(start_, &StartPage::chosen, this, [this](const QString& path) {
        if (open(path)) {
            showPage("compare");
        }
    });
    connect(compare_, &ComparePage::refused, message_, &MessageBar::tell);
    connect(guide_, &GuideBar::pageAsked, this, &MainWindow::showPage);
    connect(start_, &StartPage::openAsked, this, &MainWindow::askOpen);
    connect(start_, &StartPage::guideAsked, this, &MainWindow::startGuide);
    connect(document_.get(), &Document::pathChanged, this, &MainWindow::refreshTitle);
    connect(document_.get(), &Document::changed, this, &MainWindow::refreshTitle);
    connect(document_.get(), &Document::overtaken, this, [this] {
        message_->tell(
            tr("%1 has been changed by another program. Reload (F5) reads it again; Save asks before "
               "it overwrites it.")
                .arg(document_->name()));
    });
    connect(&document_->editable(), &QTextDocument::modificationChanged, this,
            &MainWindow::setWindowModified);
    makeMenus();
    statusBar();
    restoreLayout();
    refreshTitle();
    navigation_->setCurrentRow(0);
}

MainWindow::~MainWindow() {
    // Pages and editor look at the document, which would go before Qt's children do.
    delete scenarioDock_;
    delete takeCentralWidget();
}

void MainWindow::makeHead() {
    // Above the docks too: what is said of a page has room on each of them, however wide its dock is.
    auto* head = new QWidget(this);
    auto* lines = new QVBoxLayout(head);
    lines->setContentsMargins(0, 0, 0, 0);
    lines->setSpacing(0);
    lines->addWidget(menus_);
    lines->addWidget(message_);
    lines->addWidget(guide_);
    setMenuWidget(head);
}

void MainWindow::addPage(const QString& name, const QString& title, Page* page) {
    page->setObjectName(name);
    stack_->addWidget(page);
    auto* item = new QListWidgetItem(title, navigation_);
    item->setData(Qt::UserRole, name);
    item->setSizeHint({0, 34});
}

Page* MainWindow::page(const QString& name) const {
    for (int i = 0; i < stack_->count(); ++i) {
        if (stack_->widget(i)->objectName() == name) {
            return static_cast<Page*>(stack_->widget(i));
        }
    }
    return nullptr;
}

void MainWindow::showPage(const QString& name) {
    for (int i = 0; i < navigation_->count(); ++i) {
        if (navigation_->item(i)->data(Qt::UserRole) == name) {
            if (navigation_->currentRow() == i) {
                page(name)->activate();
            }
            navigation_->setCurrentRow(i);
        }
    }
}

bool MainWindow::open(const QString& path) {
    if (!mayDiscard()) {
        return false;
    }
    try {
        document_->open(path);
    } catch (const std::exception& error) {
        message_->tell(QString::fromUtf8(error.what()));
        return false;
    }
    message_->clear();
    remember(document_->path());
    static_cast<Page*>(stack_->currentWidget())->activate();
    return true;
}

void MainWindow::makeScenarioDock() {
    editor_ = new ScenarioEditor(*document_, this);
    scenarioDock_ = new QDockWidget(tr("Scenario"), this);
    scenarioDock_->setObjectName("scenario-dock");
    scenarioDock_->setWidget(editor_);
    addDockWidget(Qt::RightDockWidgetArea, scenarioDock_);
    scenarioDock_->hide();
    connect(scenarioDock_->toggleViewAction(), &QAction::triggered, this, [this](bool shown) {
        if (stack_->currentWidget()->objectName() != "scenario") {
            dockWanted_ = shown;
        }
    });
}

void MainWindow::placeDock(const QString& page) {
    const bool whole = page == "scenario";
    for (int i = 0; i < stack_->count(); ++i) {
        // A page that is not shown takes no room from the dock.
        const auto policy = i == stack_->currentIndex() ? QSizePolicy::Preferred : QSizePolicy::Ignored;
        stack_->widget(i)->setSizePolicy(policy, policy);
    }
    scenarioDock_->setVisible(whole || (dockWanted_ && page != "start"));
    constexpr double kShareOfItsPage = 0.53;
    constexpr double kShareBeside = 0.36;
    resizeDocks({scenarioDock_}, {static_cast<int>(width() * (whole ? kShareOfItsPage : kShareBeside))},
                Qt::Horizontal);
}

QString MainWindow::message() const { return message_->message(); }

void MainWindow::compareWith(const QStringList& paths) { compare_->add(paths); }

void MainWindow::remember(const QString& path) {
    QStringList recent = settings_->value("recent").toStringList();
    recent.removeAll(path);
    recent.prepend(path);
    recent = recent.mid(0, kRecentFiles);
    settings_->setValue("recent", recent);
    start_->setRecent(recent);
}

void MainWindow::keepSession() {
    settings_->setValue("session/page", stack_->currentWidget()->objectName());
    settings_->setValue("session/compared", compare_->files());
}

void MainWindow::refreshTitle() {
    setWindowTitle(document_->isOpen() ? document_->name() + "[*] - Chokepoint" : tr("Chokepoint") + "[*]");
    setWindowFilePath(document_->path());
    setWindowModified(document_->isModified());
}

void MainWindow::restoreLayout() {
    start_->setRecent(settings_->value("recent").toStringList());
    resize(kUsualSize);
    restoreGeometry(settings_->value("geometry").toByteArray());
    restoreState(settings_->value("layout").toByteArray(), kLayoutVersion);
    setLook(static_cast<Look>(settings_->value("look", static_cast<int>(Look::light)).toInt()));
}

void MainWindow::restoreDefaultLayout() {
    settings_->remove("layout");
    settings_->remove("geometry");
    resize(kUsualSize);
    dockWanted_ = false;
    scenarioDock_->setFloating(false);
    addDockWidget(Qt::RightDockWidgetArea, scenarioDock_);
    placeDock(stack_->currentWidget()->objectName());
}

void MainWindow::setLook(Look look) {
    settings_->setValue("look", static_cast<int>(look));
    apply_look(look);
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (!mayDiscard()) {
        event->ignore();
        return;
    }
    settings_->setValue("geometry", saveGeometry());
    settings_->setValue("layout", saveState(kLayoutVersion));
    event->accept();
}

} // namespace chokepoint::gui
