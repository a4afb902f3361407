// SPDX-License-Identifier: GPL-3.0-or-later
#include "timeline_page.hpp"

#include "document.hpp"
#include "runner.hpp"
#include "text.hpp"
#include "timeline_view.hpp"
#include "trace_reader.hpp"
#include "work_bar.hpp"

#include <QCheckBox>
#include <QCoreApplication>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QVBoxLayout>

namespace chokepoint::gui {

TimelinePage::TimelinePage(Document& document, QWidget* parent)
    : Page(parent),
      document_(document),
      runner_(std::make_unique<Runner>()),
      view_(new TimelineView(this)),
      minimap_(new Minimap(*view_, this)),
      search_(new QLineEdit(this)),
      belowMenu_(new QMenu(this)),
      path_(new QCheckBox(tr("&Critical path"), this)),
      found_(new QLabel(this)),
      status_(new QLabel(this)),
      work_(new WorkBar(this)) {
    auto* layout = new QVBoxLayout(this);
    auto* top = new QHBoxLayout;
    auto* below = new QPushButton(tr("&Another below"), this);
    auto* whole = new QPushButton(tr("&Whole step"), this);
    below->setToolTip(tr("Another scenario, or a trace file, on the same time axis"));
    below->setMenu(belowMenu_);
    path_->setChecked(true);
    path_->setToolTip(tr("The chain of spans that set the step's time; the others are pale"));
    search_->setPlaceholderText(tr("Find spans: combine, attn, 3F0… (Enter: next)"));
    search_->setClearButtonEnabled(true);
    search_->setAccessibleName(tr("Find spans"));
    found_->setMinimumWidth(110);
    top->addWidget(search_, 1);
    top->addWidget(found_);
    top->addWidget(path_);
    top->addWidget(whole);
    top->addWidget(below);
    layout->addLayout(top);
    layout->addWidget(work_);
    layout->addWidget(minimap_);
    layout->addWidget(view_, 1);
    status_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    status_->setText(
        tr("Ctrl and wheel, or W and S: zoom. Drag, or A and D: move. Shift and drag: zoom to a stretch."));
    layout->addWidget(makeLegend());
    layout->addWidget(status_);

    runner_->setKeepsOutput(false); // a trace is read as it comes
    work_->watch(*runner_);
    connect(runner_.get(), &Runner::received, this, &TimelinePage::take);
    connect(runner_.get(), &Runner::finished, this, &TimelinePage::finish);
    connect(whole, &QPushButton::clicked, view_, &TimelineView::resetView);
    connect(search_, &QLineEdit::textChanged, this, [this](const QString& words) {
        const std::size_t count = view_->search(words);
        found_->setText(words.isEmpty() ? QString()
                                        : tr("%1 found").arg(whole_text(static_cast<double>(count))));
    });
    connect(search_, &QLineEdit::returnPressed, this, [this] { view_->nextMatch(1); });
    connect(view_, &TimelineView::hovered, this, [this](const QString& words) {
        if (!words.isEmpty()) {
            status_->setText(words);
        }
    });
    connect(belowMenu_, &QMenu::aboutToShow, this, &TimelinePage::fillBelowMenu);
    connect(path_, &QCheckBox::toggled, view_, &TimelineView::setPathShown);
    connect(runner_.get(), &Runner::ended, this, [this] {
        view_->setEnabled(true); // what was there before, if nothing new came
        if (!pending_.isEmpty()) {
            addBelow(std::exchange(pending_, QString()));
        }
    });
}

QWidget* TimelinePage::makeLegend() {
    // As the trace for ui.perfetto.dev is coloured.
    const std::pair<QString, const char*> kinds[] = {{tr("forward"), "thread_state_running"},
                                                     {tr("backward"), "rail_response"},
                                                     {tr("weight gradient"), "rail_animation"},
                                                     {tr("expert traffic"), "thread_state_iowait"},
                                                     {tr("other traffic"), "thread_state_uninterruptible"}};
    QStringList entries;
    for (const auto& [name, color] : kinds) {
        entries << QString("<span style='color:%1'>■</span> %2").arg(trace_color(color).name(), name);
    }
    auto* legend = new QLabel(entries.join("&nbsp;&nbsp; "), this);
    legend->setAccessibleName(tr("Colours of the spans"));
    return legend;
}

void TimelinePage::fillBelowMenu() {
    belowMenu_->clear();
    for (const QString& file : offers_()) {
        belowMenu_->addAction(QFileInfo(file).fileName(), this, [this, file] { addBelow(file); })
            ->setToolTip(file);
    }
    belowMenu_->addAction(tr("Scenario or trace &file…"), this, &TimelinePage::askBelow);
    if (below_) {
        belowMenu_->addSeparator();
        belowMenu_->addAction(tr("&Only the open scenario"), this, &TimelinePage::removeBelow);
    }
}

void TimelinePage::askBelow() {
    const QString path = QFileDialog::getOpenFileName(this, tr("Another timeline"), {},
                                                      tr("Scenarios and traces (*.toml *.json)"));
    if (!path.isEmpty()) {
        addBelow(path);
    }
}

void TimelinePage::removeBelow() {
    pending_.clear();
    below_.reset();
    show();
}

TimelinePage::~TimelinePage() { runner_->disconnect(this); }

void TimelinePage::startReading(bool below) {
    reading_ = std::make_shared<TraceModel>();
    reader_ = std::make_unique<TraceReader>(*reading_);
    readingBelow_ = below;
    fault_.clear();
    view_->setEnabled(false);
}

void TimelinePage::activate() {
    if (document_.isOpen() && revision_ != document_.revision()) {
        revision_ = document_.revision();
        startReading(false);
        runner_->start(document_.invocation("trace", {"-o", "-", "--progress", "json"}));
    }
}

void TimelinePage::addBelow(const QString& path) {
    if (runner_->running()) {
        pending_ = path;
        return;
    }
    startReading(true);
    if (!path.endsWith(".json")) {
        runner_->start({{"trace", path, "-o", "-", "--progress", "json"}, {}, {}});
        return;
    }
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        view_->setEnabled(true);
        work_->setMessage(tr("cannot read '%1': %2").arg(path, file.errorString()));
        return;
    }
    constexpr qint64 kPiece = 1 << 20;
    while (!file.atEnd()) {
        take(file.read(kPiece));
        QCoreApplication::processEvents(QEventLoop::ExcludeUserInputEvents);
    }
    finish();
}

void TimelinePage::take(const QByteArray& piece) {
    if (!fault_.isEmpty() || reader_ == nullptr) {
        return;
    }
    try {
        reader_->feed({piece.constData(), static_cast<std::size_t>(piece.size())});
    } catch (const std::exception& error) {
        fault_ = QString::fromUtf8(error.what());
    }
}

void TimelinePage::finish() {
    try {
        if (fault_.isEmpty()) {
            reader_->end();
        }
    } catch (const std::exception& error) {
        fault_ = QString::fromUtf8(error.what());
    }
    view_->setEnabled(true);
    if (!fault_.isEmpty()) {
        work_->setMessage(fault_);
        return;
    }
    reading_->finish();
    (readingBelow_ ? below_ : first_) = reading_;
    show();
}

void TimelinePage::show() {
    std::vector<std::shared_ptr<const TraceModel>> models;
    for (const auto& model : {first_, below_}) {
        if (model) {
            models.push_back(model);
        }
    }
    view_->setModels(std::move(models));
    path_->setEnabled(view_->hasPath());
    minimap_->refresh();
    search_->clear();
}

void TimelinePage::demonstrate() {
    activate();
    while (busy()) {
        QCoreApplication::processEvents(QEventLoop::AllEvents, 20);
    }
    const QStringList others = offers_();
    if (!others.isEmpty()) {
        addBelow(others.first());
        while (busy()) {
            QCoreApplication::processEvents(QEventLoop::AllEvents, 20);
        }
    }
    // Somewhere in the middle, near enough to read names.
    constexpr double kFrom = 0.40, kTo = 0.408;
    const double end = view_->to();
    view_->setRange(kFrom * end, kTo * end);
}

bool TimelinePage::busy() const { return runner_->running(); }
bool TimelinePage::empty() const { return view_->models().empty(); }
QString TimelinePage::problem() const { return work_->message(); }

} // namespace chokepoint::gui
