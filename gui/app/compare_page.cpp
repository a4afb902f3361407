// SPDX-License-Identifier: GPL-3.0-or-later
#include "compare_page.hpp"

#include "card_strip.hpp"
#include "chart_panel.hpp"
#include "difference_panel.hpp"
#include "document.hpp"
#include "headline_card.hpp"
#include "runner.hpp"
#include "work_bar.hpp"

#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace chokepoint::gui {

/// One scenario of the comparison.
struct ComparePage::Entry {
    QString path; ///< empty: the document
    std::unique_ptr<Runner> runner = std::make_unique<Runner>();
    HeadlineCard* card = nullptr;
    std::optional<RunResult> result;
    QString failure;
    int revision = -1; ///< of the document, that the result or the run under way is about
};

ComparePage::ComparePage(Document& document, QWidget* parent)
    : Page(parent),
      document_(document),
      cards_(new CardStrip(this)),
      add_(new QPushButton(tr("&Add scenario…"), this)),
      phases_(new ChartPanel(this)),
      waits_(new ChartPanel(this)),
      memory_(new ChartPanel(this)),
      difference_(new DifferencePanel(this)),
      work_(new WorkBar(this)) {
    auto* layout = new QVBoxLayout(this);
    auto* top = new QHBoxLayout;
    top->addWidget(cards_, 1);
    top->addWidget(add_, 0, Qt::AlignTop);
    layout->addLayout(top);
    layout->addWidget(work_);
    auto* grid = new QGridLayout;
    grid->addWidget(phases_, 0, 0);
    grid->addWidget(waits_, 0, 1);
    grid->addWidget(memory_, 1, 0);
    grid->addWidget(difference_, 1, 1);
    grid->setColumnStretch(0, 1);
    grid->setColumnStretch(1, 1);
    grid->setRowStretch(0, 5);
    grid->setRowStretch(1, 6); // the differences to two scenarios are seen without scrolling
    layout->addLayout(grid, 1);
    connect(add_, &QPushButton::clicked, this, &ComparePage::askAdd);
    connect(&document_, &Document::changed, this, [this] {
        if (isVisible()) {
            entries_.front()->card->setEnabled(false); // until the new result is there
        }
    });
    for (ChartPanel* panel : {phases_, waits_, memory_}) {
        panel->setHint(tr("Open a scenario to see its step, and add others beside it."));
    }
    append({});
}

ComparePage::~ComparePage() = default;

void ComparePage::append(const QString& path) {
    auto entry = std::make_unique<Entry>();
    entry->path = path;
    entry->card = new HeadlineCard(static_cast<int>(entries_.size()), this);
    entry->card->setTitle(path.isEmpty() ? tr("The open scenario") : QFileInfo(path).fileName());
    entry->card->setRemovable(!path.isEmpty());
    cards_->add(entry->card);
    Entry* at = entry.get();
    connect(entry->card, &HeadlineCard::removed, this, [this, at] { remove(at); }, Qt::QueuedConnection);
    connect(at->runner.get(), &Runner::finished, this, [this, at](const QByteArray& json) {
        try {
            at->result = parse_run(json, at->path.isEmpty() ? document_.name() : QString());
            at->failure.clear();
            if (at->path.isEmpty()) {
                emit computed(*at->result);
            }
        } catch (const std::exception& error) {
            at->failure = QString::fromUtf8(error.what());
            work_->setMessage(at->failure);
        }
    });
    connect(at->runner.get(), &Runner::failed, this, [at](const QString& message) { at->failure = message; });
    work_->watch(*at->runner);
    connect(at->runner.get(), &Runner::ended, this, &ComparePage::refresh);
    lastInTabOrder_ =
        at->card->placeInTabOrder(entries_.empty() ? add_ : lastInTabOrder_); // before the charts
    entries_.push_back(std::move(entry));
    add_->setVisible(entries_.size() < kMost); // six cards need its room
}

void ComparePage::add(const QStringList& paths) {
    QStringList left;
    for (const QString& path : paths) {
        const QString absolute = QFileInfo(path).absoluteFilePath();
        if (files().contains(absolute)) {
            continue;
        }
        if (entries_.size() >= kMost) {
            left << "'" + QFileInfo(path).fileName() + "'";
            continue;
        }
        append(absolute);
        emit filesChanged();
        if (isVisible()) {
            compute(*entries_.back());
        }
    }
    if (!left.isEmpty()) {
        emit refused(tr("At most %1 scenarios are compared: remove others before %2 can be added.")
                         .arg(kMost)
                         .arg(left.join(", ")));
    }
}

QStringList ComparePage::files() const {
    QStringList list;
    for (const auto& entry : entries_) {
        if (!entry->path.isEmpty()) {
            list << entry->path;
        }
    }
    return list;
}

void ComparePage::remove(const Entry* which) {
    const auto at = std::ranges::find(entries_, which, [](const auto& entry) { return entry.get(); });
    if (at == entries_.end()) {
        return;
    }
    // Cards behind it change their letter, so they are made again.
    const QStringList all = files();
    const auto index = static_cast<qsizetype>(at - entries_.begin()) - 1;
    std::vector<std::optional<RunResult>> results;
    while (entries_.size() > 1) {
        results.insert(results.begin(), entries_.back()->result);
        delete entries_.back()->card;
        entries_.pop_back();
    }
    lastInTabOrder_ = entries_.front()->card->placeInTabOrder(add_);
    for (qsizetype i = 0; i < all.size(); ++i) {
        if (i != index) {
            append(all[i]);
            entries_.back()->result = results[static_cast<std::size_t>(i)];
        }
    }
    emit filesChanged();
    refresh();
    activate();
}

void ComparePage::activate() {
    if (!document_.isOpen()) {
        return;
    }
    for (const auto& entry : entries_) {
        const bool stale = entry->path.isEmpty() ? entry->revision != document_.revision() : !entry->result;
        if (stale) {
            compute(*entry);
        }
    }
}

void ComparePage::compute(Entry& entry) {
    entry.revision = document_.revision();
    entry.card->setEnabled(false);
    for (ChartPanel* panel : {phases_, waits_, memory_}) {
        panel->setHint(tr("The step is being simulated."));
    }
    const QStringList options{"--json", "-", "--progress", "json"};
    entry.runner->start(entry.path.isEmpty() ? document_.invocation("run", options)
                                             : Invocation{QStringList{"run", entry.path} + options, {}, {}});
}

void ComparePage::refresh() {
    std::vector<Compared> all;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        Entry& entry = *entries_[i];
        if (entry.runner->running()) {
            continue;
        }
        if (!entry.failure.isEmpty()) {
            entry.card->setMessage(entry.failure.section('\n', 0, 0));
            work_->setMessage(entry.failure);
        } else if (entry.result) {
            const auto& basis = entries_.front()->result;
            entry.card->setEnabled(true);
            entry.card->show(*entry.result, i > 0 && basis ? &*basis : nullptr);
        }
        if (entry.result) {
            all.push_back({static_cast<int>(i), *entry.result});
        }
    }
    const bool complete = !running();
    for (ChartPanel* panel : {phases_, waits_, memory_}) {
        panel->setEnabled(complete);
    }
    difference_->setStale(!complete);
    if (!complete) {
        return;
    }
    if (all.empty()) {
        for (ChartPanel* panel : {phases_, waits_, memory_}) {
            panel->setHint(tr("There is no step to see."));
        }
        return;
    }
    phases_->setChart(phase_chart(all));
    waits_->setChart(wait_chart(all));
    memory_->setChart(memory_chart(all));
    if (all.size() == 1) {
        difference_->showAlone(driver_chart(all[0]));
    } else if (all.size() == entries_.size()) {
        difference_->explain(document_.invocation("compare", files()), document_.revision());
    }
}

bool ComparePage::busy() const { return running() || difference_->busy(); }

bool ComparePage::running() const {
    return std::ranges::any_of(entries_, [](const auto& entry) { return entry->runner->running(); });
}

bool ComparePage::empty() const {
    return std::ranges::none_of(entries_, [](const auto& entry) { return entry->result.has_value(); });
}

QString ComparePage::problem() const { return work_->message(); }

void ComparePage::askAdd() {
    const QStringList chosen = QFileDialog::getOpenFileNames(
        this, tr("Add scenarios"), QFileInfo(document_.path()).absolutePath(), tr("Scenarios (*.toml)"));
    add(chosen);
}

} // namespace chokepoint::gui
