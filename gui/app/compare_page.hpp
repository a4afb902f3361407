// SPDX-License-Identifier: GPL-3.0-or-later
// Up to six scenarios side by side: the open one first, then files.
#pragma once

#include "compare_charts.hpp"
#include "page.hpp"

#include <QStringList>

#include <memory>
#include <optional>
#include <vector>

class QPushButton;

namespace chokepoint::gui {

class CardStrip;
class ChartPanel;
class DifferencePanel;
class Document;
class HeadlineCard;
class Runner;
class WorkBar;

class ComparePage : public Page {
    Q_OBJECT

public:
    static constexpr int kMost = 6;

    explicit ComparePage(Document&, QWidget* parent = nullptr);
    ~ComparePage() override;

    /// Adds files to the comparison, unless it has them, or is full, which refused() then tells.
    void add(const QStringList& paths);
    [[nodiscard]] QStringList files() const;
    void activate() override;
    [[nodiscard]] bool busy() const override;
    [[nodiscard]] bool empty() const override;
    [[nodiscard]] QString problem() const override;

signals:
    /// The open scenario's result, whenever there is a new one.
    void computed(const RunResult&);
    /// One more, or one less, beside the open scenario.
    void filesChanged();
    void refused(const QString& message);

private:
    struct Entry;
    void append(const QString& path);
    void compute(Entry&);
    void remove(const Entry*);
    void refresh();
    [[nodiscard]] bool running() const;
    void askAdd();

    Document& document_;
    std::vector<std::unique_ptr<Entry>> entries_; ///< [0] is the document
    CardStrip* cards_;
    QPushButton* add_;
    QWidget* lastInTabOrder_ = nullptr; ///< of the cards
    ChartPanel* phases_;
    ChartPanel* waits_;
    ChartPanel* memory_;
    DifferencePanel* difference_;
    WorkBar* work_;
};

} // namespace chokepoint::gui
