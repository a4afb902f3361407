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

namespace {

/// What PyTorch's profiler writes before its first event, and no other trace does.
bool is_profile(const QString& path) {
    if (path.endsWith(".gz")) {
        return true;
    }
    constexpr qint64 kHead = 64 << 10;
    QFile file(path);
    const QByteArray head = file.open(QIODevice::ReadOnly) ? file.read(kHead) : QByteArray();
    return head.contains("\"schemaVersion\"") || head.contains("\"deviceProperties\"");
}

} // namespace

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
      legend_(new QLabel(this)),
      status_(new QLabel(this)),
      work_(new WorkBar(this)) {
    auto* layout = new QVBoxLayout(this);
    auto* top = new QHBoxLayout;
    auto* below = new QPushButton(tr("&Another below"), this);
    auto* whole = new QPushButton(tr("&Whole step"), this);
    below->setToolTip(tr("Another scenario, a trace, or a profile of real training, on the same time axis"));
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
    status_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred); // kernels have long names
    status_->setText(
        tr("Ctrl and wheel, or W and S: zoom. Drag, or A and D: move. Shift and drag: zoom to a stretch."));
    legend_->setAccessibleName(tr("Colours of the spans"));
    legend_->setWordWrap(true);
    layout->addWidget(legend_);
    showLegend();
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
    connect(runner_.get(), &Runner::ended, this, &TimelinePage::endReading);
    connect(&pieces_, &QTimer::timeout, this, &TimelinePage::readPiece);
    connect(work_, &WorkBar::cancelled, this, [this] {
        if (file_.isOpen()) {
            endReading();
        }
    });
}

void TimelinePage::endReading() {
    pieces_.stop();
    file_.close();
    work_->endProgress();
    view_->setEnabled(true); // what was there before, if nothing new came
    view_->setHint(tr("There is no step to see."));
    if (!pending_.isEmpty()) {
        addBelow(std::exchange(pending_, QString()));
    }
}

void TimelinePage::showLegend() {
    // As the trace for ui.perfetto.dev is coloured.
    constexpr const char* kOpen = "generic_work"; // of profiles alone
    const std::pair<QString, const char*> kinds[] = {{tr("forward"), "thread_state_running"},
                                                     {tr("backward"), "rail_response"},
                                                     {tr("weight gradient"), "rail_animation"},
                                                     {tr("forward or backward"), kOpen},
                                                     {tr("gradient norm, optimizer"), kUpdateColor},
                                                     {tr("expert traffic"), "thread_state_iowait"},
                                                     {tr("other traffic"), "thread_state_uninterruptible"},
                                                     {tr("schedule"), ""}};
    const bool open = below_ && below_->has_color(kOpen);
    QStringList entries;
    for (const auto& [name, color] : kinds) {
        if (color != kOpen || open) {
            entries << QString("<span style='color:%1'>■</span> %2").arg(trace_color(color).name(), name);
        }
    }
    QString names;
    if (first_ && below_) {
        names = tr("<b>A</b> %1 &nbsp;<b>B</b> %2 &nbsp;&nbsp; ")
                    .arg(firstName_.toHtmlEscaped(), belowName_.toHtmlEscaped());
    }
    legend_->setText(names + entries.join("&nbsp;&nbsp; "));
}

void TimelinePage::fillBelowMenu() {
    belowMenu_->clear();
    for (const QString& file : offers_()) {
        belowMenu_->addAction(QFileInfo(file).fileName(), this, [this, file] { addBelow(file); })
            ->setToolTip(file);
    }
    belowMenu_->addAction(tr("Scenario, trace or profile &file…"), this, &TimelinePage::askBelow);
    if (below_) {
        belowMenu_->addSeparator();
        belowMenu_
            ->addAction(aboveSelected() ? tr("Let it begin at the &selected span")
                                        : tr("Let it begin where the &view does"),
                        this, &TimelinePage::alignBelow)
            ->setEnabled(first_ != nullptr);
        belowMenu_->addAction(tr("Let it begin at &0"), this, [this] { placeBelow(0.0); });
        belowMenu_->addAction(tr("&Only the open scenario"), this, &TimelinePage::removeBelow);
    }
}

void TimelinePage::askBelow() {
    const QString path = QFileDialog::getOpenFileName(this, tr("Another timeline"), {},
                                                      tr("Scenarios, traces, profiles (*.toml *.json *.gz)"));
    if (!path.isEmpty()) {
        addBelow(path);
    }
}

void TimelinePage::removeBelow() {
    pending_.clear();
    below_.reset();
    show();
}

bool TimelinePage::aboveSelected() const {
    return first_ && view_->selected() && view_->selected()->model == 0;
}

void TimelinePage::alignBelow() {
    placeBelow(aboveSelected() ? view_->startOf(*view_->selected()) : view_->from());
}

void TimelinePage::placeBelow(double seconds) {
    belowAt_ = seconds;
    if (first_ && below_) {
        view_->setOffset(1, belowAt_);
        minimap_->refresh();
    }
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
    view_->setHint(document_.isOpen() ? tr("The step is being simulated.")
                                      : tr("Open a scenario to see its step, rank by rank."));
    if (document_.isOpen() && revision_ != document_.revision()) {
        revision_ = document_.revision();
        if (busy() && readingBelow_) {
            pending_ = belowPath_; // again, after the open scenario's
        }
        pieces_.stop();
        file_.close();
        startReading(false);
        runner_->start(document_.invocation("trace", {"-o", "-", "--progress", "json"}));
    }
}

void TimelinePage::addBelow(const QString& path) {
    if (busy()) {
        pending_ = path;
        return;
    }
    belowPath_ = path;
    startReading(true);
    if (is_profile(path)) {
        runner_->start({{"import", "kineto", path, "--trace", "-"}, {}, {}});
    } else if (path.endsWith(".json")) {
        file_.setFileName(path);
        if (!file_.open(QIODevice::ReadOnly)) {
            work_->setMessage(tr("cannot read '%1': %2").arg(path, file_.errorString()));
            view_->setEnabled(true);
            return;
        }
        pieces_.start(0);
    } else {
        runner_->start({{"trace", path, "-o", "-", "--progress", "json"}, {}, {}});
    }
}

void TimelinePage::readPiece() {
    constexpr qint64 kPiece = 1 << 20; // a few milliseconds of work, between which the window answers
    take(file_.read(kPiece));
    work_->setProgress(tr("reading"), double(file_.pos()) / double(std::max<qint64>(1, file_.size())));
    if (file_.atEnd() || file_.error() != QFileDevice::NoError || !fault_.isEmpty()) {
        if (file_.error() != QFileDevice::NoError) {
            fault_ = tr("cannot read '%1': %2").arg(belowPath_, file_.errorString());
        }
        finish();
        endReading();
    }
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
    belowAt_ = readingBelow_ ? 0.0 : belowAt_;
    (readingBelow_ ? below_ : first_) = reading_;
    (readingBelow_ ? belowName_ : firstName_) =
        readingBelow_ ? QFileInfo(belowPath_).fileName() : document_.name();
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
    placeBelow(belowAt_);
    path_->setEnabled(view_->hasPath());
    minimap_->refresh();
    showLegend();
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

bool TimelinePage::busy() const { return runner_->running() || file_.isOpen(); }
bool TimelinePage::empty() const { return view_->models().empty(); }
QString TimelinePage::problem() const { return work_->message(); }

} // namespace chokepoint::gui
