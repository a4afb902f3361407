// SPDX-License-Identifier: GPL-3.0-or-later
#include "start_page.hpp"

#include "runner.hpp"
#include "scenario_card.hpp"
#include "text.hpp"
#include "theme.hpp"

#include <chokepoint/hwmodels/catalog.hpp>

#include <QDir>
#include <QFileInfo>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QRegularExpression>
#include <QScrollArea>
#include <QVBoxLayout>

#include <algorithm>

namespace chokepoint::gui {

namespace {

constexpr int kColumns = 3;
constexpr int kHeadline = 20; ///< pixels, of type

/// A basic string of the file's first lines; what the loader thinks of the file is asked when it is opened.
QString line_of(const QString& text, const QString& key) {
    const QRegularExpression line("^" + key + R"x( *= *"((?:[^"\\]|\\.)*)")x",
                                  QRegularExpression::MultilineOption);
    return line.match(text).captured(1);
}

} // namespace

std::vector<Shipped> shipped_scenarios() {
    std::vector<Shipped> list;
    const QDir folder(QString::fromStdString((hw::data_directory() / "scenarios").string()));
    for (const QFileInfo& entry : folder.entryInfoList({"*.toml"}, QDir::Files, QDir::Name)) {
        QFile file(entry.filePath());
        if (file.open(QIODevice::ReadOnly)) {
            const QString text = QString::fromUtf8(file.readAll());
            list.push_back({entry.filePath(), line_of(text, "title"), line_of(text, "question")});
        }
    }
    return list;
}

bool is_shipped(const QString& path) {
    if (path.isEmpty()) {
        return false;
    }
    const QDir data(QString::fromStdString(hw::data_directory().string()));
    const QFileInfo file(path);
    // By its name, or by another that leads to the same installation.
    return QDir::cleanPath(file.absoluteFilePath())
               .startsWith(QDir::cleanPath(data.absolutePath()) + "/scenarios/") ||
           file.canonicalFilePath().startsWith(data.canonicalPath() + "/scenarios/");
}

StartPage::StartPage(QWidget* parent)
    : Page(parent),
      recent_(new QListWidget(this)),
      fault_(new FaultLabel(this)),
      runner_(std::make_unique<Runner>()) {
    auto* layout = new QHBoxLayout(this);
    layout->setSpacing(18);
    auto* left = new QVBoxLayout;
    auto* open = new QPushButton(tr("&Open a scenario…"), this);
    auto* guide = new QPushButton(tr("&Guided example (two minutes)"), this);
    left->addWidget(open);
    left->addWidget(guide);
    left->addWidget(new QLabel(tr("Recent files"), this));
    recent_->setAccessibleName(tr("Recent files"));
    recent_->setTextElideMode(Qt::ElideMiddle);
    recent_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    recent_->setAlternatingRowColors(true);
    left->addWidget(recent_, 1);
    auto* hint = new QLabel(tr("Or drop a scenario on this window."), this);
    hint->setForegroundRole(QPalette::PlaceholderText);
    left->addWidget(hint);
    layout->addLayout(left, 1);

    auto* right = new QVBoxLayout;
    auto* question =
        new QLabel(tr("What does a hardware restriction do to the cost of training a model?"), this);
    set_type(*question, kHeadline, true);
    question->setWordWrap(true);
    right->addWidget(question);
    right->addWidget(new QLabel(tr("Scenarios that come with the program:"), this));
    fault_->setWordWrap(true);
    fault_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    fault_->setAccessibleName(tr("Message"));
    fault_->hide();
    right->addWidget(fault_);
    auto* content = new QWidget;
    auto* grid = new QGridLayout(content);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(12);
    for (const Shipped& shipped : shipped_scenarios()) {
        auto* card = new ScenarioCard(shipped.title, shipped.question, shipped.path, content);
        connect(card, &QAbstractButton::clicked, this, [this, path = shipped.path] { emit chosen(path); });
        const auto n = static_cast<int>(cards_.size());
        grid->addWidget(card, n / kColumns, n % kColumns);
        cards_.push_back(card);
    }
    for (int column = 0; column < kColumns; ++column) {
        grid->setColumnStretch(column, 1);
    }
    grid->setRowStretch(grid->rowCount(), 1);
    auto* scroll = new QScrollArea(this);
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setAccessibleName(tr("Scenarios that come with the program"));
    right->addWidget(scroll, 1);
    layout->addLayout(right, 4);

    connect(open, &QPushButton::clicked, this, &StartPage::openAsked);
    connect(guide, &QPushButton::clicked, this, &StartPage::guideAsked);
    connect(recent_, &QListWidget::itemActivated, this,
            [this](QListWidgetItem* item) { emit chosen(item->toolTip()); });
    connect(runner_.get(), &Runner::finished, this, [this](const QByteArray& json) {
        try {
            cards_[next_]->show(parse_run(json));
            fault_->hide();
        } catch (const std::exception&) {
            // Without its glance a card still has its title and opens the file, which then says what is
            // wrong.
        }
    });
    connect(runner_.get(), &Runner::failed, this, [this](const QString& message) {
        // Of one broken scenario its own page tells; a command line that answers nothing is told here.
        fault_->setText(message);
        fault_->setVisible(unanswered());
    });
    connect(runner_.get(), &Runner::ended, this, [this] {
        ++next_;
        computeNext();
    });
}

StartPage::~StartPage() = default;

void StartPage::setRecent(const QStringList& paths) {
    recent_->clear();
    for (const QString& path : paths) {
        // Copies of one scenario have its name: where they lie tells them apart.
        auto* item = new QListWidgetItem(
            QFileInfo(path).fileName() + QChar::LineSeparator + folder_text(path), recent_);
        item->setToolTip(path);
        if (!QFileInfo::exists(path)) {
            item->setFlags(item->flags() & ~Qt::ItemIsEnabled);
        }
    }
}

void StartPage::activate() {
    if (!busy() && next_ == 0) {
        computeNext();
    }
}

void StartPage::computeNext() {
    if (next_ < cards_.size()) {
        runner_->start({{"run", cards_[next_]->path(), "--json", "-", "--progress", "none"}, {}, {}});
    }
}

bool StartPage::unanswered() const {
    return std::ranges::none_of(cards_, [](const ScenarioCard* card) { return card->hasGlance(); });
}

bool StartPage::empty() const { return cards_.empty() || (!fault_->text().isEmpty() && unanswered()); }

QString StartPage::problem() const { return unanswered() ? fault_->text() : QString(); }

bool StartPage::busy() const { return runner_->running(); }

} // namespace chokepoint::gui
